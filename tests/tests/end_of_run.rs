#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! The end of a run: who is cancelled, what may still run, who is waited for and for how long, and what is said of the rest.

mod fixtures;

use fixtures::{Drops, Log, Reports, again_and_again, both_flavors, gate, two_workers};
use std::future::pending;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use weftwork::group::group;
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::scope::{cancellable, cleanup, finally, on_cancel, shield};
use weftwork::sync::oneshot;
use weftwork::task::{self, CancelKind, yield_now};
use weftwork::testing::ManualClock;
use weftwork::time::{Duration, Instant, sleep};
use weftwork::{JoinHandle, JoinSet, spawn, spawn_local, to_thread};

/// Longer than any test: a wind-down that misses the end of a task hangs.
const LONG: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Runs a main future on both flavours on a clock of their own, and checks what is left afterwards.
fn at_the_end<F: Future<Output = ()>>(
    grace: Duration,
    main: impl Fn(Log) -> F,
    after: impl Fn(Vec<String>, u64, &Reports),
) {
    both_flavors(|builder| {
        let (clock, log, reports) = (ManualClock::new(), Log::default(), Reports::default());
        let start = clock.now();
        builder.clock(&clock).shutdown_grace(grace).on_unhandled(reports.hook()).run(main(log.clone())).unwrap();
        let ms = u64::try_from(clock.now().duration_since(start).as_millis()).unwrap();
        after(log.all(), ms, &reports);
    });
}

/// Spawns a task and lets it get to its first wait.
async fn begun<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let (begin, has_begun) = oneshot::channel();
    let task = spawn(async move {
        begin.send(()).unwrap();
        future.await
    });
    has_begun.await.unwrap();
    task
}

#[test]
fn rule_30_a_task_that_was_let_go_is_cancelled_and_its_clean_up_awaited() {
    at_the_end(
        LONG,
        |log| async move {
            let task = async move {
                let _dropped = log.on_drop("dropped");
                let cancelled = cancellable(pending::<()>()).await.unwrap_err();
                assert_eq!(cancelled.cause().kind, CancelKind::Shutdown);
                assert!(cancelled.cause().at.file().ends_with("end_of_run.rs"), "{}", cancelled.cause());
                log.put("begins");
                cleanup(LONG, sleep(2 * SECOND)).await.unwrap();
                log.put("cleaned");
                cancelled.propagate::<()>().await;
            };
            begun(task).await.detach();
        },
        |log, ms, reports| {
            assert_eq!(log, ["begins", "cleaned", "dropped"]);
            assert_eq!(ms, 2_000, "it ends as soon as the tasks have");
            assert!(reports.all().is_empty());
        },
    );
}

#[test]
fn rule_30_the_handle_of_such_a_task_says_why_or_has_its_value() {
    both_flavors(|builder| {
        let (cancelled, kept) = builder
            .run(async {
                let kept = on_cancel(pending::<u8>(), SECOND, async |_| ());
                let value = async { cancellable(pending::<u8>()).await.unwrap_or(7) };
                drop(kept);
                (begun(pending::<()>()).await, begun(value).await)
            })
            .unwrap();
        let cause = futures::executor::block_on(cancelled).unwrap_err().cancel_cause().cloned().unwrap();
        assert_eq!(cause.kind, CancelKind::Shutdown);
        assert_eq!(futures::executor::block_on(kept).unwrap(), 7);
    });
}

#[test]
fn rule_30_what_outlasts_the_grace_is_dropped_and_named() {
    let line = Arc::new(AtomicUsize::new(0));
    at_the_end(
        3 * SECOND,
        |log| {
            let line = line.clone();
            async move {
                let held = log.on_drop("held");
                let stubborn = async move {
                    let _held = held;
                    shield(shield(pending::<()>())).await;
                };
                line.store(line!() as usize + 1, Ordering::SeqCst);
                task::Builder::new().name("stubborn").spawn(stubborn).unwrap().detach();
                begun(async move { finally(pending::<()>(), LONG, async || log.put("good")).await }).await.detach();
            }
        },
        |log, ms, reports| {
            assert_eq!(log, ["good", "held"]);
            assert_eq!(ms, 3_000);
            let all = reports.all();
            assert_eq!(all.len(), 1, "{all:?}");
            assert_eq!((all[0].kind, all[0].name.as_deref()), (UnhandledKind::CutOff, Some("stubborn")));
            let (file, at) = all[0].spawned_at.unwrap();
            assert!(file.ends_with("end_of_run.rs"));
            assert_eq!(at as usize, line.load(Ordering::SeqCst));
        },
    );
}

