#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! What CPython, trio and anyio hold their own task models to, case by case, by the names that the cases have there. The table in
//! docs/contract.md says which of them other files hold.

mod fixtures;

use fixtures::{Drops, Log, after, cancel_soon, ms, on_virtual_time, sleep};
use std::future::pending;
use weftwork::group::{ChildError, GroupError};
use weftwork::scope::{CancelScope, cancellable, current_scope};
use weftwork::task::yield_now;
use weftwork::time::timeout;
use weftwork::{TaskGroup, TryTaskGroup, group, spawn, try_group};

/// Two children that wait for ever, and are counted as they are dropped.
fn two_that_wait(group: &TryTaskGroup<&'static str>, drops: &Drops) {
    for _ in 0..2 {
        let token = drops.token();
        group
            .spawn(async move {
                let _token = token;
                pending::<()>().await;
                Ok(())
            })
            .detach();
    }
}

#[test]
fn tg_02_late_spawn() {
    on_virtual_time(|clock| async move {
        let ended = group(async |group: TaskGroup| {
            let first = group.spawn(after(100));
            sleep(150).await;
            let second = group.spawn(after(100));
            (first, second)
        });
        let (mut first, mut second) = ended.await.unwrap();
        assert_eq!(
            (first.try_take().unwrap().unwrap(), second.try_take().unwrap().unwrap(), clock.ms()),
            (100, 100, 250)
        );
    });
}

#[test]
fn tg_cancellation() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let host = spawn(async move {
            let _ = group(async move |group: TaskGroup| {
                for _ in 0..5 {
                    let log = theirs.clone();
                    group
                        .spawn(async move {
                            if let Err(cancelled) = cancellable(sleep(1_000)).await {
                                log.put("seen");
                                cancelled.propagate::<()>().await;
                            }
                        })
                        .detach();
                }
                pending::<()>().await;
            })
            .await;
        });
        cancel_soon(&host).await;
        assert!(host.await.unwrap_err().is_cancelled());
        assert_eq!((log.all().len(), clock.ms()), (5, 10));
    });
}

#[test]
fn tg_09_body_error() {
    on_virtual_time(|clock| async move {
        let drops = Drops::default();
        let theirs = drops.clone();
        let error = try_group(async move |group: TryTaskGroup<&str>| {
            two_that_wait(&group, &theirs);
            sleep(100).await;
            Err::<(), _>("body")
        });
        assert_eq!(error.await.unwrap_err().single(), Ok("body"));
        assert_eq!((drops.count(), clock.ms()), (2, 100));
    });
}

#[test]
fn tg_14_inner_child_fails() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let dropped = log.on_drop("outer child");
        let ended = try_group(async move |outer: TryTaskGroup<GroupError<&'static str>>| {
            outer
                .spawn(async move {
                    let _dropped = dropped;
                    sleep(10_000).await;
                    Ok(())
                })
                .detach();
            try_group(async |inner: TryTaskGroup<&'static str>| {
                inner
                    .spawn(async {
                        sleep(100).await;
                        Err::<(), _>("inner")
                    })
                    .detach();
                Ok(())
            })
            .await
        });
        let nested = ended.await.unwrap_err().single().unwrap();
        assert_eq!(nested.single(), Ok("inner"));
        assert_eq!((log.all(), clock.ms()), (vec!["outer child".into()], 100));
    });
}

#[test]
fn tg_cancelling_level_preserved() {
    on_virtual_time(|clock| async move {
        let host = spawn(async {
            let failed = try_group(async |group: TryTaskGroup<u8>| {
                group.spawn(async { Err::<(), _>(1) }).detach();
                pending::<()>().await;
                Ok(())
            });
            assert_eq!(failed.await.unwrap_err().single(), Ok(1));
            assert!(!weftwork::is_cancelled());
            sleep(10).await;
            7
        });
        assert_eq!(host.await.unwrap(), 7);
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn cancel_children_on_child_error() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let theirs = log.clone();
        let error = try_group(async move |group: TryTaskGroup<&str>| {
            for _ in 0..3 {
                group
                    .spawn(async {
                        yield_now().await;
                        Err::<(), _>("same")
                    })
                    .detach();
            }
            group
                .spawn(async {
                    sleep(1_000).await;
                    Ok(())
                })
                .detach();
            if let Err(cancelled) = cancellable(sleep(10_000)).await {
                theirs.put("body");
                cancelled.propagate::<()>().await;
            }
            Ok(())
        });
        let GroupError::Failed(errors) = error.await.unwrap_err() else { panic!("it failed") };
        assert!((1..=3).contains(&errors.len()) && errors.iter().all(|ChildError { error, .. }| *error == "same"));
        assert_eq!(log.all(), ["body"]);
    });
}

