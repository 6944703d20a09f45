#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Cancellation that code can catch: scopes, landing pads, shields. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Log, cancel_soon, gate, ms, on_virtual_time, sleep};
use std::future::{pending, ready};
use weftwork::runtime::Builder;
use weftwork::scope::{
    CancelScope, cancellable, checkpoint, cleanup, current_scope, effective_deadline, finally, shield,
};
use weftwork::sync::oneshot;
use weftwork::task::{CancelKind, yield_now};
use weftwork::time::timeout;
use weftwork::{is_cancelled, spawn, to_thread};

#[test]
fn rule_1_cancelling_drops_the_future_at_its_await_and_the_handle_says_so() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let token = log.on_drop("dropped");
        let task = spawn(async move {
            let _token = token;
            sleep(1_000).await;
            5
        });
        cancel_soon(&task).await;
        let error = task.await.unwrap_err();
        assert_eq!(error.cancel_cause().unwrap().message.as_deref(), Some("soon"));
        assert_eq!((log.all(), clock.ms()), (vec!["dropped".into()], 10));
    });
}

#[test]
fn rule_2_code_after_a_pad_may_await_in_cleanup_and_propagate_ends_the_task_cancelled() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            match cancellable(sleep(1_000)).await {
                Ok(()) => 1,
                Err(cancelled) => {
                    assert_eq!(cancelled.cause().message.as_deref(), Some("soon"));
                    theirs.put("caught");
                    cleanup(ms(50), sleep(30)).await.unwrap();
                    theirs.put("cleaned");
                    cancelled.propagate().await
                }
            }
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["caught".into(), "cleaned".into()], 40));
    });
}

#[test]
fn rule_3_after_a_pad_the_next_unshielded_await_ends_the_task() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            let _ = cancellable(sleep(1_000)).await;
            theirs.put("after");
            sleep(5).await;
            theirs.put("never");
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["after".into()], 10));
    });
}

#[test]
fn rule_4_a_value_returned_after_a_pad_is_the_tasks() {
    on_virtual_time(|_| async move {
        let task = spawn(async {
            match cancellable(sleep(1_000)).await {
                Ok(()) => 0,
                Err(_) => 42,
            }
        });
        cancel_soon(&task).await;
        assert_eq!(task.await.unwrap(), 42);
    });
}

#[test]
fn rule_5_of_two_cancelled_scopes_the_inner_drops_first_and_the_outer_reports() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let (first, second) = (outer.clone(), inner.clone());
        let canceller = spawn(async move {
            sleep(5).await;
            first.cancel();
            second.cancel();
        });
        let (token, theirs) = (log.on_drop("inner"), log.clone());
        let ended = outer
            .run(async move {
                let _ = inner
                    .run(async move {
                        let _token = token;
                        sleep(1_000).await;
                    })
                    .await;
                theirs.put("between");
            })
            .await;
        assert!(ended.is_err() && outer.cancelled_caught());
        canceller.await.unwrap();
        assert_eq!((log.all(), clock.ms()), (vec!["inner".into()], 5));
    });
}

#[test]
fn rule_6_code_after_a_cancelled_scope_goes_on() {
    on_virtual_time(|clock| async move {
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let canceller = spawn(async move {
            sleep(5).await;
            assert!(theirs.cancel_with("enough"));
            assert!(!theirs.cancel_with("again"));
        });
        let error = scope.run(sleep(100)).await.unwrap_err();
        assert_eq!(error.cause().message.as_deref(), Some("enough"));
        canceller.await.unwrap();
        sleep(7).await;
        assert_eq!(clock.ms(), 12);
    });
}

#[test]
fn rule_7_a_shield_delays_a_cancellation_until_it_ends() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            shield(sleep(100)).await;
            theirs.put("shielded");
            sleep(1).await;
            theirs.put("never");
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["shielded".into()], 100));
    });
}

#[test]
fn rule_8_a_timeout_inside_a_shield_still_fires() {
    on_virtual_time(|clock| async move {
        let task = spawn(async { shield(timeout(ms(20), sleep(100))).await.is_err() });
        cancel_soon(&task).await;
        assert!(task.await.unwrap());
        assert_eq!(clock.ms(), 20);
    });
}

