#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Cancellation that code can catch: scopes, landing pads, shields. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Log, gate, on_virtual_time};
use futures::future::{join, poll_fn};
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use weftwork::runtime::Builder;
use weftwork::scope::{
    CancelScope, cancellable, checkpoint, cleanup, current_scope, effective_deadline, finally, on_cancel, shield,
};
use weftwork::sync::oneshot;
use weftwork::task::{CancelKind, JoinHandle, yield_now};
use weftwork::time::{Duration, Instant, move_on_after, timeout, timeout_at, timeout_with, wait_timeout};
use weftwork::{is_cancelled, spawn, to_thread};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

async fn sleep(of: u64) {
    weftwork::sleep(ms(of)).await;
}

/// Cancels a task 10 ms from now.
async fn cancel_soon<T>(task: &JoinHandle<T>) {
    sleep(10).await;
    assert!(task.cancel_with("soon"));
}

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
fn rule_9_a_shield_in_one_arm_of_a_join_delays_the_drop_of_the_other() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let token = log.on_drop("other arm");
        let task = spawn(async move {
            join(shield(sleep(60)), async move {
                let _token = token;
                sleep(1_000).await;
            })
            .await;
        });
        cancel_soon(&task).await;
        assert!(log.all().is_empty());
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((log.all(), clock.ms()), (vec!["other arm".into()], 60));
    });
}

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
fn rule_16_a_leaf_first_polled_in_a_cancelled_scope_does_nothing() {
    on_virtual_time(|clock| async move {
        let (sender, receiver) = weftwork::sync::channel::bounded(1);
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let ended = scope.run(async move {
            theirs.cancel();
            assert!(is_cancelled());
            let _ = sender.send(1).await;
        });
        assert!(ended.await.is_err());
        assert!(receiver.recv().await.is_err(), "nothing was sent");
        assert_eq!((clock.ms(), is_cancelled()), (0, false));
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
        let other = spawn(pending::<()>());
        let drops = Log::default();
        let token = drops.on_drop("other");
        let other = spawn(async move {
            let _token = token;
            other.await.unwrap();
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
fn rule_28_every_pad_in_a_combinator_that_polls_only_what_is_woken_runs_its_cleanup() {
    on_virtual_time(|_| async move {
        let cleaned = Arc::new(AtomicUsize::new(0));
        let theirs = cleaned.clone();
        let task = spawn(async move {
            let mut all = FuturesUnordered::new();
            for n in 0..500 {
                let cleaned = theirs.clone();
                all.push(async move {
                    if let Err(cancelled) = cancellable(sleep(10_000)).await {
                        cleanup(ms(500), sleep(n % 17)).await.unwrap();
                        cleaned.fetch_add(1, Ordering::Relaxed);
                        cancelled.propagate::<()>().await;
                    }
                });
            }
            while all.next().await.is_some() {}
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(cleaned.load(Ordering::Relaxed), 500);
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
fn rule_34_regions_that_were_never_polled_hold_up_nobody() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let _pad = cancellable(sleep(1_000));
            let _shield = shield(sleep(1_000));
            sleep(1_000).await;
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn regions_that_are_polled_no_longer_hold_up_for_a_second_at_most() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let mut pad = Box::pin(cancellable(sleep(5_000)));
            let mut shielded = Box::pin(shield(sleep(5_000)));
            poll_fn(|cx| {
                assert!(pad.as_mut().poll(cx).is_pending());
                assert!(shielded.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            sleep(5_000).await;
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 1_010);
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
fn rule_46_a_panic_in_a_destructor_is_the_tasks_and_the_rest_is_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    on_virtual_time(|_| async move {
        let log = Log::default();
        let token = log.on_drop("rest");
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let task = spawn(async move {
            let _ = theirs
                .run(async move {
                    let _rest = token;
                    let _bomb = Bomb;
                    pending::<()>().await;
                })
                .await;
        });
        sleep(1).await;
        scope.cancel();
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert_eq!((panic.message(), log.all()), (Some("in drop"), vec!["rest".into()]));
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
fn the_scope_of_a_task_is_cancelled_by_whoever_got_it() {
    on_virtual_time(|clock| async move {
        let (give, got) = oneshot::channel();
        let task = spawn(async move {
            give.send(current_scope()).map_err(drop).unwrap();
            sleep(1_000).await;
        });
        let scope = got.await.unwrap();
        sleep(10).await;
        assert!(scope.cancel_with("through its scope") && !scope.cancel());
        assert_eq!(task.await.unwrap_err().cancel_cause().unwrap().message.as_deref(), Some("through its scope"));
        assert_eq!(clock.ms(), 10);
        assert!(!scope.cancel(), "it has ended");
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
fn cancelled_waits_for_the_cancellation_alone() {
    on_virtual_time(|clock| async move {
        let scope = CancelScope::new();
        let theirs = scope.clone();
        let waits = spawn(async move { theirs.cancelled().await });
        sleep(10).await;
        assert!(!waits.is_finished());
        scope.cancel();
        waits.await.unwrap();
        scope.cancelled().await;
        assert_eq!(clock.ms(), 10);
    });
}

#[test]
fn a_second_run_of_a_scope_panics_with_advice() {
    on_virtual_time(|_| async move {
        let scope = CancelScope::new();
        scope.run(ready(())).await.unwrap();
        let task = spawn(async move { scope.run(ready(())).await });
        let panic = task.await.unwrap_err().into_panic().unwrap();
        assert!(panic.message().unwrap().contains("make a new scope for each"), "{panic:?}");
    });
}

#[test]
fn a_region_that_moves_to_another_task_belongs_there() {
    on_virtual_time(|clock| async move {
        let log = Log::default();
        let theirs = log.clone();
        let mut pad = Box::pin(async move {
            let caught = cancellable(sleep(1_000)).await.is_err();
            theirs.put(format!("caught {caught}"));
        });
        let first = spawn(async move {
            poll_fn(|cx| Poll::Ready(pad.as_mut().poll(cx).is_pending())).await;
            pad
        });
        let pad = first.await.unwrap();
        let second = spawn(pad);
        cancel_soon(&second).await;
        second.await.unwrap();
        assert_eq!((log.all(), clock.ms()), (vec!["caught true".into()], 10));
    });
}

#[test]
fn regions_are_dropped_where_they_lie_without_a_trace() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            for _ in 0..100 {
                let mut regions = Vec::new();
                for _ in 0..10 {
                    regions.push(Box::pin(cancellable(pending::<()>())));
                }
                poll_fn(|cx| {
                    for region in &mut regions {
                        assert!(region.as_mut().poll(cx).is_pending());
                    }
                    Poll::Ready(())
                })
                .await;
                regions.swap(0, 5);
                drop(regions.remove(3));
                yield_now().await;
            }
            sleep(1_000).await;
        });
        cancel_soon(&task).await;
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 10);
    });
}