#[test]
fn rule_30_a_task_that_goes_on_in_spite_of_every_cancellation_is_cut_off() {
    at_the_end(
        SECOND,
        |log| async move {
            let stubborn = async move {
                let _held = log.on_drop("held");
                loop {
                    let _ = cancellable(pending::<()>()).await;
                    let _ = cleanup(LONG, sleep(SECOND / 4)).await;
                }
            };
            begun(stubborn).await.detach();
        },
        |log, ms, reports| {
            assert_eq!((log, ms), (vec!["held".to_owned()], 1_000));
            assert_eq!(reports.of(UnhandledKind::CutOff).len(), 1);
        },
    );
}

#[test]
fn rule_30_a_task_that_is_spawned_meanwhile_is_born_cancelled() {
    at_the_end(
        LONG,
        |log| async move {
            let task = finally(pending::<()>(), LONG, async move || {
                let captured = log.on_drop("dropped");
                let late = spawn(async move {
                    let _captured = captured;
                    unreachable!("it never runs");
                });
                let error = late.await.unwrap_err();
                log.put(format!("{:?}", error.cancel_cause().unwrap().kind));
                let from_outside = weftwork::Handle::current();
                let outside = to_thread(move || from_outside.spawn(pending::<()>())).await.unwrap();
                assert!(outside.await.unwrap_err().is_cancelled());
            });
            begun(task).await.detach();
        },
        |log, ms, reports| {
            assert_eq!(log, ["dropped", "Shutdown"]);
            assert_eq!(ms, 0);
            assert!(reports.all().is_empty(), "{:?}", reports.all());
        },
    );
}

#[test]
fn rule_30_the_children_of_a_group_inside_of_a_clean_up_run() {
    at_the_end(
        LONG,
        |log| async move {
            let task = finally(pending::<()>(), LONG, async move || {
                let closed = group(async |group| {
                    let tasks: Vec<_> = (0..3)
                        .map(|n| {
                            group.spawn(async move {
                                sleep(SECOND).await;
                                n
                            })
                        })
                        .collect();
                    let mut sum = 0;
                    for task in tasks {
                        sum += task.await.unwrap();
                    }
                    sum
                });
                log.put(closed.await.unwrap().to_string());
            });
            begun(task).await.detach();
        },
        |log, ms, _| assert_eq!((log, ms), (vec!["3".to_owned()], 1_000)),
    );
}

#[test]
fn rule_30_the_children_of_a_group_inside_of_a_shield_are_left_to_it() {
    at_the_end(
        LONG,
        |log| async move {
            let (inside, is_inside) = oneshot::channel();
            let committed = shield(async move {
                let child = |group: &weftwork::TaskGroup| group.spawn(sleep(SECOND));
                group(async |group| {
                    let child = child(&group);
                    inside.send(()).unwrap();
                    child.await.unwrap();
                })
                .await
                .unwrap();
                log.put("committed");
            });
            spawn(committed).detach();
            is_inside.await.unwrap();
        },
        |log, ms, _| assert_eq!((log, ms), (vec!["committed".to_owned()], 1_000)),
    );
}

#[test]
fn rule_30_a_group_ends_with_the_task_that_hosts_it() {
    at_the_end(
        LONG,
        |log| async move {
            let host = async move {
                group(async |group| {
                    for n in 0..3 {
                        let log = log.clone();
                        group.spawn(finally(pending::<()>(), LONG, async move || log.put(n.to_string()))).detach();
                    }
                    pending::<()>().await;
                })
                .await
            };
            begun(host).await.detach();
            yield_now().await;
            weftwork::testing::settle().await;
        },
        |mut log, ms, _| {
            log.sort();
            assert_eq!((log.concat(), ms), ("012".to_owned(), 0));
        },
    );
}

