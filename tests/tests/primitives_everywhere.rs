#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! The primitives of weftwork-sync need an executor that wakes tasks, and nothing else of it: each scenario is written once and runs
//! on both flavours of weftwork, on tokio, on smol, and on plain threads with futures' `block_on` and with our own.

mod fixtures;

use futures::future::BoxFuture;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use weftwork_sync::queue::Item;
use weftwork_sync::{LifoQueue, Mutex, Notify, PriorityQueue, Queue, Semaphore, channel, oneshot};

/// Starts tasks on one of the executors.
#[derive(Clone)]
struct Tasks(Arc<dyn Fn(BoxFuture<'static, ()>) -> BoxFuture<'static, ()> + Send + Sync>);

impl Tasks {
    fn on<F>(start: impl Fn(BoxFuture<'static, ()>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |task| Box::pin(start(task))))
    }

    /// A task, and what waits for its value; a panic in it fails whoever waits.
    fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
        let (tell, told) = futures::channel::oneshot::channel();
        let ended = (self.0)(Box::pin(async move {
            // Whoever started it may not wait.
            let _ = tell.send(task.await);
        }));
        Box::pin(async move {
            ended.await;
            told.await.expect("it ended with a value")
        })
    }

    /// As many tasks as said, and their values.
    async fn all<T, F>(&self, count: usize, task: impl Fn(usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let tasks: Vec<_> = (0..count).map(|number| self.spawn(task(number))).collect();
        let mut values = Vec::with_capacity(count);
        for task in tasks {
            values.push(task.await);
        }
        values
    }
}

/// A thread for each task, on which `block_on` runs it.
fn threads(block_on: fn(BoxFuture<'static, ()>)) -> Tasks {
    Tasks::on(move |task| {
        let (tell, told) = futures::channel::oneshot::channel();
        std::thread::spawn(move || {
            block_on(task);
            // Nobody waits for a thread that is detached.
            let _ = tell.send(());
        });
        async { told.await.expect("the thread ended well") }
    })
}

/// Runs a scenario on every executor.
fn everywhere<F: Future<Output = ()> + Send + 'static>(scenario: impl Fn(Tasks) -> F) {
    fixtures::both_flavors(|builder| {
        let tasks = Tasks::on(|task| {
            let task = weftwork::spawn(task);
            async { task.await.unwrap() }
        });
        builder.run(scenario(tasks)).unwrap();
    });
    for mut builder in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        let tasks = Tasks::on(|task| {
            let task = tokio::spawn(task);
            async { task.await.unwrap() }
        });
        builder.worker_threads(2).build().unwrap().block_on(scenario(tasks));
    }
    smol::block_on(scenario(Tasks::on(smol::spawn)));
    futures::executor::block_on(scenario(threads(futures::executor::block_on)));
    weftwork_sync::block_on(scenario(threads(weftwork_sync::block_on)));
}

/// Lets others run once, on any executor.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future at most so many times, with others in between, and then drops it.
async fn give_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            // Whoever does not give up waits to be woken.
            if left != usize::MAX {
                left -= 1;
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }
    })
    .await
}

const ROUNDS: usize = 100;

#[test]
fn a_contended_lock_loses_no_increment_whoever_gives_up() {
    everywhere(|tasks| async move {
        let mutex = Arc::new(Mutex::new(0));
        let done = tasks.all(4, |number| {
            let mutex = mutex.clone();
            async move {
                let mut done = 0;
                for round in 0..ROUNDS {
                    let got = match round % 3 {
                        0 => give_up_after(number, mutex.lock()).await,
                        _ => Some(mutex.lock().await),
                    };
                    if let Some(mut guard) = got {
                        let before = *guard;
                        yield_now().await;
                        *guard = before + 1;
                        done += 1;
                    }
                }
                done
            }
        });
        let done: usize = done.await.into_iter().sum();
        assert_eq!(*mutex.lock().await, done);
    });
}

#[test]
fn an_owned_guard_goes_from_task_to_task() {
    everywhere(|tasks| async move {
        let mutex = Arc::new(Mutex::new(0));
        for _ in 0..10 {
            let guard = mutex.clone().lock_owned().await;
            let other = mutex.clone();
            let waits = tasks.spawn(async move { *other.lock().await += 1 });
            tasks.spawn(async move { drop(guard) }).await;
            waits.await;
        }
        assert_eq!(*mutex.lock().await, 10);
    });
}

#[test]
fn no_more_tasks_than_permits_are_inside() {
    everywhere(|tasks| async move {
        let (semaphore, inside) = (Arc::new(Semaphore::new(3)), Arc::new(AtomicUsize::new(0)));
        let done = tasks.all(5, |number| {
            let (semaphore, inside) = (semaphore.clone(), inside.clone());
            async move {
                let count = 1 + number % 3;
                for round in 0..ROUNDS {
                    let acquire = semaphore.acquire_many(count);
                    let got = match round % 4 {
                        0 => give_up_after(2, acquire).await,
                        _ => Some(acquire.await),
                    };
                    if let Some(permit) = got {
                        assert!(inside.fetch_add(count, Ordering::SeqCst) + count <= 3);
                        yield_now().await;
                        inside.fetch_sub(count, Ordering::SeqCst);
                        drop(permit.unwrap());
                    }
                }
            }
        });
        done.await;
        assert_eq!(semaphore.available_permits(), 3);
    });
}

