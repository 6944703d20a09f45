#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Groups at their edges: inside of each other, failing before anything waits, with shielded bodies, with values that nobody takes.

mod fixtures;

use fixtures::{Log, cancel_soon, on_virtual_time, sleep};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use weftwork::group::GroupError;
use weftwork::scope::{cancellable, shield};
use weftwork::task::yield_now;
use weftwork::{JoinError, TaskGroup, TryTaskGroup, group, spawn, try_group};

#[test]
fn the_handle_of_a_child_that_failed_says_so_and_the_group_has_the_error() {
    on_virtual_time(|_| async move {
        let kept = Arc::new(Mutex::new(None));
        let theirs = kept.clone();
        let error = try_group(async move |group: TryTaskGroup<&str>| {
            *theirs.lock().unwrap() = Some(group.spawn(async { Err::<(), _>("boom") }));
            Ok(())
        });
        let Err(GroupError::Failed(errors)) = error.await else { panic!("it failed") };
        let handle = kept.lock().unwrap().take().unwrap();
        assert_eq!(errors[0].task, handle.id());
        assert!(handle.cancel_cause().is_none());
        let id = handle.id();
        assert!(matches!(handle.await, Err(JoinError::Failed(failed)) if failed == id));
    });
}

#[test]
fn the_value_of_a_child_without_a_handle_is_dropped_before_the_group_is_over() {
    on_virtual_time(|_| async move {
        for _ in 0..50 {
            let log = Log::default();
            let theirs = log.clone();
            let ended = group(async move |group: TaskGroup| {
                for _ in 0..4 {
                    let value = theirs.on_drop("dropped");
                    group
                        .spawn(async move {
                            yield_now().await;
                            value
                        })
                        .detach();
                }
            });
            ended.await.unwrap();
            assert_eq!(log.all().len(), 4);
        }
    });
}

#[test]
fn a_group_whose_scope_is_cancelled_ends_as_one_that_is() {
    on_virtual_time(|clock| async move {
        let ended = group(async |group: TaskGroup| {
            group.spawn(sleep(1_000)).detach();
            assert!(group.scope().cancel());
            pending::<()>().await;
        });
        assert!(ended.await.is_err());
        let theirs = group(async |group: TaskGroup| {
            group.spawn(sleep(1_000)).detach();
            let scope = group.scope();
            group.spawn(async move { scope.cancel() }).detach();
        });
        assert_eq!((theirs.await.is_ok(), clock.ms()), (true, 0));
    });
}

#[test]
fn a_child_whose_destructor_panics_ends_the_group_as_one_that_panics() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("in the destructor");
        }
    }
    on_virtual_time(|_| async move {
        let host = spawn(async {
            let ended = group(async |group: TaskGroup| {
                let bad = Bad;
                group
                    .spawn(async move {
                        let _bad = bad;
                        yield_now().await;
                    })
                    .detach();
                pending::<()>().await;
            });
            let _ = ended.await;
        });
        let panic = host.await.unwrap_err().into_panic().unwrap();
        assert_eq!(panic.message(), Some("in the destructor"));
    });
}

#[test]
fn a_hosts_cancellation_reaches_every_child_once_and_the_host_ends_cancelled() {
    on_virtual_time(|clock| async move {
        let seen = Arc::new(AtomicUsize::new(0));
        let theirs = seen.clone();
        let host = spawn(async move {
            let _ = group(async move |group: TaskGroup| {
                for _ in 0..5 {
                    let seen = theirs.clone();
                    group
                        .spawn(async move {
                            if let Err(cancelled) = cancellable(sleep(5_000)).await {
                                seen.fetch_add(1, Ordering::Relaxed);
                                cancelled.propagate::<()>().await;
                            }
                        })
                        .detach();
                }
                sleep(5_000).await;
            })
            .await;
            panic!("it goes on");
        });
        cancel_soon(&host).await;
        assert!(host.await.unwrap_err().is_cancelled());
        assert_eq!((seen.load(Ordering::Relaxed), clock.ms()), (5, 10));
    });
}

#[test]
fn a_body_that_fails_before_any_await_ends_children_that_never_ran() {
    on_virtual_time(|clock| async move {
        let error = try_group(async |group: TryTaskGroup<&str>| {
            group
                .spawn(async {
                    sleep(1_000).await;
                    Ok(())
                })
                .detach();
            Err::<(), _>("body")
        });
        assert_eq!(error.await.unwrap_err().single(), Ok("body"));
        assert_eq!(clock.ms(), 0);
    });
}

