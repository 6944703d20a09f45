//! Events, barriers, and values that come once or change.

use crate::executors::{ROUNDS, everywhere, give_up_after, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use weftwork_sync::{Barrier, Event, OnceCell, SetOnce, WaitGroup, broadcast, promise, watch};

#[test]
fn an_event_that_is_set_and_cleared_at_once_wakes_all_who_waited() {
    everywhere(|tasks| async move {
        let (event, began) = (Arc::new(Event::new()), Arc::new(WaitGroup::new()));
        let waits: Vec<_> = (0..4)
            .map(|_| {
                let (event, began) = (event.clone(), began.worker());
                tasks.spawn(async move {
                    let mut waiting = Box::pin(event.wait());
                    assert!(give_up_after(0, waiting.as_mut()).await.is_none());
                    drop(began);
                    waiting.await;
                })
            })
            .collect();
        began.wait().await;
        event.set();
        event.clear();
        for wait in waits {
            wait.await;
        }
    });
}

#[test]
fn a_barrier_lets_all_go_on_together_again_and_again() {
    everywhere(|tasks| async move {
        let shared = Arc::new((Barrier::new(3), AtomicUsize::new(0)));
        let leaders = tasks.all(3, |number| {
            let shared = shared.clone();
            async move {
                let mut led = 0;
                for round in 0..ROUNDS {
                    let (barrier, arrived) = &*shared;
                    if round % 3 == number {
                        // Who gives up has not come. If it was the last it has, and the round is over.
                        arrived.fetch_add(1, Ordering::SeqCst);
                        match give_up_after(1, barrier.wait()).await {
                            Some(went) => {
                                led += usize::from(went.unwrap().is_leader());
                                continue;
                            }
                            None => arrived.fetch_sub(1, Ordering::SeqCst),
                        };
                    }
                    arrived.fetch_add(1, Ordering::SeqCst);
                    led += usize::from(barrier.wait().await.unwrap().is_leader());
                    assert!(arrived.load(Ordering::SeqCst) > 3 * round);
                }
                led
            }
        });
        assert_eq!(leaders.await.into_iter().sum::<usize>(), ROUNDS);
        assert_eq!(shared.1.load(Ordering::SeqCst), 3 * ROUNDS);
    });
}

#[test]
fn an_aborted_barrier_ends_all_who_wait() {
    everywhere(|tasks| async move {
        let barrier = Arc::new(Barrier::new(3));
        let waits: Vec<_> = (0..2)
            .map(|_| {
                let barrier = barrier.clone();
                tasks.spawn(async move { barrier.wait().await.is_err() })
            })
            .collect();
        yield_now().await;
        barrier.abort();
        for wait in waits {
            assert!(wait.await);
        }
    });
}

#[test]
fn a_cell_is_made_by_one_of_those_who_want_it() {
    everywhere(|tasks| async move {
        for _ in 0..10 {
            let shared = Arc::new((OnceCell::new(), AtomicUsize::new(0)));
            let values = tasks.all(4, |number| {
                let shared = shared.clone();
                async move {
                    let made = shared.clone();
                    let make = move || async move {
                        yield_now().await;
                        made.1.fetch_add(1, Ordering::SeqCst);
                        7
                    };
                    let polls = if number == 0 { 0 } else { usize::MAX };
                    give_up_after(polls, shared.0.get_or_init(make)).await.copied()
                }
            });
            assert_eq!(values.await[1..], [Some(7); 3]);
            assert_eq!(shared.1.load(Ordering::SeqCst), 1);
        }
    });
}

#[test]
fn a_value_that_comes_once_reaches_everybody() {
    everywhere(|tasks| async move {
        let (once, (setter, promise)) = (Arc::new(SetOnce::new()), promise());
        let waits: Vec<_> = (0..4)
            .map(|_| {
                let (once, promise) = (once.clone(), promise.clone());
                tasks.spawn(async move { *once.wait().await + *promise.wait().await.unwrap() })
            })
            .collect();
        yield_now().await;
        assert!(once.set(3).is_ok());
        setter.set(4);
        for wait in waits {
            assert_eq!(wait.await, 7);
        }
    });
}

#[test]
fn a_broadcast_reaches_every_receiver_in_order() {
    everywhere(|tasks| async move {
        let (sender, receiver) = broadcast::channel(ROUNDS);
        let receivers: Vec<_> = (0..3)
            .map(|number| {
                let mut receiver = receiver.resubscribe();
                tasks.spawn(async move {
                    let mut got = vec![];
                    loop {
                        match give_up_after(number, receiver.recv()).await {
                            Some(Ok(value)) => got.push(value),
                            Some(Err(_)) => break got,
                            None => yield_now().await,
                        }
                    }
                })
            })
            .collect();
        for value in 0..ROUNDS {
            assert!(sender.send(value).is_ok());
            if value % 8 == 0 {
                yield_now().await;
            }
        }
        drop(sender);
        for receiver in receivers {
            assert!(receiver.await.into_iter().eq(0..ROUNDS));
        }
    });
}

#[test]
fn a_watch_shows_the_last_value_to_all_and_never_goes_back() {
    everywhere(|tasks| async move {
        let (sender, receiver) = watch::channel(0);
        let watchers: Vec<_> = (0..3)
            .map(|number| {
                let mut receiver = receiver.clone();
                tasks.spawn(async move {
                    let mut last = 0;
                    loop {
                        match give_up_after(number, receiver.changed()).await {
                            Some(Ok(())) => {
                                let now = *receiver.borrow_and_update();
                                assert!(now >= last);
                                last = now;
                            }
                            Some(Err(_)) => break last,
                            None => yield_now().await,
                        }
                    }
                })
            })
            .collect();
        for value in 1..=ROUNDS {
            assert!(sender.send(value).is_ok());
            yield_now().await;
        }
        drop(sender);
        for watcher in watchers {
            assert_eq!(watcher.await, ROUNDS);
        }
    });
}