#[test]
fn rule_30_children_whose_group_no_task_hosts_are_cancelled_too() {
    let reports = Reports::default();
    let (cleaned, clean) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let mut thread = None;
    two_workers()
        .shutdown_grace(LONG)
        .on_unhandled(reports.hook())
        .run(async {
            let handle = weftwork::Handle::current();
            let (begin, has_begun) = oneshot::channel();
            thread = Some(thread::spawn(move || {
                let ended = handle.block_on(group(async |group| {
                    group
                        .spawn(finally(
                            async move {
                                begin.send(()).unwrap();
                                pending::<()>().await;
                            },
                            LONG,
                            async move || cleaned.send(()).unwrap(),
                        ))
                        .await
                        .is_err()
                }));
                tell.send(ended.unwrap()).unwrap();
            }));
            has_begun.await.unwrap();
            let mut set = JoinSet::new();
            set.spawn(pending::<()>());
            std::mem::forget(set);
        })
        .unwrap();
    clean.recv().unwrap();
    assert!(told.recv().unwrap(), "its child was cancelled");
    thread.unwrap().join().unwrap();
    assert!(reports.all().is_empty(), "{:?}", reports.all());
}

#[test]
fn rule_30_local_tasks_clean_up_at_home() {
    let log = Log::default();
    Builder::new_current_thread()
        .shutdown_grace(LONG)
        .run(async {
            let (log, home) = (log.clone(), thread::current().id());
            let local = std::rc::Rc::new(());
            spawn_local(async move {
                let _local = local;
                let _ = cancellable(pending::<()>()).await;
                cleanup(LONG, yield_now()).await.unwrap();
                assert_eq!(thread::current().id(), home);
                log.put("clean");
            })
            .detach();
            yield_now().await;
        })
        .unwrap();
    assert_eq!(log.all(), ["clean"]);
}

#[test]
fn rule_30_a_blocked_worker_is_in_nobodys_way() {
    let reports = Reports::default();
    let builder = two_workers().shutdown_grace(LONG).slow_poll(LONG).on_unhandled(reports.hook());
    let runtime = builder.build().unwrap();
    let (opener, gate) = gate();
    let (inside, is_inside) = oneshot::channel();
    let blocked = runtime.spawn(async move {
        inside.send(()).unwrap();
        gate.wait();
        5
    });
    runtime.block_on(async {
        is_inside.await.unwrap();
        begun(finally(pending::<()>(), LONG, async move || opener.open())).await.detach();
    });
    runtime.shutdown().unwrap();
    assert_eq!(futures::executor::block_on(blocked).unwrap(), 5, "its value was ready");
    assert!(reports.all().is_empty(), "{:?}", reports.all());
}

#[test]
fn rule_30_a_panic_in_a_clean_up_is_reported_once_and_the_others_clean_up() {
    at_the_end(
        LONG,
        |log| async move {
            for n in 0..5 {
                let log = log.clone();
                begun(finally(pending::<()>(), LONG, async move || {
                    sleep(SECOND).await;
                    assert_ne!(n, 2, "in the clean-up");
                    log.put(n.to_string());
                }))
                .await
                .detach();
            }
        },
        |mut log, ms, reports| {
            log.sort();
            assert_eq!((log.concat(), ms), ("0134".to_owned(), 1_000));
            let all = reports.of(UnhandledKind::TaskPanicked);
            assert_eq!(all.len(), 1, "{all:?}");
            assert!(all[0].message.as_ref().unwrap().contains("in the clean-up"));
        },
    );
}

