#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Blocking calls beside the workers: begun, awaited, abandoned, waited for, and what they find inside.

mod fixtures;

use fixtures::{Drops, Reports, both_flavors, gate, poll_once, two_workers};
use futures::future::join_all;
use std::io;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use weftwork::runtime::{Builder, UnhandledKind};
use weftwork::sync::oneshot;
use weftwork::task::yield_now;
use weftwork::time::Duration;
use weftwork::{Handle, OffloadError, ThreadPool, check_cancelled, is_cancelled, run_in_executor, spawn, to_thread};

#[test]
fn a_blocking_call_runs_on_a_thread_of_the_pool_and_gives_its_value() {
    both_flavors(|builder| {
        builder
            .thread_name("offl")
            .run(async {
                let here = thread::current().id();
                let (there, name) = to_thread(|| {
                    let thread = thread::current();
                    (thread.id(), thread.name().map(str::to_owned))
                })
                .await
                .unwrap();
                assert_ne!(here, there);
                assert!(name.unwrap().starts_with("offl-blocking"));
                assert_eq!(Handle::current().metrics().blocking_threads, 1);
            })
            .unwrap();
    });
}

#[test]
fn tasks_go_on_while_calls_block() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (opener, closed) = gate();
                let call = spawn(to_thread(move || closed.wait()));
                let opened = spawn(async move {
                    yield_now().await;
                    opener.open();
                });
                opened.await.unwrap();
                call.await.unwrap().unwrap();
            })
            .unwrap();
    });
}

#[test]
fn a_call_begins_when_it_is_first_polled() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
                let (theirs, token) = (ran.clone(), drops.token());
                let call = to_thread(move || {
                    let _token = token;
                    theirs.fetch_add(1, Ordering::SeqCst);
                });
                assert!(format!("{call:?}").contains("not begun"));
                drop(call);
                assert_eq!((ran.load(Ordering::SeqCst), drops.count()), (0, 1));
            })
            .unwrap();
    });
}

#[test]
fn the_callers_runtime_is_current_inside() {
    both_flavors(|builder| {
        builder
            .run(async {
                let spawned = to_thread(|| {
                    assert!(Handle::try_current().is_ok());
                    spawn(async { 5 })
                });
                assert_eq!(spawned.await.unwrap().await.unwrap(), 5);
                let waited = to_thread(|| Handle::current().block_on(async { spawn(async { 6 }).await.unwrap() }));
                assert_eq!(waited.await.unwrap(), 6);
            })
            .unwrap();
    });
}

#[test]
fn calls_can_be_nested() {
    both_flavors(|builder| {
        let depth = builder
            .run(to_thread(|| {
                Handle::current().block_on(async {
                    let inner = to_thread(|| Handle::current().block_on(to_thread(|| 3)).unwrap());
                    inner.await.unwrap()
                })
            }))
            .unwrap();
        assert_eq!(depth.unwrap(), 3);
    });
}

#[test]
fn more_calls_than_threads_all_end() {
    both_flavors(|builder| {
        builder
            .max_blocking_threads(2)
            .run(async {
                let calls: Vec<_> = (0..200_u64).map(|call| spawn(to_thread(move || call))).collect();
                let sum: u64 = join_all(calls).await.into_iter().map(|call| call.unwrap().unwrap()).sum();
                assert_eq!(sum, (0..200).sum());
                assert!(Handle::current().metrics().blocking_threads <= 2);
            })
            .unwrap();
    });
}

// Giving up.

#[test]
fn a_call_whose_caller_is_gone_can_ask() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (begin, begun) = oneshot::channel();
                let (end, ended) = oneshot::channel();
                let call = spawn(to_thread(move || {
                    assert!(!is_cancelled());
                    assert!(check_cancelled().is_ok());
                    begin.send(()).unwrap();
                    while check_cancelled().is_ok() {
                        thread::yield_now();
                    }
                    end.send(is_cancelled()).unwrap();
                }));
                begun.await.unwrap();
                call.cancel();
                assert!(call.await.unwrap_err().is_cancelled(), "the caller does not wait");
                assert_eq!(ended.await, Ok(true));
            })
            .unwrap();
    });
}

