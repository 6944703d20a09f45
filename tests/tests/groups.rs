#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Structured concurrency: no task outlives its group. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Log, Reports, cancel_soon, cleans_up, ms, on_virtual_time, on_virtual_time_with, runs, sleep};
use futures::future::poll_fn;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use weftwork::group::Closed;
use weftwork::runtime::UnhandledKind;
use weftwork::scope::{cancellable, effective_deadline, shield};
use weftwork::task::{CancelKind, yield_now};
use weftwork::time::{Instant, timeout};
use weftwork::{TaskGroup, TryTaskGroup, group, spawn, try_group};

#[test]
fn handles_hold_the_values_when_the_group_has_ended() {
    on_virtual_time(|clock| async move {
        let handles = group(async |group| {
            let first = group.spawn(async {
                sleep(100).await;
                42
            });
            let second = group.spawn(async {
                sleep(200).await;
                11
            });
            (first, second)
        });
        let (mut first, mut second) = handles.await.unwrap();
        assert_eq!(clock.ms(), 200);
        assert_eq!((first.try_take().unwrap().unwrap(), second.try_take().unwrap().unwrap()), (42, 11));
    });
}

#[test]
fn rule_18_values_are_in_the_order_of_spawning_whoever_ends_first() {
    on_virtual_time(|_| async move {
        let handles = group(async |group| {
            (0..5)
                .map(|n| {
                    group.spawn(async move {
                        sleep(50 - 10 * n).await;
                        n
                    })
                })
                .collect::<Vec<_>>()
        });
        let values: Vec<_> = handles.await.unwrap().iter_mut().map(|h| h.try_take().unwrap().unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_child_spawned_late_is_waited_for() {
    on_virtual_time(|clock| async move {
        let done = group(async |group| {
            group.spawn(sleep(100)).detach();
            sleep(150).await;
            group.spawn(sleep(200)).detach();
        });
        done.await.unwrap();
        assert_eq!(clock.ms(), 350);
    });
}

#[test]
fn rule_19_the_first_error_cancels_siblings_and_body_and_the_group_returns_after_the_last_cleanup() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let error = try_group(async move |group: TryTaskGroup<&str>| {
            let tidy = theirs.clone();
            group
                .spawn(async move {
                    cleans_up(tidy, 30).await;
                    Ok(())
                })
                .detach();
            group
                .spawn(async {
                    sleep(100).await;
                    Err::<(), _>("boom")
                })
                .detach();
            sleep(1_000).await;
            theirs.put("never");
            Ok(())
        })
        .await
        .unwrap_err();
        assert_eq!(error.single(), Ok("boom"));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 30".into()], 130));
    });
}

#[test]
fn rule_29_a_cancel_of_a_group_that_has_ended_is_refused() {
    on_virtual_time(|_| async move {
        let ended = group(async |group| group).await.unwrap();
        assert!(!ended.cancel() && !ended.scope().cancel() && !ended.scope().cancel_called());
    });
}

#[test]
fn rule_20_errors_of_the_unwinding_are_collected_in_the_order_of_spawning() {
    on_virtual_time(|_| async move {
        let error = try_group(async |group: TryTaskGroup<u32>| {
            for n in 0..3 {
                group
                    .spawn(async move {
                        let _ = cancellable(sleep(10_000)).await;
                        Err::<(), _>(n)
                    })
                    .detach();
            }
            group
                .spawn(async {
                    sleep(10).await;
                    Err::<(), _>(3)
                })
                .detach();
            let _ = cancellable(pending::<()>()).await;
            Err::<(), _>(4)
        })
        .await
        .unwrap_err();
        assert_eq!(error.iter().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(error.first(), Some(&0));
        let (even, odd) = error.split(|n| n % 2 == 0);
        assert_eq!((even.unwrap().iter().count(), odd.unwrap().iter().count()), (3, 2));
    });
}

#[test]
fn rule_21_cancelled_from_outside_the_children_finish_their_cleanup_before_the_timeout_returns() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = timeout(
            ms(10),
            group(async move |group| {
                group.spawn(cleans_up(theirs, 40)).detach();
                pending::<()>().await;
            }),
        );
        assert!(ended.await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 40".into()], 50));
    });
}

#[test]
fn rule_22_with_a_childs_error_and_an_outside_cancellation_the_error_comes_and_the_next_await_is_cancelled() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            let error = try_group(async |group: TryTaskGroup<u8>| {
                group
                    .spawn(async {
                        let _ = cancellable(pending::<()>()).await;
                        Err::<(), _>(1)
                    })
                    .detach();
                pending::<()>().await;
                Ok(())
            })
            .await;
            theirs.put(format!("{:?}", error.unwrap_err().single()));
            yield_now().await;
            theirs.put("never");
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(log.all(), ["Ok(1)"]);
    });
}

