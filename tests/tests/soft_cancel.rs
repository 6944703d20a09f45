#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Soft cancellation: shields that hold for a while only. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Log, Report, Reports, Stopwatch, both_flavors, gate, ms, on_virtual_time, on_virtual_time_with, sleep};
use futures::future::join;
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::{Future, pending};
use std::sync::Mutex;
use std::task::Poll;
use weftwork::runtime::UnhandledKind;
use weftwork::scope::{CancelScope, cancellable, cleanup, current_scope, shield};
use weftwork::task::yield_now;
use weftwork::time::timeout;
use weftwork::{group, is_cancelled, spawn, to_thread};

/// Runs a test on virtual time, and gives what the runtime reported of shields.
fn with_reports<F: Future<Output = ()> + Send + 'static>(body: impl Fn(Stopwatch, Log) -> F) -> Vec<Report> {
    let last = Mutex::new(Vec::new());
    for_each_flavor(&body, &last);
    last.into_inner().unwrap()
}

fn for_each_flavor<F: Future<Output = ()> + Send + 'static>(
    body: &impl Fn(Stopwatch, Log) -> F,
    last: &Mutex<Vec<Report>>,
) {
    let reports = Mutex::new(Vec::<Reports>::new());
    on_virtual_time_with(
        |builder| {
            let fresh = Reports::default();
            reports.lock().unwrap().push(fresh.clone());
            builder.on_unhandled(fresh.hook())
        },
        |clock| body(clock, Log::default()),
    );
    let of_each: Vec<_> =
        reports.into_inner().unwrap().iter().map(|reports| reports.of(UnhandledKind::ShieldPierced)).collect();
    assert_eq!(of_each[0].len(), of_each[1].len(), "both flavours report alike");
    *last.lock().unwrap() = of_each[0].clone();
}

/// Cancels the scope softly 10 ms from now.
fn soon(scope: &CancelScope, grace: u64) {
    let scope = scope.clone();
    spawn(async move {
        sleep(10).await;
        assert!(scope.cancel_soft(ms(grace)));
    })
    .detach();
}

#[test]
fn rule_40_the_end_of_the_grace_pierces_a_cleanup_and_what_it_held_is_dropped() {
    let reports = with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 50);
        let ended = scope.run(async {
            let cancelled = cancellable(pending::<()>()).await.unwrap_err();
            log.put(format!("pad at {}", clock.ms()));
            let held = log.on_drop("dropped");
            let cleaned = cleanup(ms(10_000), async {
                let _held = held;
                pending::<()>().await;
            });
            assert!(cleaned.await.is_err());
            log.put(format!("pierced at {}", clock.ms()));
            cancelled.propagate::<()>().await;
        });
        assert!(ended.await.is_err() && scope.cancelled_caught());
        assert_eq!(log.all(), ["pad at 10", "dropped", "pierced at 60"]);
    });
    assert_eq!(reports.len(), 1);
    assert!(reports[0].text.contains(file!()), "{}", reports[0].text);
}

#[test]
fn rule_40_pads_and_is_cancelled_see_a_soft_cancellation_at_once() {
    let reports = with_reports(|clock, _| async move {
        let scope = CancelScope::new();
        soon(&scope, 50);
        let ended = scope.run(async {
            let _ = cancellable(pending::<()>()).await;
            (is_cancelled(), clock.ms())
        });
        assert_eq!(ended.await, Ok((true, 10)));
    });
    assert!(reports.is_empty());
}

#[test]
fn rule_40_a_cleanup_that_ends_within_the_grace_is_left_alone() {
    let reports = with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 50);
        let ended = scope.run(async {
            let _ = cancellable(pending::<()>()).await;
            assert!(cleanup(ms(1_000), sleep(30)).await.is_ok());
            log.put("clean");
            pending::<()>().await;
        });
        assert!(ended.await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["clean".into()], 40));
    });
    assert!(reports.is_empty());
}

#[test]
fn shields_in_each_other_and_side_by_side_are_all_pierced() {
    let reports = with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 20);
        let inside = |what| {
            let held = log.on_drop(what);
            async move {
                let _held = held;
                pending::<()>().await;
            }
        };
        let ended = scope.run(join(shield(shield(inside("first"))), shield(inside("second"))));
        assert!(ended.await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (2, 30));
    });
    assert_eq!(reports.len(), 3);
}

#[test]
fn shields_in_a_combinator_that_polls_what_was_woken_are_pierced() {
    let reports = with_reports(|clock, _| async move {
        let scope = CancelScope::new();
        soon(&scope, 20);
        let many: FuturesUnordered<_> = (0..20).map(|_| shield(pending::<()>())).collect();
        assert!(scope.run(many.count()).await.is_err());
        assert_eq!(clock.ms(), 30);
    });
    assert_eq!(reports.len(), 20);
}

#[test]
fn a_pad_behind_a_pierced_shield_goes_on_and_a_cleanup_after_it_has_no_time() {
    with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 20);
        let ended = scope.run(shield(async {
            let inner = cancellable(pending::<()>()).await;
            log.put(format!("pad at {}", clock.ms()));
            assert!(inner.is_err() && is_cancelled());
            assert!(cleanup(ms(100), sleep(1)).await.is_err());
            5
        }));
        assert_eq!(ended.await, Ok(5));
        assert_eq!((log.all(), clock.ms()), (vec!["pad at 30".into()], 30));
    });
}