#[test]
fn rule_30_after_a_panic_of_the_main_future_the_tasks_clean_up_all_the_same() {
    both_flavors(|builder| {
        let log = Log::default();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            builder.shutdown_grace(LONG).run(async {
                let log = log.clone();
                begun(finally(pending::<()>(), LONG, async move || log.put("clean"))).await.detach();
                panic!("in main");
            })
        }));
        assert_eq!(*ended.unwrap_err().downcast::<&str>().unwrap(), "in main");
        assert_eq!(log.all(), ["clean"]);
    });
}

#[test]
fn rule_30_a_clean_up_may_use_all_of_the_runtime() {
    both_flavors(|builder| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut word = String::new();
            stream.read_to_string(&mut word).unwrap();
            word
        });
        builder
            .shutdown_grace(LONG)
            .run(async {
                begun(finally(pending::<()>(), LONG, async move || {
                    let stream = weftwork::net::TcpStream::connect(address).await.unwrap();
                    stream.write_all(b"good").await.unwrap();
                    sleep(Duration::from_millis(1)).await;
                    to_thread(|| ()).await.unwrap();
                    stream.write_all(b"bye").await.unwrap();
                }))
                .await
                .detach();
            })
            .unwrap();
        assert_eq!(peer.join().unwrap(), "goodbye");
    });
}

#[test]
fn without_a_grace_tasks_are_dropped_where_they_wait() {
    at_the_end(
        Duration::ZERO,
        |log| async move {
            let held = log.on_drop("dropped");
            let task = async move {
                let _held = held;
                let _ = cancellable(pending::<()>()).await;
                log.put("went on");
            };
            begun(task).await.detach();
        },
        |log, ms, reports| {
            assert_eq!((log, ms), (vec!["dropped".to_owned()], 0));
            assert!(reports.all().is_empty());
        },
    );
}

#[test]
fn a_runtime_that_goes_on_cancels_nobody_when_block_on_returns() {
    both_flavors(|builder| {
        let runtime = builder.build().unwrap();
        let (open, opened) = oneshot::channel();
        let task = runtime.block_on(begun(async move {
            opened.await.unwrap();
            5
        }));
        runtime.block_on(yield_now());
        open.send(()).unwrap();
        assert_eq!(runtime.block_on(task).unwrap(), 5);
    });
}

#[test]
fn a_runtime_that_is_shut_down_in_order_has_its_tasks_clean_up() {
    both_flavors(|builder| {
        let log = Log::default();
        let runtime = builder.shutdown_grace(LONG).build().unwrap();
        let theirs = log.clone();
        let task = finally(pending::<()>(), LONG, async move || {
            sleep(Duration::from_millis(1)).await;
            theirs.put("clean");
        });
        runtime.block_on(begun(task)).detach();
        runtime.shutdown().unwrap();
        assert_eq!(log.all(), ["clean"]);
    });
}

#[test]
fn what_a_shutdown_in_order_had_to_cut_off_is_named_by_its_error() {
    both_flavors(|builder| {
        let (clock, drops, reports) = (ManualClock::new(), Drops::default(), Reports::default());
        let builder = builder.clock(&clock).shutdown_grace(SECOND).on_unhandled(reports.hook());
        let runtime = builder.build().unwrap();
        let token = drops.token();
        let (begin, has_begun) = oneshot::channel();
        runtime.block_on(async {
            let stubborn = shield(async move {
                let _token = token;
                begin.send(()).unwrap();
                pending::<()>().await;
            });
            task::Builder::new().name("stubborn").spawn(stubborn).unwrap().detach();
            has_begun.await.unwrap();
        });
        let before = clock.now();
        let error = runtime.shutdown().unwrap_err();
        assert_eq!(clock.now(), before + SECOND);
        assert_eq!(drops.count(), 1);
        assert!(error.tasks.is_empty() && error.blocking.is_empty());
        assert_eq!(error.cut_off[0].name.as_deref(), Some("stubborn"));
        let text = error.to_string();
        assert!(text.contains("cut off 1 task") && text.contains("\"stubborn\""), "{text}");
        assert!(text.contains("end_of_run.rs:"), "{text}");
        assert_eq!(reports.of(UnhandledKind::CutOff).len(), 1);
    });
}

