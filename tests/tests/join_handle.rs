#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Handles of tasks: dropped, awaited, given up, taken from, kept beyond the runtime.

mod fixtures;

use fixtures::{both_flavors, waiting};
use futures::future::poll_fn;
use std::future::pending;
use std::task::Poll;
use weftwork::sync::oneshot;
use weftwork::task::{CancelKind, yield_now};
use weftwork::testing::{ManualClock, settle};
use weftwork::time::{Duration, Elapsed, timeout};
use weftwork::{Runtime, spawn, task};

#[test]
fn dropping_a_handle_detaches() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (sender, receiver) = oneshot::channel();
                drop(spawn(async move {
                    yield_now().await;
                    sender.send(3).unwrap();
                }));
                assert_eq!(receiver.await, Ok(3));
            })
            .unwrap();
    });
}

#[test]
fn an_outcome_can_be_taken_without_waiting() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (sender, receiver) = oneshot::channel::<u8>();
                let mut task = spawn(async move { receiver.await.unwrap() });
                assert!(task.try_take().is_none());
                sender.send(9).unwrap();
                while !task.is_finished() {
                    yield_now().await;
                }
                assert_eq!(task.try_take().unwrap().unwrap(), 9);
            })
            .unwrap();
    });
}

#[test]
fn a_handle_that_cancels_when_dropped_does_so() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (task, drops) = waiting().await;
                drop(task.cancel_on_drop());
                settle().await;
                assert_eq!(drops.count(), 1);

                let (task, drops) = waiting().await;
                let kept = task.cancel_on_drop().into_inner();
                settle().await;
                assert_eq!(drops.count(), 0, "it was turned back into a plain handle");
                kept.cancel();
                assert!(kept.await.unwrap_err().is_cancelled());

                let quick = spawn(async { 4 }).cancel_on_drop();
                assert_eq!(quick.await.unwrap(), 4);
            })
            .unwrap();
    });
}

#[test]
fn giving_up_awaiting_a_handle_loses_nothing() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let (sender, receiver) = oneshot::channel::<u8>();
                let mut task = spawn(async move { receiver.await.unwrap() });
                let late = spawn({
                    let clock = clock.clone();
                    async move {
                        settle().await;
                        clock.advance(Duration::from_secs(1));
                    }
                });
                assert_eq!(timeout(Duration::from_secs(1), &mut task).await.err(), Some(elapsed().await));
                late.await.unwrap();
                assert!(!task.is_finished(), "a task awaited by reference goes on");
                sender.send(8).unwrap();
                assert_eq!(task.await.unwrap(), 8);
            })
            .unwrap();
    });
}

/// What a timeout says.
async fn elapsed() -> Elapsed {
    timeout(Duration::ZERO, pending::<()>()).await.unwrap_err()
}

#[test]
fn a_handle_may_be_awaited_by_one_task_after_another() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (sender, receiver) = oneshot::channel::<u8>();
                let mut task = spawn(async move { receiver.await.unwrap() });
                for _ in 0..3 {
                    let waiter = spawn(async move {
                        let polled = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut task).poll(cx).is_ready())).await;
                        assert!(!polled);
                        task
                    });
                    task = waiter.await.unwrap();
                }
                sender.send(1).unwrap();
                assert_eq!(task.await.unwrap(), 1);
            })
            .unwrap();
    });
}

#[test]
fn a_named_task_is_named_in_its_debug_form_and_says_how_far_it_is() {
    both_flavors(|builder| {
        builder
            .run(async {
                let mut task = task::Builder::new().name("clerk").spawn(pending::<()>()).unwrap();
                assert_eq!(task.name(), Some("clerk"));
                let text = format!("{task:?}");
                assert!(text.contains("\"clerk\"") && text.contains(file!()), "{text}");
                task.cancel();
                assert!((&mut task).await.unwrap_err().is_cancelled());
                assert!(format!("{task:?}").contains("finished"));
            })
            .unwrap();
    });
}

#[test]
fn a_handle_outlives_its_runtime() {
    both_flavors(|builder| {
        let runtime: Runtime = builder.build().unwrap();
        let mut finished = runtime.spawn(async { 1 });
        let (cut, drops) = runtime.block_on(async {
            assert_eq!((&mut finished).await.unwrap(), 1);
            waiting().await
        });
        let unread = runtime.block_on(async {
            let task = spawn(async { 2 });
            while !task.is_finished() {
                yield_now().await;
            }
            task
        });
        drop(runtime);
        assert_eq!(drops.count(), 1);
        assert!(!cut.cancel());
        assert_eq!(cut.cancel_cause().unwrap().kind, CancelKind::Shutdown);
        assert_eq!(futures::executor::block_on(unread).unwrap(), 2);
        let error = futures::executor::block_on(cut).unwrap_err();
        assert_eq!(error.cancel_cause().unwrap().kind, CancelKind::Shutdown);
        assert!(finished.is_finished());
    });
}
