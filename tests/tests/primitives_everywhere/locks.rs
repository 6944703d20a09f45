//! Locks, permits, notifications.

use crate::executors::{ROUNDS, everywhere, give_up_after, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use weftwork_sync::{Condvar, Limiter, Mutex, Notify, RwLock, RwLockUpgradableReadGuard, Semaphore};

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

#[test]
fn readers_see_what_a_writer_left_whole() {
    everywhere(|tasks| async move {
        let pair = Arc::new(RwLock::new((0, 0)));
        let written = tasks.all(5, |number| {
            let pair = pair.clone();
            async move {
                let mut written = 0;
                for round in 0..ROUNDS {
                    match (number, round % 3) {
                        // Two write, one of which gives up now and then.
                        (0 | 1, at) => {
                            let polls = if at == 0 { number } else { usize::MAX };
                            if let Some(mut guard) = give_up_after(polls, pair.write()).await {
                                guard.0 += 1;
                                yield_now().await;
                                guard.1 += 1;
                                written += 1;
                            }
                        }
                        (2, 0) => {
                            let guard = pair.upgradable_read().await;
                            assert_eq!(guard.0, guard.1);
                            let mut guard = RwLockUpgradableReadGuard::upgrade(guard).await;
                            *guard = (guard.0 + 1, guard.1 + 1);
                            written += 1;
                        }
                        (_, at) => {
                            let polls = if at == 1 { 1 } else { usize::MAX };
                            if let Some(guard) = give_up_after(polls, pair.read()).await {
                                assert_eq!(guard.0, guard.1);
                                yield_now().await;
                                assert_eq!(guard.0, guard.1);
                            }
                        }
                    }
                }
                written
            }
        });
        let written: usize = written.await.into_iter().sum();
        assert_eq!(*pair.read().await, (written, written));
    });
}

#[test]
fn a_condition_is_waited_for_under_its_lock() {
    everywhere(|tasks| async move {
        // Bounded, by hand: a mutex and two conditions.
        let shared = Arc::new((Mutex::new(0), Condvar::new(), Condvar::new()));
        let putter = tasks.spawn({
            let shared = shared.clone();
            async move {
                for _ in 0..ROUNDS {
                    let (items, more, room) = &*shared;
                    let mut guard = items.lock().await;
                    while *guard == 2 {
                        guard = room.wait(guard).await;
                    }
                    *guard += 1;
                    drop(guard);
                    more.notify_one();
                }
            }
        });
        let got = tasks.all(2, |number| {
            let shared = shared.clone();
            async move {
                for round in 0..ROUNDS / 2 {
                    let (items, more, room) = &*shared;
                    if round % 3 == number {
                        // Gives up, and what it was told goes to the other.
                        give_up_after(1, more.wait(items.lock().await)).await;
                    }
                    let mut guard = more.wait_while(items.lock().await, |items| *items == 0).await;
                    *guard -= 1;
                    drop(guard);
                    room.notify_one();
                }
            }
        });
        got.await;
        putter.await;
        assert_eq!(*shared.0.lock().await, 0);
    });
}

#[test]
fn a_limiter_bounds_who_is_inside_while_its_total_changes() {
    everywhere(|tasks| async move {
        let (limiter, inside) = (Arc::new(Limiter::new(3)), Arc::new(AtomicUsize::new(0)));
        let done = tasks.all(5, |number| {
            let (limiter, inside) = (limiter.clone(), inside.clone());
            async move {
                for round in 0..ROUNDS {
                    if number == 0 && round % 10 == 0 {
                        limiter.set_total(1 + round / 10 % 3);
                    }
                    let polls = if round % 4 == 0 { 2 } else { usize::MAX };
                    if let Some(token) = give_up_after(polls, limiter.borrow()).await {
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        yield_now().await;
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(token);
                    }
                }
            }
        });
        done.await;
        assert_eq!(limiter.borrowed(), 0);
    });
}