#[test]
fn rule_15_a_task_cancelled_before_its_first_poll_never_runs_and_what_it_captured_is_dropped() {
    // On one thread nothing is polled between the two.
    Builder::new_current_thread()
        .run(async {
            let log = Log::default();
            let (token, theirs) = (log.on_drop("captured"), log.clone());
            let task = spawn(async move {
                let _token = token;
                theirs.put("never");
            });
            assert!(task.cancel());
            assert!(task.await.unwrap_err().is_cancelled());
            assert_eq!(log.all(), ["captured"]);
        })
        .unwrap();
}

#[test]
fn what_runs_in_a_scope_that_was_cancelled_before_ends_at_its_first_wait() {
    on_virtual_time(|_| async move {
        let log = Log::default();
        let (token, theirs) = (log.on_drop("captured"), log.clone());
        let scope = CancelScope::new();
        scope.cancel();
        let ended = scope.run(async move {
            let _token = token;
            theirs.put("begun");
            sleep(1).await;
            theirs.put("never");
        });
        assert!(ended.await.is_err());
        assert_eq!(log.all(), ["begun", "captured"]);
    });
}

#[test]
fn rule_17_a_polled_handle_inside_an_expired_timeout_cancels_its_task_and_the_timeout_waits_for_that() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            if let Err(cancelled) = cancellable(sleep(1_000)).await {
                assert_eq!(cancelled.cause().kind, CancelKind::HandleDropped);
                cleanup(ms(100), sleep(30)).await.unwrap();
                theirs.put("cleaned");
            }
        });
        assert!(timeout(ms(10), task).await.is_err());
        assert_eq!((log.all(), clock.ms()), (vec!["cleaned".into()], 40));
    });
}

#[test]
fn rule_17_a_handle_owned_outside_and_awaited_by_reference_is_untouched() {
    on_virtual_time(|clock| async move {
        let mut task = spawn(async {
            sleep(100).await;
            3
        });
        assert!(timeout(ms(10), &mut task).await.is_err());
        assert_eq!(task.await.unwrap(), 3);
        assert_eq!(clock.ms(), 100);
    });
}

#[test]
fn rule_17_an_unpolled_handle_inside_detaches() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            sleep(100).await;
            theirs.put("ran");
        });
        let ended = timeout(ms(10), async move {
            sleep(1_000).await;
            task.await.unwrap();
        });
        assert!(ended.await.is_err());
        assert_eq!(clock.ms(), 10);
        sleep(200).await;
        assert_eq!(log.all(), ["ran"]);
    });
}

#[test]
fn rule_17_a_cancelled_task_is_not_over_before_the_task_that_it_awaited() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            let inner = spawn(async move {
                if cancellable(sleep(1_000)).await.is_err() {
                    cleanup(ms(100), sleep(30)).await.unwrap();
                    theirs.put("inner");
                }
            });
            inner.await.unwrap();
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["inner".into()], 40));
    });
}

#[test]
fn a_task_that_cancels_itself_and_then_awaits_another_takes_that_with_it() {
    on_virtual_time(|clock| async move {
        let drops = Log::default();
        let token = drops.on_drop("other");
        let other = spawn(async move {
            let _token = token;
            pending::<()>().await;
        });
        let task = spawn(async move {
            current_scope().cancel();
            other.await.unwrap();
        });
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((drops.all(), clock.ms()), (vec!["other".into()], 0));
    });
}

#[test]
fn rule_29_the_second_cancel_is_refused_and_the_first_cause_kept() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        assert!(scope.cancel_with("one") && !scope.cancel_with("two"));
        assert_eq!(scope.cancel_cause().unwrap().message.as_deref(), Some("one"));
        let error = scope.run(pending::<()>()).await.unwrap_err();
        assert_eq!(error.cause().message.as_deref(), Some("one"));
        assert!(!scope.cancel_with("three"));
    });
}

#[test]
fn rule_29_a_cancel_of_what_has_ended_is_refused_and_leaves_no_cause() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        assert_eq!(scope.run(ready(3)).await, Ok(3));
        assert!(!scope.cancel() && !scope.cancel_called() && scope.cancel_cause().is_none());

        let dropped = CancelScope::new();
        drop(dropped.run(pending::<()>()));
        assert!(!dropped.cancel() && !dropped.cancel_called());
    });
}