#[test]
fn a_task_inside_of_a_poll_when_everything_is_over_is_named_once() {
    let (opener, gate) = gate();
    let reports = Reports::default();
    let clock = ManualClock::new();
    let builder = two_workers().clock(&clock).watchdog(false).shutdown_grace(SECOND).on_unhandled(reports.hook());
    let runtime = builder.build().unwrap();
    let (inside, is_inside) = mpsc::channel();
    runtime
        .spawn(async move {
            inside.send(()).unwrap();
            gate.wait();
        })
        .detach();
    is_inside.recv().unwrap();
    // The clock stands still while a worker is busy, so somebody has to move it.
    let ended = thread::spawn(move || runtime.shutdown());
    let mover = clock.clone();
    let until = clock.now() + SECOND;
    while reports.all().is_empty() && !ended.is_finished() {
        if mover.now() < until {
            mover.advance(SECOND);
        }
        thread::yield_now();
        if mover.now() >= until {
            opener.open();
        }
    }
    let named = match ended.join().unwrap() {
        Ok(()) => 0,
        Err(error) => error.tasks.len() + error.cut_off.len(),
    };
    assert_eq!(named, reports.all().len());
    assert!(named <= 1);
}

#[test]
fn no_end_of_a_task_is_missed() {
    // Tasks of all kinds, that end at all moments: a wind-down that misses one waits for an hour.
    again_and_again(200, |round| {
        for builder in [Builder::new_current_thread(), two_workers()] {
            let (drops, cleaned) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
            let reports = Reports::default();
            builder
                .shutdown_grace(LONG)
                .on_unhandled(reports.hook())
                .run(async {
                    for n in 0..40_usize {
                        let (token, cleaned) = (drops.token(), cleaned.clone());
                        let task = async move {
                            let _token = token;
                            match n % 5 {
                                0 => pending().await,
                                1 => {
                                    for _ in 0..n * 3 {
                                        yield_now().await;
                                    }
                                }
                                2 => sleep(Duration::from_micros(n as u64 * 7)).await,
                                3 => {
                                    let _ = group(async |group| {
                                        group.spawn(yield_now()).detach();
                                        group.spawn(pending::<()>()).detach();
                                    })
                                    .await;
                                }
                                _ => {
                                    let _ = cancellable(pending::<()>()).await;
                                    let _ = cleanup(LONG, yield_now()).await;
                                    cleaned.fetch_add(1, Ordering::SeqCst);
                                }
                            }
                        };
                        spawn(task).detach();
                    }
                    for _ in 0..round % 7 {
                        yield_now().await;
                    }
                })
                .unwrap();
            assert_eq!(drops.count(), 40);
            assert!(cleaned.load(Ordering::SeqCst) <= 8);
            assert!(reports.all().is_empty(), "{:?}", reports.all());
        }
    });
}

#[test]
fn a_run_with_nothing_left_waits_for_nothing() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        let start: Instant = clock.now();
        assert_eq!(builder.clock(&clock).run(async { spawn(async { 5 }).await.unwrap() }).unwrap(), 5);
        assert_eq!(clock.now(), start);
    });
}

#[test]
fn the_end_of_a_peer_is_seen_before_the_grace_is_over() {
    // The peer's thread writes, the clean-up reads: what wakes it comes from outside.
    both_flavors(|builder| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            stream.write_all(&byte).unwrap();
        });
        let log = Log::default();
        let theirs = log.clone();
        builder
            .shutdown_grace(LONG)
            .run(async {
                let stream = weftwork::net::TcpStream::connect(address).await.unwrap();
                begun(finally(pending::<()>(), LONG, async move || {
                    stream.write_all(b"x").await.unwrap();
                    let mut byte = [0];
                    stream.read_exact(&mut byte).await.unwrap();
                    theirs.put("answered");
                }))
                .await
                .detach();
            })
            .unwrap();
        peer.join().unwrap();
        assert_eq!(log.all(), ["answered"]);
    });
}