#[test]
fn outside_of_a_call_nothing_is_cancelled() {
    assert!(!is_cancelled());
    assert!(check_cancelled().is_ok());
}

#[test]
fn a_call_that_was_given_up_before_it_began_never_runs() {
    both_flavors(|builder| {
        builder
            .max_blocking_threads(1)
            .run(async {
                let ((opener, closed), (begin, begun)) = (gate(), oneshot::channel());
                let first = spawn(to_thread(move || {
                    begin.send(()).unwrap();
                    closed.wait();
                }));
                begun.await.unwrap();
                let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
                let (theirs, token) = (ran.clone(), drops.token());
                let mut second = to_thread(move || {
                    let _token = token;
                    theirs.fetch_add(1, Ordering::SeqCst)
                });
                assert!(poll_once(&mut second).is_pending());
                drop(second);
                opener.open();
                first.await.unwrap().unwrap();
                // The one thread takes what is queued in turn, so a third call comes after the second's place.
                to_thread(|| ()).await.unwrap();
                assert_eq!((ran.load(Ordering::SeqCst), drops.count()), (0, 1));
            })
            .unwrap();
    });
}

#[test]
fn the_result_of_an_abandoned_call_is_dropped() {
    both_flavors(|builder| {
        let drops = Drops::default();
        builder
            .run(async {
                let ((opener, closed), (begin, begun)) = (gate(), oneshot::channel());
                let token = drops.token();
                let call = spawn(to_thread(move || {
                    begin.send(()).unwrap();
                    closed.wait();
                    token
                }));
                begun.await.unwrap();
                call.cancel();
                assert!(call.await.is_err());
                assert_eq!(drops.count(), 0, "it still runs");
                opener.open();
            })
            .unwrap();
        assert_eq!(drops.count(), 1);
    });
}

/// A value whose destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb");
    }
}

#[test]
fn what_nobody_reads_of_a_call_is_told() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let pool = ThreadPool::new(1);
        builder
            .on_unhandled(reports.hook())
            .run(async {
                // The caller leaves while the closure runs, and after it has ended.
                for ended in [false, true] {
                    let ((opener, closed), (begin, begun)) = (gate(), oneshot::channel());
                    let mut call = Box::pin(run_in_executor(&pool, move || {
                        begin.send(()).unwrap();
                        closed.wait();
                        if ended { Some(Bomb) } else { panic!("the call") }
                    }));
                    assert!(poll_once(&mut call).is_pending());
                    begun.await.unwrap();
                    if ended {
                        opener.open();
                        // The pool's one thread has finished it when it has run another.
                        run_in_executor(&pool, || ()).await.unwrap();
                    }
                    drop(call);
                    opener.open();
                    run_in_executor(&pool, || ()).await.unwrap();
                }
            })
            .unwrap();
        let told = |kind| reports.of(kind).into_iter().map(|report| report.message.unwrap()).collect::<Vec<_>>();
        assert_eq!(told(UnhandledKind::BlockingPanicked), ["the call"]);
        assert_eq!(told(UnhandledKind::BlockingResultDropPanicked), ["the bomb"]);
    });
}

#[test]
fn a_call_joined_on_cancel_is_not_told() {
    both_flavors(|builder| {
        builder
            .run(async {
                let ((opener, closed), (begin, begun)) = (gate(), oneshot::channel());
                let (end, ended) = oneshot::channel();
                let call = to_thread(move || {
                    begin.send(()).unwrap();
                    closed.wait();
                    end.send(is_cancelled()).unwrap();
                });
                let call = spawn(call.join_on_cancel());
                begun.await.unwrap();
                call.cancel();
                yield_now().await;
                assert!(!call.is_finished(), "the cancelled task waits for what it has begun");
                opener.open();
                call.await.unwrap().unwrap();
                assert_eq!(ended.await, Ok(false));
            })
            .unwrap();
    });
}

// Failing.