#[test]
fn rule_23_a_child_of_a_cancelled_group_is_born_cancelled_and_one_of_a_finished_group_too() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let kept = Arc::new(Mutex::new(None));
        let (theirs, keep) = (log.clone(), kept.clone());
        let cause = group(async move |group: TaskGroup| {
            *keep.lock().unwrap() = Some(group.clone());
            assert!(group.cancel() && !group.cancel());
            let token = theirs.on_drop("born cancelled");
            let child = group.spawn(async move {
                let _token = token;
                panic!("it runs");
            });
            shield(async { assert!(child.await.unwrap_err().is_cancelled()) }).await;
            yield_now().await;
        });
        assert_eq!(cause.await.unwrap_err().kind, CancelKind::Explicit);
        let group = kept.lock().unwrap().take().unwrap();
        let token = log.on_drop("too late");
        let late = group.spawn(async move { drop(token) });
        assert_eq!(late.await.unwrap_err().cancel_cause().unwrap().kind, CancelKind::GroupClosed);
        let token = log.on_drop("refused");
        let refused = group.try_spawn(async move { drop(token) });
        assert!(matches!(refused, Err(Closed { .. })) && group.is_empty());
        assert_eq!(log.all(), ["born cancelled", "too late", "refused"]);
    });
}

#[test]
fn rule_24_a_child_may_spawn_siblings_and_the_group_stays_open_for_them() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = group(async move |group: TaskGroup| {
            let inner = group.clone();
            group
                .spawn(async move {
                    sleep(10).await;
                    for n in 1..3 {
                        let theirs = theirs.clone();
                        inner
                            .spawn(async move {
                                sleep(n * 10).await;
                                theirs.put(format!("sibling {n}"));
                            })
                            .detach();
                    }
                })
                .detach();
        });
        ended.await.unwrap();
        assert_eq!((log.all(), clock.ms()), (vec!["sibling 1".into(), "sibling 2".into()], 30));
    });
}

#[test]
fn rule_25_a_child_that_cancels_its_group_ends_it_and_a_value_that_the_body_gave_stays() {
    on_virtual_time(|clock| async move {
        let by_child = |waits: bool| {
            group(async move |group: TaskGroup| {
                let theirs = group.clone();
                group
                    .spawn(async move {
                        sleep(10).await;
                        theirs.cancel()
                    })
                    .detach();
                group.spawn(pending::<()>()).detach();
                if waits {
                    pending::<()>().await;
                }
                7
            })
        };
        assert_eq!(by_child(true).await.unwrap_err().kind, CancelKind::Explicit);
        assert_eq!(by_child(false).await, Ok(7));
        assert_eq!(clock.ms(), 20);
        yield_now().await;
    });
}

#[test]
fn rule_26_a_childs_panic_cancels_the_others_and_goes_on_in_the_host_after_all_have_ended() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let host = spawn(async move {
            let _ = try_group(async move |group: TryTaskGroup<&str>| {
                group
                    .spawn(async move {
                        cleans_up(theirs, 20).await;
                        Ok(())
                    })
                    .detach();
                group
                    .spawn(async {
                        let _ = cancellable(pending::<()>()).await;
                        Err::<(), _>("beaten by the panic")
                    })
                    .detach();
                group
                    .spawn(async {
                        sleep(10).await;
                        panic!("boom") as Result<(), _>
                    })
                    .detach();
                Ok(())
            })
            .await;
        });
        let panic = host.await.unwrap_err().into_panic().unwrap();
        assert_eq!(panic.message(), Some("boom"));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into()], 30));
    });
}

#[test]
fn rule_26_a_panic_of_the_body_goes_on_after_the_children_have_ended() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let host = spawn(async move {
            let _ = group(async move |group: TaskGroup| {
                group.spawn(cleans_up(theirs, 20)).detach();
                sleep(10).await;
                panic!("body");
            })
            .await;
        });
        assert_eq!(host.await.unwrap_err().into_panic().unwrap().message(), Some("body"));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 20".into()], 30));
    });
}

#[test]
fn rule_27_a_group_dropped_by_foreign_code_cancels_its_children_and_the_hosts_handle_waits_for_them() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let host = spawn(async move {
            let mut running = Box::pin(group(async move |group: TaskGroup| {
                group.spawn(cleans_up(theirs, 30)).detach();
                pending::<()>().await;
            }));
            poll_fn(|cx| Poll::Ready(running.as_mut().poll(cx).is_pending())).await;
            sleep(10).await;
            drop(running);
            5
        });
        assert_eq!(host.await.unwrap(), 5);
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 30".into()], 40));
    });
}