#[test]
fn trio_cancel_inheritance() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = group(async move |outer: TaskGroup| {
            for _ in 0..2 {
                let log = theirs.clone();
                outer
                    .spawn(async move {
                        let _ = group(async move |inner: TaskGroup| {
                            for _ in 0..2 {
                                let leaf = log.on_drop("leaf");
                                inner
                                    .spawn(async move {
                                        let _leaf = leaf;
                                        pending::<()>().await;
                                    })
                                    .detach();
                            }
                            pending::<()>().await;
                        })
                        .await;
                    })
                    .detach();
            }
            sleep(10).await;
            outer.cancel();
            pending::<()>().await;
        });
        assert!(ended.await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (4, 10));
    });
}

#[test]
fn trio_locals_dropped_promptly() {
    on_virtual_time(|_| async move {
        let drops = Drops::default();
        let theirs = drops.clone();
        let ended = group(async move |group: TaskGroup| {
            let token = theirs.token();
            let child = group.spawn(async move {
                let _local = token;
                pending::<()>().await;
            });
            sleep(1).await;
            assert!(child.cancel());
        });
        ended.await.unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn trio_level_triggering() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let scope = CancelScope::new();
        let ended = scope.run(async move {
            current_scope().cancel();
            for _ in 0..2 {
                assert!(cancellable(sleep(100)).await.is_err());
                theirs.put("failed");
            }
        });
        // The value is there before anything is pending again.
        assert!(ended.await.is_ok());
        assert_eq!((log.all().len(), clock.ms()), (2, 0));
    });
}

#[test]
fn foreign_error_passes() {
    on_virtual_time(|clock| async move {
        let ended = timeout(ms(100), async {
            sleep(10).await;
            Err::<(), _>("mine")
        });
        assert_eq!((ended.await, clock.ms()), (Ok(Err("mine")), 10));
    });
}

#[test]
fn timeout_taskgroup() {
    on_virtual_time(|clock| async move {
        let ended = timeout(
            ms(10),
            try_group(async |group: TryTaskGroup<u8>| {
                group
                    .spawn(async {
                        let _ = cancellable(pending::<()>()).await;
                        Err::<(), _>(7)
                    })
                    .detach();
                pending::<()>().await;
                Ok(())
            }),
        );
        let failed: Result<(), _> = ended.await.unwrap();
        assert_eq!(failed.unwrap_err().single(), Ok(7));
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn shield_effect() {
    on_virtual_time(|clock| async move {
        let mut inner = spawn(after(100));
        let ended = timeout(ms(10), &mut inner).await;
        assert!(ended.is_err() && !inner.is_finished());
        assert_eq!((inner.await.unwrap(), clock.ms()), (100, 100));
        let mut inner = spawn(pending::<()>());
        assert!(inner.cancel());
        assert!((&mut inner).await.unwrap_err().is_cancelled());
    });
}

#[test]
fn tg_10_body_error_before_children_start() {
    on_virtual_time(|clock| async move {
        let drops = Drops::default();
        let theirs = drops.clone();
        let error = try_group(async move |group: TryTaskGroup<&str>| {
            two_that_wait(&group, &theirs);
            Err::<(), _>("body")
        });
        assert_eq!(error.await.unwrap_err().single(), Ok("body"));
        assert_eq!((drops.count(), clock.ms()), (2, 0));
    });
}

#[test]
fn tg_11_nested() {
    on_virtual_time(|clock| async move {
        let ended = try_group(async |outer: TryTaskGroup<GroupError<u8>>| {
            outer
                .spawn(async {
                    try_group(async |inner: TryTaskGroup<u8>| {
                        for n in 0..5 {
                            inner
                                .spawn(async move {
                                    let _ = cancellable(pending::<()>()).await;
                                    Err::<(), _>(n)
                                })
                                .detach();
                        }
                        // Each of them has begun.
                        sleep(1).await;
                        pending::<()>().await;
                        Ok(())
                    })
                    .await
                })
                .detach();
            sleep(10).await;
            outer.cancel();
            pending::<()>().await;
            Ok(())
        });
        let nested = ended.await.unwrap_err().single().unwrap();
        assert_eq!(nested.iter().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn tg_13_outer_child_fails() {
    on_virtual_time(|clock| async move {
        let ended = try_group(async |outer: TryTaskGroup<&str>| {
            outer
                .spawn(async {
                    sleep(100).await;
                    Err::<(), _>("outer")
                })
                .detach();
            let _ = group(async |inner: TaskGroup| inner.spawn(sleep(10_000)).detach()).await;
            pending::<()>().await;
            Ok(())
        });
        assert_eq!(ended.await.unwrap_err().single(), Ok("outer"));
        assert_eq!(clock.ms(), 100);
    });
}

#[test]
fn trio_child_crash_wakes_parent() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let woken = log.on_drop("body");
        let ended = try_group(async move |group: TryTaskGroup<&str>| {
            let _woken = woken;
            group
                .spawn(async {
                    sleep(10).await;
                    Err::<(), _>("crash")
                })
                .detach();
            pending::<()>().await;
            Ok(())
        });
        assert_eq!(ended.await.unwrap_err().single(), Ok("crash"));
        assert_eq!((log.all(), clock.ms()), (vec!["body".into()], 10));
    });
}