#[test]
fn a_panic_goes_to_whoever_awaits_the_call() {
    both_flavors(|builder| {
        builder
            .run(async {
                let error = to_thread(|| panic!("no such table")).await.unwrap_err();
                assert_eq!(error.to_string(), "the blocking job panicked: no such table");
                let OffloadError::Panicked(panic) = error else { panic!("{error:?}") };
                assert_eq!(panic.message(), Some("no such table"));
                assert_eq!(to_thread(|| 1).await.unwrap(), 1, "the pool goes on");
            })
            .unwrap();
    });
}

#[test]
fn a_call_outside_of_a_runtime_panics_with_advice() {
    let payload = catch_unwind(|| futures::executor::block_on(to_thread(|| ())).is_ok()).unwrap_err();
    let text = payload.downcast_ref::<String>().unwrap();
    assert!(text.contains("no weftwork runtime"), "{text}");
}

#[test]
fn every_failure_says_what_to_do() {
    let refused = OffloadError::NoThread(io::Error::from_raw_os_error(11)).to_string();
    assert!(refused.contains("raise the limit on threads"), "{refused}");
    assert!(OffloadError::ShutDown.to_string().contains("keep the pool alive"));
    assert!(OffloadError::QueueFull.to_string().contains("wait for earlier jobs"));
    assert!(OffloadError::Cancelled.to_string().contains("before it began"));
}

#[test]
fn a_call_that_shutdown_leaves_behind_is_named() {
    let runtime = two_workers().build().unwrap();
    let ((opener, closed), (begin, begun)) = (gate(), gate());
    let call = runtime.spawn(
        to_thread(move || {
            begin.open();
            closed.wait();
        })
        .join_on_cancel()
        .named("migration"),
    );
    begun.wait();
    let error = runtime.shutdown_timeout(Duration::from_millis(10)).unwrap_err();
    assert_eq!(error.blocking, ["migration"]);
    assert!(error.tasks.is_empty() && error.to_string().contains("migration"), "{error}");
    assert!(call.is_finished());
    opener.open();
}

// Pools of the caller's choice.

#[test]
fn a_pool_of_the_callers_choice_runs_the_call() {
    let pool = ThreadPool::builder().max_threads(1).thread_name("mine").build();
    both_flavors(|builder| {
        builder
            .run(async {
                let name = run_in_executor(&pool, || thread::current().name().map(str::to_owned)).await.unwrap();
                assert!(name.unwrap().starts_with("mine"));
                let current = run_in_executor(&pool, || Handle::try_current().is_ok()).await.unwrap();
                assert!(current, "the caller's runtime is current inside");
                assert_eq!(Handle::current().metrics().blocking_threads, 0, "the runtime's own pool is not used");
            })
            .unwrap();
    });
}

#[test]
fn a_pool_runs_calls_without_a_runtime() {
    let pool = ThreadPool::new(1);
    let call = run_in_executor(&pool, || Handle::try_current().is_ok());
    assert!(!futures::executor::block_on(call).unwrap());
}

#[test]
fn a_call_on_a_pool_is_submitted_at_once() {
    let pool = ThreadPool::new(1);
    let (begin, begun) = gate();
    let call = run_in_executor(&pool, move || begin.open());
    begun.wait();
    futures::executor::block_on(call).unwrap();
}

#[test]
fn a_pool_that_was_shut_down_says_so() {
    let pool = ThreadPool::new(1);
    pool.shutdown(None).unwrap();
    Builder::new_current_thread()
        .run(async {
            let error = run_in_executor(&pool, || ()).await.unwrap_err();
            assert!(matches!(error, OffloadError::ShutDown), "{error:?}");
        })
        .unwrap();
}

// Plain threads.

#[test]
fn plain_threads_may_call_and_wait() {
    let runtime = two_workers().build().unwrap();
    let threads: Vec<_> = (0..4_u64)
        .map(|thread| {
            let handle = runtime.handle().clone();
            thread::spawn(move || handle.block_on(async move { to_thread(move || thread).await.unwrap() }))
        })
        .collect();
    let sum: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(sum, (0..4).sum());
}
