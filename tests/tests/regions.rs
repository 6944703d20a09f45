#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Regions: what is dropped when, and what holds that up. The numbers are those of docs/contract.md.

mod fixtures;

use fixtures::{Log, begin, cancel_soon, ms, on_virtual_time, sleep};
use futures::future::{join, poll_fn};
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use weftwork::scope::{CancelScope, cancellable, cleanup, current_scope, shield};
use weftwork::sync::oneshot;
use weftwork::task::yield_now;
use weftwork::{is_cancelled, spawn};

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

#[test]
fn a_shield_that_goes_to_another_task_and_ends_there_holds_up_the_first_no_longer() {
    on_virtual_time(|clock| async move {
        let first = spawn(async move {
            let _ = cancellable(pending::<()>()).await;
            let mut shielded = Box::pin(shield(sleep(100)));
            begin(&mut shielded).await;
            spawn(shielded).detach();
            sleep(1).await;
        });
        sleep(10).await;
        assert!(first.cancel());
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 10);
        sleep(100).await;
    });
}

#[test]
fn a_region_dropped_elsewhere_after_it_was_woken_holds_up_its_task_no_longer() {
    on_virtual_time(|clock| async move {
        let (give, got) = oneshot::channel();
        let task = spawn(async move {
            let mut pad = Box::pin(cancellable(pending::<()>()));
            begin(&mut pad).await;
            give.send(pad).map_err(drop).unwrap();
            pending::<()>().await;
        });
        let pad = got.await.unwrap();
        sleep(10).await;
        assert!(task.cancel());
        sleep(5).await;
        assert!(!task.is_finished());
        drop(pad);
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 15);
    });
}

#[test]
fn a_region_that_cleans_up_in_a_combinator_is_waited_for_in_peace() {
    // The combinator wakes itself and then polls only what is woken; who asked those inside at each poll would never rest.
    on_virtual_time(|clock| async move {
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        let task = spawn(async move {
            let mut inside = FuturesUnordered::from_iter([Box::pin(async {
                let _ = cancellable(pending::<()>()).await;
                cleanup(ms(3_000), sleep(2_500)).await.unwrap();
            })]);
            poll_fn(|cx| {
                counted.fetch_add(1, Ordering::Relaxed);
                inside.poll_next_unpin(cx).map(drop)
            })
            .await;
        });
        sleep(10).await;
        task.cancel();
        task.await.unwrap();
        assert_eq!(clock.ms(), 2_510);
        let polls = polls.load(Ordering::Relaxed);
        assert!(polls < 30, "{polls} polls");
    });
}

#[test]
fn a_region_that_was_told_and_is_then_kept_holds_up_for_two_seconds_at_most() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let _ = cancellable(pending::<()>()).await;
            let mut shielded = Box::pin(shield(sleep(5_000)));
            begin(&mut shielded).await;
            sleep(1).await;
        });
        sleep(10).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 2_010);
    });
}

#[test]
fn a_forgotten_region_holds_up_for_a_second_at_most() {
    on_virtual_time(|clock| async move {
        let task = spawn(async {
            let mut shielded = Box::pin(shield(pending::<()>()));
            begin(&mut shielded).await;
            std::mem::forget(shielded);
            sleep(5_000).await;
        });
        sleep(10).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.ms(), 1_010);
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