#[test]
fn errors_of_nested_groups_stay_nested_and_read_as_a_tree() {
    on_virtual_time(|_| async move {
        let error = try_group(async |outer: TryTaskGroup<GroupError<std::fmt::Error>>| {
            outer
                .spawn(try_group(async |inner: TryTaskGroup<std::fmt::Error>| {
                    for _ in 0..2 {
                        inner
                            .spawn(async {
                                let _ = cancellable(pending::<()>()).await;
                                Err::<(), _>(std::fmt::Error)
                            })
                            .detach();
                    }
                    sleep(10).await;
                    Err::<(), _>(std::fmt::Error)
                }))
                .detach();
            Ok(())
        })
        .await
        .unwrap_err();
        assert_eq!(error.first().unwrap().iter().count(), 3);
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("1 task of the group failed"), "{text}");
        assert!(lines[1].starts_with("- task ") && lines[1].ends_with(": 3 tasks of the group failed"), "{text}");
        assert!(lines[2].starts_with("  - task ") && lines[2].contains("group_edges.rs"), "{text}");
        assert_eq!(lines.len(), 5, "{text}");
    });
}

#[test]
fn when_the_outer_child_fails_the_inner_group_contributes_nothing() {
    on_virtual_time(|clock| async move {
        let error = try_group(async |outer: TryTaskGroup<&str>| {
            outer
                .spawn(async {
                    sleep(100).await;
                    Err::<(), _>("outer child")
                })
                .detach();
            try_group(async |inner: TryTaskGroup<&str>| {
                inner
                    .spawn(async {
                        sleep(10_000).await;
                        Ok(())
                    })
                    .detach();
                Ok(())
            })
            .await
            .map_err(|_| "inner")
        });
        assert_eq!(error.await.unwrap_err().single(), Ok("outer child"));
        assert_eq!(clock.ms(), 100);
    });
}

#[test]
fn children_that_multiply_are_all_ended_by_one_error() {
    fn hydra(
        group: TryTaskGroup<&'static str>,
        heads: Arc<AtomicUsize>,
    ) -> Pin<Box<dyn Future<Output = Result<(), &'static str>> + Send>> {
        Box::pin(async move {
            heads.fetch_add(1, Ordering::Relaxed);
            sleep(10).await;
            for _ in 0..2 {
                group.spawn(hydra(group.clone(), heads.clone())).detach();
            }
            Ok(())
        })
    }
    on_virtual_time(|_| async move {
        let heads = Arc::new(AtomicUsize::new(0));
        let error = try_group(async |group: TryTaskGroup<&'static str>| {
            group.spawn(hydra(group.clone(), heads.clone())).detach();
            while heads.load(Ordering::Relaxed) < 10 {
                sleep(15).await;
            }
            Err::<(), _>("hercules")
        });
        assert_eq!(error.await.unwrap_err().single(), Ok("hercules"));
        assert!(heads.load(Ordering::Relaxed) >= 10);
    });
}

#[test]
fn a_child_that_fails_at_once_wakes_a_body_that_waits_for_ever() {
    on_virtual_time(|clock| async move {
        let error = try_group(async |group: TryTaskGroup<&str>| {
            group.spawn(async { Err::<(), _>("crash") }).detach();
            pending::<()>().await;
            Ok(())
        });
        assert_eq!(error.await.unwrap_err().single(), Ok("crash"));
        assert_eq!(clock.ms(), 0);
    });
}

#[test]
fn cancelling_the_outer_group_reaches_every_leaf_of_the_inner_ones() {
    on_virtual_time(|clock| async move {
        let seen = Arc::new(AtomicUsize::new(0));
        let theirs = seen.clone();
        let ended = group(async move |outer: TaskGroup| {
            for _ in 0..2 {
                let seen = theirs.clone();
                outer
                    .spawn(group(async move |inner: TaskGroup| {
                        for _ in 0..2 {
                            let seen = seen.clone();
                            inner
                                .spawn(async move {
                                    if cancellable(sleep(9_999)).await.is_err() {
                                        seen.fetch_add(1, Ordering::Relaxed);
                                    }
                                })
                                .detach();
                        }
                    }))
                    .detach();
            }
            sleep(10).await;
            outer.cancel();
        });
        ended.await.unwrap();
        assert_eq!((seen.load(Ordering::Relaxed), clock.ms()), (4, 10));
    });
}

#[test]
fn a_shielded_body_does_not_keep_the_children_from_being_cancelled() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = group(async move |group: TaskGroup| {
            let child = theirs.clone();
            group
                .spawn(async move {
                    if cancellable(sleep(1_000)).await.is_err() {
                        child.put("child");
                    }
                })
                .detach();
            sleep(5).await;
            let handle = group.clone();
            shield(async move {
                handle.cancel();
                sleep(50).await;
                theirs.put("body");
            })
            .await;
        });
        ended.await.unwrap();
        assert_eq!((log.all(), clock.ms()), (vec!["child".into(), "body".into()], 55));
    });
}

#[test]
fn a_group_handed_to_a_plain_task_takes_children_until_it_ends() {
    on_virtual_time(|clock| async move {
        let ended = group(async |group: TaskGroup| {
            let theirs = group.clone();
            let stranger = spawn(async move {
                sleep(5).await;
                theirs.spawn(sleep(20)).detach();
            });
            stranger.await.unwrap();
        });
        ended.await.unwrap();
        assert_eq!(clock.ms(), 25);
    });
}
