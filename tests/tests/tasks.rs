#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Tasks: spawned, joined, cancelled, contained.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use weftwork::runtime::Builder;
use weftwork::{JoinError, block_in_place, spawn};

fn both_flavors(test: impl Fn(Builder)) {
    test(Builder::new_current_thread());
    test(Builder::new_multi_thread().worker_threads(2));
}

#[test]
fn run_gives_the_value_of_the_main_future() {
    both_flavors(|builder| assert_eq!(builder.run(async { 6 * 7 }).unwrap(), 42));
}

#[test]
fn a_spawned_task_gives_its_value_to_its_handle() {
    both_flavors(|builder| {
        let sum = builder
            .run(async {
                let handles: Vec<_> = (0..1000_u64).map(|i| spawn(async move { i })).collect();
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await.unwrap();
                }
                sum
            })
            .unwrap();
        assert_eq!(sum, 499_500);
    });
}

#[test]
fn tasks_that_yield_all_end() {
    both_flavors(|builder| {
        builder
            .run(async {
                let handles: Vec<_> = (0..100)
                    .map(|_| {
                        spawn(async {
                            for _ in 0..100 {
                                weftwork::task::yield_now().await;
                            }
                        })
                    })
                    .collect();
                for handle in handles {
                    handle.await.unwrap();
                }
            })
            .unwrap();
    });
}

#[test]
fn a_cancelled_task_drops_its_future_and_says_why() {
    both_flavors(|builder| {
        builder
            .run(async {
                let held = Arc::new(());
                let theirs = held.clone();
                let handle = spawn(async move {
                    let _theirs = theirs;
                    std::future::pending::<()>().await;
                });
                weftwork::task::yield_now().await;
                assert!(handle.cancel_with("enough"));
                assert!(!handle.cancel());
                let Err(JoinError::Cancelled(cause)) = handle.await else { panic!("not cancelled") };
                assert_eq!(cause.message.as_deref(), Some("enough"));
                assert_eq!(Arc::strong_count(&held), 1);
            })
            .unwrap();
    });
}

#[test]
fn a_panic_stays_in_its_task() {
    both_flavors(|builder| {
        builder
            .run(async {
                let error = spawn(async { panic!("boom") }).await.unwrap_err();
                assert_eq!(error.into_panic().unwrap().message(), Some("boom"));
                assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
            })
            .unwrap();
    });
}

#[test]
fn tasks_left_at_the_end_of_run_are_dropped() {
    both_flavors(|builder| {
        let held = Arc::new(AtomicUsize::new(0));
        struct Count(Arc<AtomicUsize>);
        impl Drop for Count {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let counted = held.clone();
        builder
            .run(async move {
                for _ in 0..100 {
                    let count = Count(counted.clone());
                    spawn(async move {
                        let _count = count;
                        std::future::pending::<()>().await;
                    })
                    .detach();
                }
            })
            .unwrap();
        assert_eq!(held.load(Ordering::Relaxed), 100);
    });
}

#[test]
fn a_runtime_can_be_driven_from_outside() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let handles: Vec<_> = (0..1000_u64).map(|i| runtime.spawn(async move { i })).collect();
    let sum = runtime.block_on(async {
        let mut sum = 0;
        for handle in handles {
            sum += handle.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 499_500);
    runtime.shutdown_timeout(std::time::Duration::from_secs(5)).unwrap();
}

#[test]
fn a_panic_unread_on_a_plain_thread_reaches_the_hook_of_its_runtime() {
    let (send, reports) = std::sync::mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        // Printing the panic may take long enough for a report of its own; that is not what is counted here.
        .slow_poll(std::time::Duration::from_secs(3600))
        .on_unhandled(move |what| send.send((what.kind, what.message.map(str::to_owned))).unwrap())
        .build()
        .unwrap();
    let handle = runtime.spawn(async { panic!("unread") });
    while !handle.is_finished() {
        std::thread::yield_now();
    }
    drop(handle);
    let (kind, message) = reports.try_recv().unwrap();
    assert_eq!((kind, message.as_deref()), (weftwork::runtime::UnhandledKind::TaskPanicked, Some("unread")));
    assert!(reports.try_recv().is_err(), "it is reported once");
}

/// A task whose first poll does `wake` with its own waker and then waits.
async fn woken_by(wake: fn(Waker)) {
    let mut begun = false;
    poll_fn(move |cx| {
        if begun {
            return Poll::Ready(());
        }
        begun = true;
        wake(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

#[test]
fn a_poll_that_is_woken_from_inside_is_repeated_whoever_wakes_it() {
    let ways: [fn(Waker); 5] = [
        |waker| waker.wake(),
        |waker| drop(std::thread::spawn(move || waker.wake()).join()),
        |waker| futures::executor::block_on(async { waker.wake() }),
        |waker| block_in_place(|| weftwork_sync::block_on(async { waker.wake() })),
        |waker| {
            // A task of a runtime that runs inside of the poll, on the same thread.
            let other = Builder::new_current_thread();
            block_in_place(|| other.run(async { spawn(async { waker.wake() }).await.unwrap() }).unwrap());
        },
    ];
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for wake in ways {
        runtime.block_on(async { spawn(woken_by(wake)).await.unwrap() });
    }
}