#[test]
fn rule_27_also_when_the_host_is_cancelled_or_panics() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        for panics in [false, true] {
            let theirs = log.clone();
            let host = spawn(async move {
                let mut running = Box::pin(group(async move |group: TaskGroup| {
                    group.spawn(cleans_up(theirs, 30)).detach();
                    pending::<()>().await;
                }));
                poll_fn(|cx| Poll::Ready(running.as_mut().poll(cx).is_pending())).await;
                sleep(10).await;
                assert!(!panics, "by intention");
                drop(running);
                pending::<()>().await;
            });
            sleep(15).await;
            host.cancel();
            assert_eq!(host.await.unwrap_err().is_panic(), panics);
        }
        assert_eq!(log.all(), ["cleaned after 30", "cleaned after 30"]);
        assert_eq!(clock.ms(), 80);
    });
}

#[test]
fn rule_32_one_child_cancelled_by_its_handle_leaves_the_others_alone() {
    on_virtual_time(|clock| async move {
        let second = group(async |group| {
            let first = group.spawn(sleep(1_000));
            let second = group.spawn(async {
                sleep(30).await;
                2
            });
            sleep(10).await;
            first.cancel();
            second
        });
        assert_eq!(second.await.unwrap().await.unwrap(), 2);
        assert_eq!(clock.ms(), 30);
    });
}

#[test]
fn rule_36_an_outer_deadline_that_passes_while_a_cancelled_group_cleans_up_is_reported() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = timeout(
            ms(500),
            group(async move |group: TaskGroup| {
                group.spawn(cleans_up(theirs, 1_000)).detach();
                sleep(100).await;
                group.cancel();
                sleep(1).await;
            }),
        );
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 1_100);
    });
}

#[test]
fn rule_38_a_child_sees_the_deadline_around_its_group_and_not_the_spawners() {
    on_virtual_time(|_| async move {
        let start = Instant::now();
        let seen = timeout(
            ms(100),
            group(async |group: TaskGroup| {
                let child = timeout(ms(10), async { group.spawn(async { effective_deadline() }) }).await.unwrap();
                child.await.unwrap()
            }),
        );
        assert_eq!(seen.await.unwrap().unwrap(), Some(start + ms(100)));
    });
}

#[test]
fn rule_41_a_group_keeps_nothing_of_a_finished_child_whose_handle_was_dropped() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = group(async move |group: TaskGroup| {
            for _ in 0..100 {
                group.spawn(yield_now()).detach();
            }
            let token = theirs.on_drop("dropped");
            group.spawn(async move { drop(token) }).detach();
            sleep(1).await;
            assert_eq!((group.len(), group.handles().len(), theirs.all().len()), (0, 0, 1));
            let line = line!() + 1;
            let waits = group.spawn(pending::<()>());
            let known = group.handles();
            assert_eq!((known.len(), known[0].id, known[0].spawned_at.line()), (1, waits.id(), line));
            group.cancel();
        });
        ended.await.unwrap();
    });
}

#[test]
fn rule_42_an_isolated_childs_error_or_panic_is_reported_once_and_the_others_live_on() {
    let reports = Reports::default();
    let hook = reports.clone();
    on_virtual_time_with(
        move |builder| builder.on_unhandled(hook.hook()),
        |clock| async move {
            let ended = try_group(async |group: TryTaskGroup<String>| {
                let failed = group.spawn_isolated(async { Err::<(), _>("bad".to_owned()) });
                let panicked = group.spawn_isolated(async { panic!("worse") as Result<(), String> });
                assert_eq!((failed.await.unwrap(), panicked.await.unwrap()), (None, None));
                let fine = group.spawn_isolated(async {
                    sleep(10).await;
                    Ok(3)
                });
                Ok(fine.await.unwrap())
            });
            assert_eq!((ended.await.unwrap(), clock.ms()), (Some(3), 10));
        },
    );
    let text = |kind| reports.of(kind).iter().map(|report| report.message.clone().unwrap()).collect::<Vec<_>>();
    assert_eq!(text(UnhandledKind::TaskFailed), vec!["\"bad\""; runs()], "once in each run");
    assert_eq!(text(UnhandledKind::TaskPanicked), vec!["worse"; runs()]);
}

#[test]
fn rule_43_draining_waits_for_a_grace_then_cancels_and_awaits_the_cleanup() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let drained = group(async move |group: TaskGroup| {
            for n in 1..=3 {
                group.spawn(sleep(n * 10)).detach();
            }
            group.spawn(cleans_up(theirs, 50)).detach();
            let drained = group.drain(ms(25)).await;
            assert!(group.try_spawn(async {}).is_err());
            drained
        });
        let drained = drained.await.unwrap();
        assert_eq!((drained.finished, drained.cancelled), (2, 2));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 50".into()], 75));
    });
}
