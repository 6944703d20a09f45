#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What CPython and trio hold their own locks and queues to, case by case, by the names that the cases have there. The table in
//! docs/contract.md says which of them other files hold.

mod fixtures;

use fixtures::{Log, ms, on_virtual_time, on_virtual_time_in_order, sleep};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use weftwork::sync::queue::{Item, PutError};
use weftwork::sync::{Barrier, Condvar, Event, LifoQueue, Mutex, PriorityQueue, Queue, Semaphore, channel};
use weftwork::time::timeout;
use weftwork::{JoinHandle, spawn};

/// A task that takes the lock, and counts how many are inside at once.
fn enters(mutex: &Arc<Mutex<usize>>, inside: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let (mutex, inside) = (mutex.clone(), inside.clone());
    spawn(async move {
        let mut entered = mutex.lock().await;
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two are inside");
        *entered += 1;
        inside.fetch_sub(1, Ordering::SeqCst);
    })
}

#[test]
fn lock_cancel_release_race() {
    for cancel_first in [true, false] {
        on_virtual_time(move |_| async move {
            let (mutex, inside) = (Arc::new(Mutex::new(0)), Arc::new(AtomicUsize::new(0)));
            let held = mutex.lock().await;
            let first = enters(&mutex, &inside);
            sleep(1).await;
            let second = enters(&mutex, &inside);
            sleep(1).await;
            if cancel_first {
                first.cancel();
                drop(held);
            } else {
                drop(held);
                first.cancel();
            }
            second.await.unwrap();
            let first = first.await.is_ok();
            assert_eq!(*mutex.try_lock().unwrap(), 1 + usize::from(first));
        });
    }
}

#[test]
fn lock_cancel_race() {
    on_virtual_time(|_| async {
        // The first waiter is cancelled while it waits, and the second must not be woken by that.
        let (mutex, inside) = (Arc::new(Mutex::new(0)), Arc::new(AtomicUsize::new(0)));
        let held = mutex.lock().await;
        let first = enters(&mutex, &inside);
        sleep(1).await;
        let second = enters(&mutex, &inside);
        sleep(1).await;
        first.cancel();
        assert!(first.await.unwrap_err().is_cancelled());
        assert!(!second.is_finished() && mutex.try_lock().is_none());
        drop(held);
        second.await.unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 1);
    });
}

/// A task that takes a permit for good, and says so.
fn takes(semaphore: &Arc<Semaphore>, log: &Log, name: &'static str) -> JoinHandle<()> {
    let (semaphore, log) = (semaphore.clone(), log.clone());
    spawn(async move {
        semaphore.acquire().await.unwrap().forget();
        log.put(name);
    })
}

