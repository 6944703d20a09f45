#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Children that say when they are ready, and resources that are closed however the body ends.

mod fixtures;

use fixtures::{Drops, Log, ms, on_virtual_time, sleep};
use std::future::pending;
use weftwork::group::{StartError, Started};
use weftwork::scope::{cancellable, cleanup, with_resource};
use weftwork::time::timeout;
use weftwork::{TaskGroup, TryTaskGroup, group, select, spawn, try_group};

#[test]
fn trio_nursery_start_returns_what_the_child_says_after_exactly_its_setup() {
    on_virtual_time(|clock| async move {
        let ended = try_group(async |group: TryTaskGroup<&str>| {
            let child = async |started: Started<u32>| {
                sleep(30).await;
                started.set(7);
                sleep(50).await;
                Ok("end")
            };
            let (value, handle) = group.start(child).await.unwrap();
            assert_eq!((value, clock.ms()), (7, 30));
            Ok(handle.await.unwrap())
        });
        assert_eq!((ended.await, clock.ms()), (Ok("end"), 80));
    });
}

#[test]
fn trio_nursery_start_gives_an_error_of_the_setup_as_it_is_and_the_group_lives_on() {
    on_virtual_time(|clock| async move {
        let ended = try_group(async |group: TryTaskGroup<&str>| {
            let sibling = group.spawn(async {
                sleep(50).await;
                Ok(1)
            });
            let child = async |_started: Started<()>| {
                sleep(10).await;
                Err::<(), _>("no port")
            };
            assert!(matches!(group.start(child).await, Err(StartError::Failed("no port"))));
            assert_eq!(clock.ms(), 10);
            Ok(sibling.await.unwrap())
        });
        assert_eq!((ended.await, clock.ms()), (Ok(1), 50));
    });
}

#[test]
fn trio_nursery_start_of_a_child_that_ends_without_a_word_is_an_error() {
    on_virtual_time(|clock| async move {
        let ended = group(async |group: TaskGroup| {
            let silent = async |_started: Started<u8>| sleep(10).await;
            assert!(matches!(group.start(silent).await, Err(StartError::NotStarted)));
            let drops = async |started: Started<u8>| {
                drop(started);
                sleep(10).await;
            };
            assert!(matches!(group.start(drops).await, Err(StartError::NotStarted)));
            3
        });
        assert_eq!((ended.await, clock.ms()), (Ok(3), 20));
    });
}

#[test]
fn trio_nursery_start_on_a_group_that_has_ended_fails_at_once_and_calls_nothing() {
    on_virtual_time(|_| async move {
        let ended = group(async |group| group).await.unwrap();
        let called = std::cell::Cell::new(false);
        let start = ended.start(|_started: Started<()>| {
            called.set(true);
            async {}
        });
        let refused = matches!(futures::FutureExt::now_or_never(start), Some(Err(StartError::Closed)));
        assert!(refused && !called.get());
    });
}

#[test]
fn trio_nursery_start_on_a_group_that_is_cancelled_gives_a_cancelled_child() {
    on_virtual_time(|_| async move {
        let task = spawn(async {
            group(async |group: TaskGroup| {
                group.cancel();
                let start = group.start(async |_started: Started<()>| unreachable!("it never runs"));
                cancellable(start).await.is_err()
            })
            .await
        });
        assert_eq!(task.await.unwrap(), Ok(true));
    });
}

#[test]
fn a_child_that_has_started_fails_for_its_group() {
    on_virtual_time(|_| async move {
        let ended = try_group(async |group: TryTaskGroup<&str>| {
            let child = async |started: Started<u8>| {
                started.set(1);
                sleep(5).await;
                Err::<(), _>("later")
            };
            assert_eq!(group.start(child).await.unwrap().0, 1);
            pending::<()>().await;
            Ok(())
        });
        assert_eq!(ended.await.unwrap_err().single(), Ok("later"));
    });
}

#[test]
fn a_child_that_fails_right_after_it_has_started_fails_for_its_group() {
    on_virtual_time(|_| async move {
        let ended = try_group(async |group: TryTaskGroup<&str>| {
            let child = async |started: Started<u8>| {
                started.set(1);
                Err::<(), _>("at once")
            };
            let _ = group.start(child).await;
            Ok(())
        });
        assert_eq!(ended.await.unwrap_err().single(), Ok("at once"));
    });
}