#[test]
fn rule_31_a_scope_cancelled_after_its_last_await_gives_the_value() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let value = scope.run(async move {
            theirs.cancel();
            12
        });
        assert_eq!(value.await, Ok(12));
        assert!(scope.cancel_called() && !scope.cancelled_caught());
        sleep(1).await;
    });
}

#[test]
fn rule_37_to_thread_is_let_go_at_once_and_with_join_on_cancel_waited_for() {
    on_virtual_time(|_| async move {
        for joins in [false, true] {
            let (opener, gate) = gate();
            let (begun, begins) = oneshot::channel();
            let log = Log::default();
            let theirs = log.clone();
            let task = spawn(async move {
                let call = to_thread(move || {
                    begun.send(()).unwrap();
                    gate.wait();
                    theirs.put(format!("told {}", is_cancelled()));
                });
                if joins { call.join_on_cancel().await } else { call.await }
            });
            begins.await.unwrap();
            assert!(task.cancel());
            if joins {
                for _ in 0..100 {
                    yield_now().await;
                }
                assert!(!task.is_finished(), "the closure is inside");
                opener.open();
                task.await.unwrap().unwrap();
                assert_eq!(log.all(), ["told false"]);
            } else {
                assert!(task.await.unwrap_err().is_cancelled());
                assert!(log.all().is_empty());
                opener.open();
            }
        }
    });
}

#[test]
fn rule_39_propagate_where_nothing_is_cancelled_panics_with_advice() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        scope.cancel();
        let mut kept = None;
        let _ = scope.run(async { kept = cancellable(pending::<()>()).await.err() }).await;
        let task = spawn(kept.unwrap().propagate::<()>());
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert!(panic.message().unwrap().contains("return a value instead"), "{panic:?}");
    });
}

#[test]
fn rule_44_a_plain_spawn_inherits_no_scope() {
    on_virtual_time(|clock| async move {
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let mut task = None;
        let ended = scope.run(async {
            task = Some(spawn(async {
                sleep(20).await;
                (is_cancelled(), effective_deadline())
            }));
            theirs.cancel();
            pending::<()>().await;
        });
        assert!(ended.await.is_err());
        assert_eq!(task.unwrap().await.unwrap(), (false, None));
        assert_eq!(clock.ms(), 20);
    });
}

#[test]
fn a_swallowed_cancellation_comes_again_at_the_next_await() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let first = cancellable(sleep(1_000)).await.is_err();
            let second = cancellable(sleep(1_000)).await.is_err();
            (first, second)
        });
        cancel_soon(&task).await;
        assert_eq!(task.await.unwrap(), (true, true));
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn a_task_that_cancels_itself_ends_at_its_next_await() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            assert!(current_scope().cancel());
            assert!(!current_scope().cancel());
            sleep(100).await;
        });
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 0);
    });
}

#[test]
fn a_task_that_cancels_itself_and_returns_keeps_its_value() {
    on_virtual_time(|_| async move {
        let task = spawn(async {
            current_scope().cancel();
            12
        });
        assert_eq!(task.await.unwrap(), 12);
    });
}

#[test]
fn inside_a_shield_its_own_scopes_and_deadlines_work_and_nothing_else_is_seen() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let task = spawn(async move {
            shield(async {
                sleep(20).await;
                assert!(!is_cancelled());
                let scope = CancelScope::new();
                scope.cancel();
                assert!(scope.run(sleep(1)).await.is_err());
                assert!(timeout(ms(5), sleep(100)).await.is_err());
                theirs.put("through");
            })
            .await;
            assert!(is_cancelled());
            checkpoint().await;
            theirs.put("never");
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["through".into()], 25));
    });
}

#[test]
fn finally_runs_after_a_value_and_after_a_cancellation() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let clean = log.clone();
        assert_eq!(finally(async { 1 }, ms(10), async move || clean.put("value")).await, 1);
        let clean = log.clone();
        let task = spawn(finally(pending::<()>(), ms(100), async move || {
            sleep(20).await;
            clean.put("cancelled");
        }));
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["value".into(), "cancelled".into()], 30));
    });
}
