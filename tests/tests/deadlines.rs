#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Deadlines: timeouts, and scopes that end by the clock. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Log, cancel_soon, cleans_up, ms, on_virtual_time, sleep};
use std::future::{pending, ready};
use weftwork::scope::{CancelScope, cancellable, cleanup, current_scope, effective_deadline, on_cancel, shield};
use weftwork::sync::oneshot;
use weftwork::task::CancelKind;
use weftwork::time::{Duration, Instant, move_on_after, timeout, timeout_at, timeout_with, wait_timeout};
use weftwork::{TaskGroup, group, spawn};

#[test]
fn rule_10_a_value_ready_with_the_deadline_wins() {
    on_virtual_time(|clock| async move {
        assert_eq!(timeout(Duration::ZERO, async { 7 }).await, Ok(7));
        assert_eq!(
            timeout(ms(10), async {
                sleep(10).await;
                8
            })
            .await,
            Ok(8)
        );
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn rule_11_a_timeout_of_nothing_runs_to_the_first_wait() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = timeout(Duration::ZERO, async move {
            theirs.put("one");
            sleep(1).await;
            theirs.put("two");
        });
        assert!(ended.await.is_err());
        assert_eq!(log.all(), ["one"]);
    });
}

#[test]
fn rule_12_when_the_outer_deadline_passes_the_inner_never_reports() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = timeout(ms(10), async move {
            let inner = timeout(ms(1_000), sleep(10_000)).await;
            theirs.put(format!("{inner:?}"));
        });
        assert!(ended.await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (0, 10));
    });
}

#[test]
fn rule_12_of_equal_deadlines_the_outermost_reports() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = timeout(ms(10), async move {
            let inner = timeout(ms(10), sleep(10_000)).await;
            theirs.put(format!("{inner:?}"));
        });
        assert!(ended.await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (0, 10));
    });
}

#[test]
fn rule_13_when_the_inner_deadline_passes_the_outer_keeps_its_own() {
    on_virtual_time(|clock| async move {
        let ended = timeout(ms(50), async {
            assert!(timeout(ms(10), pending::<()>()).await.is_err());
            sleep(1_000).await;
        });
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 50);
    });
}

#[test]
fn rule_14_a_deadline_can_be_moved_until_it_has_passed() {
    on_virtual_time(|clock| async move {
        let at = |after| Some(Instant::now() + ms(after));
        assert_eq!(timeout_with(None, |_| sleep(500)).await, Ok(()));
        let none = timeout_with(at(1_000), async |limit| {
            limit.reschedule(None).unwrap();
            assert_eq!(limit.when(), None);
            sleep(2_000).await;
        });
        assert_eq!(none.await, Ok(()));
        let mut kept = None;
        let earlier = timeout_with(None, |limit| {
            kept = Some(limit.clone());
            async move {
                let soon = at(5);
                limit.reschedule(soon).unwrap();
                assert_eq!(limit.when(), soon);
                sleep(2_000).await;
            }
        });
        assert!(earlier.await.is_err());
        assert_eq!(clock.ms(), 2_505);
        let kept = kept.unwrap();
        assert!(kept.expired());
        assert!(kept.reschedule(None).unwrap_err().to_string().contains("the time was up"));
        let mut kept = None;
        timeout_with(at(5), |limit| {
            kept = Some(limit);
            ready(())
        })
        .await
        .unwrap();
        assert!(kept.unwrap().reschedule(None).unwrap_err().to_string().contains("has ended"));
    });
}

#[test]
fn rule_14_a_deadline_moved_by_another_task_is_followed() {
    on_virtual_time(|clock| async move {
        let (give, got) = oneshot::channel();
        let waits = spawn(async move {
            timeout_with(None, async |limit| {
                give.send(limit).unwrap();
                pending::<()>().await;
            })
            .await
        });
        let limit = got.await.unwrap();
        sleep(10).await;
        limit.reschedule(Some(Instant::now() + ms(7))).unwrap();
        assert!(waits.await.unwrap().is_err());
        assert_eq!(clock.ms(), 17);
    });
}