#[test]
fn the_children_of_a_group_inside_lose_their_shields_too() {
    let reports = with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 20);
        let ended = scope.run(group(async |group| {
            for what in ["first", "second"] {
                let held = log.on_drop(what);
                group
                    .spawn(async move {
                        let _held = held;
                        shield(pending::<()>()).await;
                    })
                    .detach();
            }
            pending::<()>().await;
        }));
        assert!(ended.await.is_err());
        assert_eq!((log.all().len(), clock.ms()), (2, 30));
    });
    assert_eq!(reports.len(), 2);
}

#[test]
fn a_task_whose_handle_was_inside_loses_its_shields_too() {
    with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 20);
        let held = log.on_drop("dropped");
        let task = spawn(async move {
            let _held = held;
            shield(pending::<()>()).await;
        });
        assert!(scope.run(task).await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["dropped".into()], 30));
    });
}

#[test]
fn a_task_that_such_a_task_waits_for_loses_its_shields_too() {
    with_reports(|clock, log| async move {
        let scope = CancelScope::new();
        soon(&scope, 20);
        let held = log.on_drop("dropped");
        let task = spawn(async move {
            let inner = spawn(async move {
                let _held = held;
                shield(pending::<()>()).await;
            });
            let _ = inner.await;
        });
        assert!(scope.run(task).await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["dropped".into()], 30));
    });
}

#[test]
fn a_task_is_cancelled_softly_by_its_scope() {
    let reports = with_reports(|clock, _| async move {
        let (give, given) = weftwork::sync::oneshot::channel();
        let task = spawn(async move {
            give.send(current_scope()).unwrap();
            shield(pending::<()>()).await;
        });
        let scope: CancelScope = given.await.unwrap();
        soon(&scope, 20);
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 30);
    });
    assert_eq!(reports.len(), 1);
}

#[test]
fn a_soft_cancel_bounds_one_that_was_not_and_the_grace_that_ends_first_counts() {
    with_reports(|clock, _| async move {
        let scope = CancelScope::new();
        let canceller = scope.clone();
        spawn(async move {
            sleep(10).await;
            assert!(canceller.cancel());
            sleep(10).await;
            assert!(!canceller.cancel_soft(ms(50)));
            sleep(30).await;
            assert!(!canceller.cancel_soft(ms(40)), "it would end at 90");
            assert!(!canceller.cancel_soft(ms(60)));
        })
        .detach();
        assert!(scope.run(shield(pending::<()>())).await.is_err());
        assert_eq!(clock.ms(), 70);
    });
}

#[test]
fn a_second_soft_cancel_may_be_less_patient() {
    with_reports(|clock, _| async move {
        let scope = CancelScope::new();
        soon(&scope, 1_000);
        let canceller = scope.clone();
        spawn(async move {
            sleep(20).await;
            assert!(!canceller.cancel_soft(ms(5)));
        })
        .detach();
        assert!(scope.run(shield(pending::<()>())).await.is_err());
        assert_eq!(clock.ms(), 25);
    });
}

#[test]
fn without_a_grace_shields_are_pierced_at_once() {
    with_reports(|clock, _| async move {
        let scope = CancelScope::new();
        assert!(scope.cancel_soft(ms(0)));
        assert!(scope.run(shield(pending::<()>())).await.is_err());
        assert_eq!(clock.ms(), 0);
    });
}

#[test]
fn a_soft_cancel_of_what_has_ended_is_refused() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        assert_eq!(scope.run(async { 1 }).await, Ok(1));
        assert!(!scope.cancel_soft(ms(1)) && !scope.cancel_called());
    });
}

#[test]
fn shields_outside_of_the_scope_hold() {
    let reports = with_reports(|clock, _| async move {
        let scope = CancelScope::new();
        soon(&scope, 5);
        let done = timeout(
            ms(1),
            shield(async {
                assert!(scope.run(pending::<()>()).await.is_err());
                sleep(30).await;
                8
            }),
        );
        assert_eq!((done.await, clock.ms()), (Ok(8), 40));
    });
    assert!(reports.is_empty());
}

#[test]
fn a_wait_for_a_thread_that_joins_ends_with_the_grace() {
    // On the real clock: the virtual one stands still while the pool is busy.
    both_flavors(|builder| {
        let (opener, closed) = gate();
        builder
            .run(async move {
                let scope = CancelScope::new();
                let theirs = scope.clone();
                spawn(async move {
                    sleep(1).await;
                    theirs.cancel_soft(ms(1));
                })
                .detach();
                assert!(scope.run(to_thread(move || closed.wait()).join_on_cancel()).await.is_err());
                opener.open();
            })
            .unwrap();
    });
}

#[test]
fn an_abandoned_shield_is_reported_with_its_place() {
    let reports = with_reports(|_, _| async move {
        let task = spawn(async {
            let mut kept = Box::pin(shield(pending::<()>()));
            futures::future::poll_fn(|cx| {
                assert!(kept.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            pending::<()>().await;
        });
        yield_now().await;
        sleep(1).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert_eq!(reports.len(), 1);
    assert!(reports[0].text.contains(file!()), "{}", reports[0].text);
}
