//! S3, S5, S6 and S9: what tasks do to each other, on the scheduler of models and virtual time.
//!
//! Each is a body as a user would write one; the schedules are drawn by this program, so they are run once each time.

use core::future::{Future, pending};
use weftwork::doors::run_body;
use weftwork::model::planned_panic;
use weftwork::scope::{CancelScope, cancellable, cleanup};
use weftwork::sync::{Mutex, channel};
use weftwork::task::yield_now;
use weftwork::time::{Duration, Instant};
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::unmodelled::Counter;

fn run(body: impl Future<Output = ()> + 'static) {
    run_body(3, 2, body);
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Counts in on creation, out on drop.
struct Alive(Shared<Counter>);

impl Alive {
    fn new(count: &Shared<Counter>) -> Self {
        count.add(1);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.add(0_u64.wrapping_sub(1));
    }
}

/// Sleeps end in order, whoever is cancelled meanwhile.
pub(crate) fn timers() {
    run(async {
        let began = Instant::now();
        let order = Shared::new(Mutex::new(Vec::new()));
        let sleeps: Vec<_> = [30, 10, 20]
            .map(|n| {
                let order = order.clone();
                weftwork::spawn(async move {
                    weftwork::sleep(ms(n)).await;
                    order.lock().await.push(n);
                })
            })
            .into_iter()
            .collect();
        let late = weftwork::spawn(weftwork::sleep(ms(90)));
        late.cancel();
        let short = weftwork::timeout(ms(15), pending::<()>()).await;
        assert!(short.is_err());
        for sleep in sleeps {
            sleep.await.unwrap();
        }
        assert!(late.await.is_err());
        assert_eq!(*order.lock().await, [10, 20, 30]);
        assert_eq!(began.elapsed(), ms(30));
    });
}

/// Producers and consumers with `select!` against a deadline: what was sent and not received lies in the channel.
pub(crate) fn channels_and_select() {
    run(async {
        let (sender, receiver) = channel::bounded::<u32>(1);
        let sent = Shared::new(Counter::new(0));
        let received = Shared::new(Counter::new(0));
        let ended = weftwork::group(async |crew| {
            for _ in 0..2 {
                let (sender, sent) = (sender.clone(), sent.clone());
                crew.spawn(async move {
                    for n in 0..2 {
                        if sender.send(n).await.is_ok() {
                            sent.add(1);
                        }
                    }
                })
                .detach();
                let (receiver, received) = (receiver.clone(), received.clone());
                crew.spawn(async move {
                    loop {
                        weftwork::select! {
                            got = receiver.recv() => match got {
                                Ok(_) => drop(received.add(1)),
                                Err(_) => break,
                            },
                            () = weftwork::sleep(ms(5)) => break,
                        }
                    }
                })
                .detach();
            }
            drop(sender);
        })
        .await;
        ended.unwrap();
        assert_eq!((sent.get(), received.get()), (4, 4));
        assert!(receiver.is_empty());
    });
}

/// A scope is cancelled at some moment while its tasks send, lock and clean up: nothing stays locked, nothing is lost unsaid.
pub(crate) fn cancel_at_any_moment() {
    run(async {
        let (sender, receiver) = channel::bounded::<Alive>(1);
        let alive = Shared::new(Counter::new(0));
        let cleaned = Shared::new(Counter::new(0));
        let lock = Shared::new(Mutex::new(0_u32));
        let scope = CancelScope::new();
        let cancels = {
            let scope = scope.clone();
            weftwork::spawn(async move {
                yield_now().await;
                scope.cancel()
            })
        };
        let (values, counted, section) = (alive.clone(), cleaned.clone(), lock.clone());
        let ended = scope
            .run(weftwork::group(async move |crew| {
                for _ in 0..2 {
                    let (sender, values, section) = (sender.clone(), values.clone(), section.clone());
                    crew.spawn(async move {
                        let mut count = section.lock().await;
                        yield_now().await;
                        *count += 1;
                        drop(count);
                        drop(sender.send(Alive::new(&values)).await);
                    })
                    .detach();
                }
                let counted = counted.clone();
                crew.spawn(async move {
                    let heard = cancellable(receiver.recv()).await.is_err();
                    let cleaned = cleanup(ms(100), async {
                        weftwork::sleep(ms(1)).await;
                        counted.add(1);
                    });
                    assert!(cleaned.await.is_ok(), "nothing cuts it off");
                    heard
                })
                .detach();
            }))
            .await;
        drop(ended);
        assert!(cancels.await.unwrap() || !scope.cancel_called());
        assert_eq!(alive.get(), 0, "a value is left behind");
        assert!(cleaned.get() <= 1);
        assert!(lock.try_lock().is_some(), "it is locked by nobody");
    });
}

/// Groups in groups, cancelled from beside: when the outer one is over, all of them are.
pub(crate) fn trees_of_groups() {
    run(async {
        let alive = Shared::new(Counter::new(0));
        let root = alive.clone();
        let tree = weftwork::spawn(async move {
            let inner = root.clone();
            let ended = weftwork::group(async move |outer| {
                for _ in 0..2 {
                    let alive = inner.clone();
                    outer
                        .spawn(async move {
                            let _me = Alive::new(&alive);
                            let leaves = alive.clone();
                            let ended = weftwork::group(async move |inner| {
                                for n in 0..2 {
                                    let leaf = leaves.clone();
                                    inner
                                        .spawn(async move {
                                            let _me = Alive::new(&leaf);
                                            yield_now().await;
                                            if n == 1 {
                                                pending::<()>().await;
                                            }
                                        })
                                        .detach();
                                }
                            })
                            .await;
                            drop(ended);
                        })
                        .detach();
                }
            })
            .await;
            drop(ended);
            assert_eq!(root.get(), 0, "the group is over, and somebody is left");
        });
        yield_now().await;
        yield_now().await;
        tree.cancel();
        // It was cancelled, or had not begun; its groups cannot end by themselves.
        assert!(tree.await.is_err() || alive.get() == 0);
        assert_eq!(alive.get(), 0, "the task is over, and somebody is left");
    });
}

/// Tasks are cancelled while they end: each handle says one thing, and whoever waits is told.
pub(crate) fn abort_while_ending() {
    run(async {
        let alive = Shared::new(Counter::new(0));
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let alive = Alive::new(&alive);
                weftwork::spawn(async move {
                    let _alive = alive;
                    yield_now().await;
                    7
                })
            })
            .collect();
        let cancelled: Vec<bool> = tasks.iter().map(weftwork::JoinHandle::cancel).collect();
        for (task, cancelled) in tasks.into_iter().zip(cancelled) {
            match task.await {
                Ok(value) => assert_eq!(value, 7),
                Err(error) => assert!(error.is_cancelled() && cancelled),
            }
        }
        assert_eq!(alive.get(), 0);
    });
}

/// A child that panics cancels its siblings, and its group says so when all have ended.
pub(crate) fn panics() {
    run(async {
        let alive = Shared::new(Counter::new(0));
        let inside = alive.clone();
        let task = weftwork::spawn(async move {
            let ended = weftwork::group(async move |crew| {
                let (one, other) = (Alive::new(&inside), Alive::new(&inside));
                crew.spawn(async move {
                    let _one = one;
                    pending::<()>().await;
                })
                .detach();
                crew.spawn(async move {
                    let _other = other;
                    yield_now().await;
                    planned_panic();
                })
                .detach();
            });
            drop(ended.await);
        });
        assert!(matches!(task.await, Err(weftwork::JoinError::Panicked(_))));
        assert_eq!(alive.get(), 0);
    });
}