#[test]
fn semaphore_acquire_hang() {
    on_virtual_time(|_| async {
        let (semaphore, log) = (Arc::new(Semaphore::new(0)), Log::default());
        let first = takes(&semaphore, &log, "1");
        sleep(1).await;
        let second = takes(&semaphore, &log, "2");
        sleep(1).await;
        first.cancel();
        semaphore.add_permits(1);
        // A permit that is there when the cancellation is seen is had: then it is the second that waits on.
        if first.await.is_ok() {
            sleep(1).await;
            assert!(!second.is_finished());
            semaphore.add_permits(1);
        }
        second.await.unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn semaphore_acquire_no_hang() {
    on_virtual_time(|_| async {
        // Whoever holds the permit cancels who waits, and gives it back in the same step.
        let (semaphore, log) = (Arc::new(Semaphore::new(0)), Log::default());
        let waiting = takes(&semaphore, &log, "cancelled");
        sleep(1).await;
        semaphore.add_permits(1);
        waiting.cancel();
        let got = waiting.await.is_ok();
        assert_eq!(timeout(ms(1_000), semaphore.acquire()).await.is_err(), got);
    });
}

#[test]
fn semaphore_fifo_order_1() {
    on_virtual_time(|clock| async move {
        let (semaphore, log) = (Arc::new(Semaphore::new(1)), Log::default());
        let mut tasks = vec![];
        for name in ["1", "2", "3"] {
            let (semaphore, log) = (semaphore.clone(), log.clone());
            tasks.push(spawn(async move {
                for _ in 0..2 {
                    let permit = semaphore.acquire().await.unwrap();
                    log.put(name);
                    sleep(10).await;
                    drop(permit);
                }
            }));
            sleep(1).await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!((log.all().concat(), clock.ms()), ("123123".into(), 60));
    });
}

#[test]
fn semaphore_fifo_order_2() {
    on_virtual_time_in_order(|_| async {
        // Two are released at once: the second that gets one gives it back and asks again, behind the third.
        let (semaphore, log) = (Arc::new(Semaphore::new(0)), Log::default());
        let first = takes(&semaphore, &log, "1");
        let again = {
            let (semaphore, log) = (semaphore.clone(), log.clone());
            spawn(async move {
                drop(semaphore.acquire().await.unwrap());
                log.put("2");
                semaphore.acquire().await.unwrap().forget();
                log.put("4");
            })
        };
        let third = takes(&semaphore, &log, "3");
        sleep(1).await;
        semaphore.add_permits(2);
        first.await.unwrap();
        third.await.unwrap();
        assert!(!again.is_finished());
        semaphore.add_permits(1);
        again.await.unwrap();
        assert_eq!(log.all().concat(), "1234");
    });
}

#[test]
fn semaphore_fifo_order_3() {
    on_virtual_time_in_order(|_| async {
        let (semaphore, log) = (Arc::new(Semaphore::new(0)), Log::default());
        let tasks = ["1", "2", "3"].map(|name| takes(&semaphore, &log, name));
        sleep(1).await;
        tasks[0].cancel();
        sleep(1).await;
        semaphore.add_permits(2);
        sleep(1).await;
        assert_eq!(log.all().concat(), "23");
    });
}

#[test]
fn semaphore_fifo_order_4() {
    on_virtual_time_in_order(|_| async {
        // Released first, and then the one that was chosen is cancelled before it runs: its permit goes to the third.
        let (semaphore, log) = (Arc::new(Semaphore::new(0)), Log::default());
        let tasks = ["1", "2", "3"].map(|name| takes(&semaphore, &log, name));
        sleep(1).await;
        semaphore.add_permits(2);
        assert!(tasks[0].cancel());
        sleep(1).await;
        // What was ready when the cancellation was seen is delivered; the permit is with the first then.
        let [mut first, second, third] = tasks;
        let given_up = first.try_take().expect("it has ended").is_err();
        assert_eq!((second.is_finished(), third.is_finished()), (true, given_up));
        semaphore.add_permits(1);
        third.await.unwrap();
    });
}

#[test]
fn queue_cancel_no_loss() {
    on_virtual_time(|_| async {
        let queue = Arc::new(Queue::unbounded());
        let mut getters = vec![];
        for _ in 0..3 {
            let queue = queue.clone();
            getters.push(spawn(async move { queue.get().await.map(Item::into_inner).unwrap() }));
            sleep(1).await;
        }
        // The item is on its way to the first when that is cancelled.
        queue.put(1).await.unwrap();
        getters[0].cancel();
        sleep(1).await;
        queue.put(2).await.unwrap();
        sleep(1).await;
        let first = getters.remove(0).await;
        match first {
            Ok(number) => {
                assert_eq!((number, getters.remove(0).await.unwrap()), (1, 2));
                assert!(!getters[0].is_finished());
                queue.put(3).await.unwrap();
                assert_eq!(getters.remove(0).await.unwrap(), 3);
            }
            Err(_) => assert_eq!((getters.remove(0).await.unwrap(), getters.remove(0).await.unwrap()), (1, 2)),
        }
        assert!(queue.is_empty());
    });
}

#[test]
fn queue_cancelled_putter_never_inserts() {
    on_virtual_time(|_| async {
        let queue = Arc::new(Queue::bounded(1));
        queue.put(0).await.unwrap();
        let mut putters = vec![];
        for number in [1, 2] {
            let queue = queue.clone();
            putters.push(spawn(async move { queue.put(number).await.unwrap() }));
            sleep(1).await;
        }
        // There is room for the first when that is cancelled.
        assert_eq!(queue.try_get().map(Item::into_inner), Ok(0));
        putters[0].cancel();
        let inserted = putters.remove(0).await.is_ok();
        if inserted {
            assert_eq!(queue.get().await.map(Item::into_inner), Ok(1));
        }
        putters.remove(0).await.unwrap();
        assert_eq!(queue.try_get().map(Item::into_inner), Ok(2));
        assert_eq!((queue.len(), queue.unfinished()), (0, 0));
    });
}

#[test]
fn queue_why_are_getters_waiting() {
    on_virtual_time(|_| async {
        // A burst of puts while several getters wait: none is left beside an item.
        let queue = Arc::new(Queue::unbounded());
        let getters: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                spawn(async move {
                    let mut sum = 0;
                    while let Ok(item) = queue.get().await {
                        sum += *item;
                        sleep(1).await;
                    }
                    sum
                })
            })
            .collect();
        sleep(1).await;
        assert!((1..=20).all(|number| queue.try_put(number).is_ok()));
        queue.join().await;
        queue.shutdown(false);
        let mut sum = 0;
        for getter in getters {
            sum += getter.await.unwrap();
        }
        assert_eq!(sum, 210);
    });
}

#[test]
fn queue_why_are_putters_waiting() {
    on_virtual_time(|_| async {
        let queue = Arc::new(Queue::bounded(2));
        let putters: Vec<_> = (0..4u32)
            .map(|number| {
                let queue = queue.clone();
                spawn(async move { queue.put(number).await.unwrap() })
            })
            .collect();
        sleep(1).await;
        assert!(queue.is_full());
        assert!((0..4).all(|_| queue.try_get().is_ok() || queue.is_empty()));
        sleep(1).await;
        let mut left = 0;
        while queue.try_get().is_ok() {
            left += 1;
        }
        for putter in putters {
            putter.await.unwrap();
        }
        assert!(left <= 2 && queue.unfinished() == 0);
    });
}

#[test]
fn queue_task_done_underflow() {
    on_virtual_time(|_| async {
        let (queue, lifo, smallest) =
            (Queue::<u8>::unbounded(), LifoQueue::<u8>::unbounded(), PriorityQueue::<u8>::unbounded());
        assert!(queue.task_done().is_err() && lifo.task_done().is_err() && smallest.task_done().is_err());
    });
}

#[test]
fn queue_shutdown_graceful() {
    on_virtual_time(|_| async {
        let queue = Arc::new(Queue::bounded(1));
        queue.put(1).await.unwrap();
        let putter = {
            let queue = queue.clone();
            spawn(async move { queue.put(2).await.map_err(PutError::into_inner) })
        };
        sleep(1).await;
        queue.shutdown(false);
        assert_eq!(putter.await.unwrap(), Err(2));
        assert_eq!(queue.get().await.map(Item::into_inner), Ok(1));
        assert!(queue.get().await.is_err() && queue.put(3).await.is_err());
        queue.join().await;
    });
}

#[test]
fn queue_shutdown_immediate_with_unfinished() {
    on_virtual_time(|clock| async move {
        let queue = Arc::new(Queue::unbounded());
        for number in 0..3 {
            queue.put(number).await.unwrap();
        }
        let getting = {
            let queue = queue.clone();
            spawn(async move {
                let item = queue.get().await.unwrap();
                sleep(100).await;
                drop(item);
                queue.get().await.is_err()
            })
        };
        sleep(1).await;
        queue.shutdown(true);
        assert_eq!((queue.len(), queue.unfinished()), (0, 1));
        queue.join().await;
        assert_eq!(clock.ms(), 100);
        assert!(getting.await.unwrap());
    });
}

#[test]
fn trio_channel_clones() {
    on_virtual_time(|_| async {
        // The last sender that is closed ends the receivers.
        let (sender, receiver) = channel::bounded::<u8>(1);
        let receiving = {
            let receiver = receiver.clone();
            spawn(async move { receiver.recv().await.is_err() })
        };
        let other = sender.clone();
        drop(sender);
        sleep(1).await;
        assert!(!receiving.is_finished() && !receiver.is_closed());
        drop(other);
        assert!(receiving.await.unwrap() && receiver.recv().await.is_err());

        // The last receiver that is closed fails the senders.
        let (sender, receiver) = channel::bounded(1);
        sender.send(1).await.unwrap();
        let sending = {
            let sender = sender.clone();
            spawn(async move { sender.send(2).await.map_err(channel::SendError::into_inner) })
        };
        let other = receiver.clone();
        drop(receiver);
        sleep(1).await;
        assert!(!sending.is_finished() && !sender.is_closed());
        drop(other);
        assert_eq!(sending.await.unwrap(), Err(2));
        assert!(sender.send(3).await.is_err());
    });
}

#[test]
fn event_set_clear() {
    on_virtual_time(|_| async {
        let event = Arc::new(Event::new());
        let waits: Vec<_> = (0..3)
            .map(|_| {
                let event = event.clone();
                spawn(async move { event.wait().await })
            })
            .collect();
        sleep(1).await;
        event.set();
        event.clear();
        for wait in waits {
            wait.await.unwrap();
        }
        assert!(!event.is_set() && timeout(ms(1), event.wait()).await.is_err());
    });
}

#[test]
fn condition_cancelled_wakeup() {
    on_virtual_time(|_| async {
        // Who was notified is cancelled before it has the lock again: the next is notified in its place.
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let mut waits = vec![];
        for _ in 0..2 {
            let shared = shared.clone();
            waits.push(spawn(async move { *shared.1.wait(shared.0.lock().await).await += 1 }));
            sleep(1).await;
        }
        let held = shared.0.lock().await;
        shared.1.notify_one();
        sleep(1).await;
        waits[0].cancel();
        sleep(1).await;
        drop(held);
        assert!(waits.remove(0).await.unwrap_err().is_cancelled());
        waits.remove(0).await.unwrap();
        assert_eq!(*shared.0.lock().await, 1);
    });
}

#[test]
fn barrier_cancelled_waiter_has_not_come() {
    on_virtual_time(|_| async {
        let barrier = Arc::new(Barrier::new(2));
        let come = || {
            let barrier = barrier.clone();
            spawn(async move { barrier.wait().await.map(|arrived| arrived.index()) })
        };
        let gone = come();
        sleep(1).await;
        gone.cancel();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert!(barrier.waiting() == 0 && !barrier.is_broken());
        let first = come();
        sleep(1).await;
        assert!(!first.is_finished());
        let second = come();
        let mut indices = [first.await.unwrap().unwrap(), second.await.unwrap().unwrap()];
        indices.sort_unstable();
        assert_eq!(indices, [0, 1]);
    });
}