#[test]
fn rule_33_a_timeout_reaches_what_it_polls_by_reference() {
    on_virtual_time(|clock| async move {
        let mut body = Box::pin(async {
            match cancellable(sleep(30)).await {
                Ok(()) => "ran",
                Err(_) => "cancelled",
            }
        });
        assert_eq!(timeout(ms(10), &mut body).await, Ok("cancelled"));
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn rule_33_wait_timeout_bounds_the_wait_and_cancels_nothing() {
    on_virtual_time(|clock| async move {
        let mut body = Box::pin(async { cancellable(sleep(30)).await.is_ok() });
        assert!(wait_timeout(ms(10), &mut body).await.is_err());
        assert_eq!((body.await, clock.ms()), (true, 30));
    });
}

#[test]
fn cleanup_that_takes_too_long_is_given_up_at_its_bound() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let _ = cancellable(pending::<()>()).await;
            cleanup(ms(1_000), pending::<()>()).await.is_err()
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap());
        assert_eq!(clock.ms(), 1_010);
    });
}

#[test]
fn a_timeout_reports_after_the_cleanup_inside() {
    on_virtual_time(|clock| async move {
        let ended = timeout(
            ms(10),
            on_cancel(pending::<()>(), ms(100), async |cause| {
                assert_eq!(cause.kind, CancelKind::Deadline);
                sleep(30).await;
            }),
        );
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 40);
    });
}

#[test]
fn a_value_given_in_spite_of_the_deadline_is_the_timeouts() {
    on_virtual_time(|clock| async move {
        let value = timeout(ms(10), async {
            match cancellable(pending::<()>()).await {
                Ok(()) => 0,
                Err(_) => 42,
            }
        });
        assert_eq!((value.await, clock.ms()), (Ok(42), 10));
    });
}

#[test]
fn deadlines_of_scopes_may_be_set_moved_and_seen() {
    on_virtual_time(|clock| async move {
        let start = Instant::now();
        let scope = CancelScope::with_deadline(start + ms(50));
        let theirs = scope.clone();
        let ended = scope.run(async move {
            assert_eq!(effective_deadline(), Some(start + ms(50)));
            let inner = move_on_after(ms(10), async { assert_eq!(effective_deadline(), Some(start + ms(10))) });
            assert_eq!(inner.await, Some(()));
            let shielded = shield(async { effective_deadline() });
            assert_eq!(shielded.await, None);
            theirs.set_deadline(Some(start + ms(20)));
            assert_eq!(effective_deadline(), Some(start + ms(20)));
            pending::<()>().await;
        });
        assert_eq!(ended.await.unwrap_err().cause().kind, CancelKind::Deadline);
        assert_eq!(clock.ms(), 20);
    });
}

#[test]
fn a_scope_of_a_deadline_can_be_cancelled_from_inside_and_outside() {
    on_virtual_time(|clock| async move {
        let (give, got) = oneshot::channel();
        let task = spawn(async move {
            timeout(ms(100), async move {
                give.send(current_scope()).map_err(drop).unwrap();
                pending::<()>().await;
            })
            .await
        });
        let scope = got.await.unwrap();
        sleep(10).await;
        assert!(scope.cancel());
        assert!(task.await.unwrap().is_err());
        assert_eq!(clock.ms(), 10);
        let ended = timeout_at(Instant::now() + ms(100), async {
            current_scope().cancel();
            sleep(1).await;
        });
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn a_deadline_of_a_groups_scope_cancels_body_and_children() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = group(async move |group: TaskGroup| {
            group.spawn(cleans_up(theirs, 5)).detach();
            group.scope().set_deadline(Some(Instant::now() + ms(20)));
            assert_eq!(effective_deadline(), group.scope().deadline());
            pending::<()>().await;
        });
        assert_eq!(ended.await.unwrap_err().kind, CancelKind::Deadline);
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 5".into()], 25));
    });
}

#[test]
fn a_deadline_of_a_groups_scope_cancels_children_that_outlive_the_body_and_may_be_moved_by_them() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let ended = group(async move |group: TaskGroup| {
            group.scope().set_deadline(Some(Instant::now() + ms(50)));
            group.spawn(cleans_up(theirs, 5)).detach();
            let scope = group.scope();
            let moves = async move {
                assert_eq!(effective_deadline(), scope.deadline());
                sleep(10).await;
                scope.set_deadline(Some(Instant::now() + ms(10)));
            };
            sleep(1).await;
            group.spawn(moves).detach();
            "value"
        });
        assert_eq!(ended.await, Ok("value"));
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned after 5".into()], 26));
    });
}

#[test]
fn timeout_basic() {
    on_virtual_time(|clock| async move {
        let mut handle = None;
        let ended = timeout_with(Some(Instant::now() + ms(10)), |timeout| {
            handle = Some(timeout);
            sleep(10_000)
        });
        assert!(ended.await.is_err() && handle.unwrap().expired());
        assert_eq!(clock.ms(), 10);
    });
}
