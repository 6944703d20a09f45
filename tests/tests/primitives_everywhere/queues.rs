//! Queues that are worked off.

use crate::executors::{ROUNDS, everywhere, give_up_after, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use weftwork_sync::queue::Item;
use weftwork_sync::{LifoQueue, PriorityQueue, Queue};

/// Workers on a queue until it is shut down, while every third wait of theirs gives up; a join sees all the work.
macro_rules! worked_off {
    ($queue:ident, $max:expr) => {
        everywhere(|tasks| async move {
            let (queue, sum) = (Arc::new($queue::bounded($max)), Arc::new(AtomicUsize::new(0)));
            let workers: Vec<_> = (0..3)
                .map(|_| {
                    let (queue, sum) = (queue.clone(), sum.clone());
                    tasks.spawn(async move {
                        for round in 0.. {
                            let got = match round % 3 {
                                0 => give_up_after(1, queue.get()).await,
                                _ => Some(queue.get().await),
                            };
                            match got {
                                Some(Ok(item)) => {
                                    yield_now().await;
                                    sum.fetch_add(Item::into_inner(item), Ordering::SeqCst);
                                }
                                Some(Err(_)) => break,
                                None => {}
                            }
                        }
                    })
                })
                .collect();
            let put = tasks.all(2, |number| {
                let queue = queue.clone();
                async move {
                    for round in 0..ROUNDS {
                        queue.put(number * ROUNDS + round).await.unwrap();
                    }
                }
            });
            put.await;
            queue.join().await;
            assert!(queue.is_empty() && queue.unfinished() == 0);
            queue.shutdown(false);
            for worker in workers {
                worker.await;
            }
            assert_eq!(sum.load(Ordering::SeqCst), (0..2 * ROUNDS).sum());
        })
    };
}

#[test]
fn queues_are_worked_off() {
    worked_off!(Queue, 2);
    worked_off!(LifoQueue, 4);
    worked_off!(PriorityQueue, 4);
}

#[test]
fn an_immediate_shutdown_ends_workers_and_putters() {
    everywhere(|tasks| async move {
        let queue = Arc::new(Queue::bounded(1));
        let putters: Vec<_> = (0..3)
            .map(|number| {
                let queue = queue.clone();
                tasks.spawn(async move { while queue.put(number).await.is_ok() {} })
            })
            .collect();
        for _ in 0..10 {
            drop(queue.get().await.unwrap());
        }
        queue.shutdown(true);
        for putter in putters {
            putter.await;
        }
        queue.join().await;
        assert!(queue.get().await.is_err());
    });
}