#[test]
fn a_value_is_not_lost_when_the_child_ends_with_it() {
    on_virtual_time(|_| async move {
        let ended = group(async |group: TaskGroup| {
            let (said, handle) = group
                .start(async |started: Started<&str>| {
                    started.set("ready");
                    "done"
                })
                .await
                .unwrap();
            (said, handle.await.unwrap())
        });
        assert_eq!(ended.await, Ok(("ready", "done")));
    });
}

#[test]
fn a_panic_of_the_setup_comes_out_of_start_and_a_later_one_of_the_group() {
    on_virtual_time(|_| async move {
        let early = group(async |group: TaskGroup| {
            let child = async |_started: Started<()>| panic!("early");
            matches!(group.start(child).await, Err(StartError::Panicked(panic)) if panic.message() == Some("early"))
        });
        assert_eq!(early.await, Ok(true));
        let later = spawn(group(async |group: TaskGroup| {
            let child = async |started: Started<()>| {
                started.set(());
                sleep(1).await;
                panic!("later")
            };
            let (): () = group.start(child).await.unwrap().0;
            pending::<()>().await;
        }));
        let panic = later.await.unwrap_err().into_panic().unwrap();
        assert_eq!(panic.message(), Some("later"));
    });
}

#[test]
fn a_start_that_is_cancelled_cancels_the_child_and_waits_for_its_cleanup() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let ended = group(async |group: TaskGroup| {
            let theirs = log.clone();
            let start = group.start(async move |_started: Started<()>| {
                if let Err(cancelled) = cancellable(pending::<()>()).await {
                    cleanup(ms(1_000), sleep(20)).await.unwrap();
                    theirs.put("clean");
                    cancelled.propagate::<()>().await;
                }
            });
            assert!(timeout(ms(10), start).await.is_err());
            log.put(format!("back at {}", clock.ms()));
            5
        });
        assert_eq!(ended.await, Ok(5));
        assert_eq!(log.all(), ["clean", "back at 30"]);
    });
}

#[test]
fn a_start_that_loses_cancels_the_child() {
    on_virtual_time(|clock| async move {
        let drops = Drops::default();
        let ended = group(async |group: TaskGroup| {
            let token = drops.token();
            select! {
                _ = group.start(async move |_started: Started<()>| { let _token = token; pending::<()>().await }) => 0,
                () = sleep(10) => 1,
            }
        });
        assert_eq!((ended.await, drops.count(), clock.ms()), (Ok(1), 1, 10));
    });
}

#[test]
fn a_resource_is_closed_when_the_body_has_ended() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let open = async {
            sleep(10).await;
            Ok::<_, ()>(vec![1])
        };
        let body = async |items: &mut Vec<i32>| {
            items.push(2);
            log.put("body");
            items.len()
        };
        let close = async |items: Vec<i32>| {
            sleep(5).await;
            log.put(format!("close {items:?}"));
        };
        assert_eq!(with_resource(open, ms(100), body, close).await, Ok(2));
        assert_eq!((log.all(), clock.ms()), (vec!["body".into(), "close [1, 2]".into()], 15));
    });
}

#[test]
fn a_resource_is_closed_when_the_body_is_cancelled_and_the_cancellation_goes_on() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let used = with_resource(
            async { Ok::<_, ()>(3) },
            ms(100),
            async |_| pending::<()>().await,
            async |_| {
                sleep(5).await;
                log.put("closed");
            },
        );
        assert!(timeout(ms(10), used).await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["closed".into()], 15));
    });
}

#[test]
fn a_resource_is_closed_when_the_body_panics_and_the_panic_goes_on() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            let open = async { Ok::<_, ()>(3) };
            let close = async |_| {
                sleep(5).await;
                theirs.put("closed");
            };
            with_resource(open, ms(100), async |_| -> () { panic!("body") }, close).await
        });
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert_eq!((panic.message(), log.all()), (Some("body"), vec!["closed".into()]));
    });
}

#[test]
fn closing_has_a_bound_and_what_did_not_open_is_not_closed() {
    on_virtual_time(|clock| async move {
        let drops = Drops::default();
        let token = drops.token();
        let slow = with_resource(
            async { Ok::<_, ()>(token) },
            ms(20),
            async |_| 1,
            async |token| {
                let _token = token;
                pending::<()>().await;
            },
        );
        assert_eq!((slow.await, drops.count(), clock.ms()), (Ok(1), 1, 20));
        let closed = with_resource(
            async { Err::<u8, _>("no") },
            ms(20),
            async |_| unreachable!("there is nothing to use"),
            async |_| unreachable!("there is nothing to close"),
        );
        assert_eq!(closed.await, Err::<(), _>("no"));
    });
}