#[test]
fn closing_a_semaphore_ends_all_who_wait() {
    everywhere(|tasks| async move {
        let semaphore = Arc::new(Semaphore::new(0));
        let (theirs, began) = (semaphore.clone(), Arc::new(AtomicUsize::new(0)));
        let counts = began.clone();
        let waits = tasks.spawn({
            let tasks = tasks.clone();
            async move {
                let refused = tasks.all(4, |_| {
                    let (semaphore, began) = (theirs.clone(), counts.clone());
                    async move {
                        began.fetch_add(1, Ordering::SeqCst);
                        semaphore.acquire().await.is_err()
                    }
                });
                refused.await
            }
        });
        while began.load(Ordering::SeqCst) < 4 {
            yield_now().await;
        }
        semaphore.close();
        assert!(waits.await.into_iter().all(|refused| refused));
    });
}

#[test]
fn one_notification_goes_from_waiter_to_waiter_and_is_never_lost() {
    everywhere(|tasks| async move {
        let notify = Arc::new(Notify::new());
        notify.notify_one();
        let done = tasks.all(4, |number| {
            let notify = notify.clone();
            async move {
                for round in 0..ROUNDS {
                    let got = match round % 3 {
                        0 => give_up_after(number, notify.notified()).await,
                        _ => give_up_after(usize::MAX, notify.notified()).await,
                    };
                    if got.is_some() {
                        notify.notify_one();
                    }
                }
            }
        });
        done.await;
        assert!(give_up_after(0, notify.notified()).await.is_some(), "it is kept at the end");
    });
}

#[test]
fn notify_waiters_ends_a_wait_for_a_state() {
    everywhere(|tasks| async move {
        let shared = Arc::new((Notify::new(), AtomicBool::new(false)));
        let waits: Vec<_> = (0..4)
            .map(|_| {
                let shared = shared.clone();
                tasks.spawn(async move {
                    loop {
                        let notified = shared.0.notified();
                        if shared.1.load(Ordering::SeqCst) {
                            break;
                        }
                        notified.await;
                    }
                })
            })
            .collect();
        yield_now().await;
        shared.1.store(true, Ordering::SeqCst);
        shared.0.notify_waiters();
        for wait in waits {
            wait.await;
        }
    });
}

/// So many senders and receivers; the sum of what was received, while every third wait on either side gives up.
async fn through_a_channel(tasks: Tasks, capacity: usize, senders: usize, receivers: usize) {
    let (sender, receiver) = channel::bounded(capacity);
    let sent = tasks.spawn({
        let tasks = tasks.clone();
        async move {
            tasks
                .all(senders, |number| {
                    let sender = sender.clone();
                    async move {
                        for round in 0..ROUNDS {
                            let value = number * ROUNDS + round;
                            if round % 3 == 0 {
                                let mut sending = Box::pin(sender.send(value));
                                if give_up_after(1, sending.as_mut()).await.is_some() {
                                    continue;
                                }
                                let Some(back) = sending.as_mut().take_back() else { panic!("it was not sent") };
                                assert_eq!(back, value);
                            }
                            sender.send(value).await.unwrap();
                        }
                    }
                })
                .await;
        }
    });
    let received = tasks.all(receivers, |_| {
        let receiver = receiver.clone();
        async move {
            let mut sum = 0;
            loop {
                match give_up_after(2, receiver.recv()).await {
                    Some(Ok(value)) => sum += value,
                    Some(Err(_)) => break sum,
                    None => match receiver.recv().await {
                        Ok(value) => sum += value,
                        Err(_) => break sum,
                    },
                }
            }
        }
    });
    let received: usize = received.await.into_iter().sum();
    sent.await;
    assert_eq!(received, (0..senders * ROUNDS).sum());
}

#[test]
fn a_channel_of_one_to_one_loses_nothing() {
    everywhere(|tasks| through_a_channel(tasks, 1, 1, 1));
    everywhere(|tasks| through_a_channel(tasks, 16, 1, 1));
}

#[test]
fn a_channel_of_four_to_one_loses_nothing() {
    everywhere(|tasks| through_a_channel(tasks, 2, 4, 1));
}

#[test]
fn a_channel_of_three_to_three_loses_nothing() {
    everywhere(|tasks| through_a_channel(tasks, 1, 3, 3));
}

#[test]
fn a_oneshot_carries_a_request_and_its_answer() {
    everywhere(|tasks| async move {
        let (requests, inbox) = channel::bounded::<(usize, oneshot::Sender<usize>)>(4);
        let owner = tasks.spawn(async move {
            while let Ok((number, answer)) = inbox.recv().await {
                // The last one is not answered.
                if number < ROUNDS {
                    let _ = answer.send(number + 1);
                }
            }
        });
        for number in 0..=ROUNDS {
            let (answer, answered) = oneshot::channel();
            requests.send((number, answer)).await.unwrap();
            assert_eq!(answered.await.ok(), (number < ROUNDS).then_some(number + 1));
        }
        drop(requests);
        owner.await;
    });
}

#[test]
fn a_oneshot_tells_its_sender_that_nobody_waits() {
    everywhere(|tasks| async move {
        let (mut sender, receiver) = oneshot::channel::<u8>();
        let told = tasks.spawn(async move { sender.closed().await });
        yield_now().await;
        drop(receiver);
        told.await;
    });
}

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
