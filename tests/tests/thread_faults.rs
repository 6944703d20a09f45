#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! A system that gives no threads and no descriptors: typed errors, and what runs goes on.
//!
//! One test, because a fault point is the whole process's.

mod fixtures;

use fixtures::{Opener, Reports, both_flavors, gate, threads_named, two_workers};
use std::error::Error;
use std::thread;
use weftwork::runtime::{BuildError, UnhandledKind};
use weftwork::testing::fault::{Point, arm, disarm};
use weftwork::time::Duration;
use weftwork::{OffloadError, spawn, to_thread};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

fn a_runtime_that_gets_no_threads_is_an_error() {
    for nth in 1..=3 {
        arm(Point::ThreadStart, nth, u64::MAX);
        let built = two_workers().thread_name("faulty").build();
        disarm(Point::ThreadStart);
        let error = built.unwrap_err();
        assert!(matches!(error, BuildError::Thread(_)), "{error:?}");
        assert!(error.to_string().contains("raise the limit on threads"), "{error}");
        assert!(error.source().is_some());
    }
    // Those that had started have been told to leave.
    while threads_named("faulty") > 0 {
        thread::yield_now();
    }
}

fn a_runtime_whose_threads_cannot_be_called_so_is_an_error() {
    let error = two_workers().thread_name("a\0b").build().unwrap_err();
    assert!(matches!(error, BuildError::Thread(_)), "{error:?}");
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::InvalidInput, "{source}");
}

fn a_runtime_that_gets_no_descriptor_is_an_error() {
    both_flavors(|builder| {
        arm(Point::Descriptor, 1, u64::MAX);
        let built = builder.build();
        disarm(Point::Descriptor);
        let error = built.unwrap_err();
        assert!(matches!(error, BuildError::Reactor(_)), "{error:?}");
        assert!(error.to_string().contains("open files"), "{error}");
    });
}

fn a_blocking_call_that_gets_no_thread_is_an_error_and_the_next_is_not() {
    both_flavors(|builder| {
        builder
            .run(async {
                arm(Point::ThreadStart, 1, 1);
                let error = to_thread(|| ()).await.unwrap_err();
                disarm(Point::ThreadStart);
                assert!(matches!(error, OffloadError::NoThread(_)), "{error:?}");
                assert_eq!(to_thread(|| 2).await.unwrap(), 2);
                // With a thread alive a refused start delays, and fails nothing.
                arm(Point::ThreadStart, 1, u64::MAX);
                let calls: Vec<_> = (0..20).map(|call| spawn(to_thread(move || call))).collect();
                for call in calls {
                    call.await.unwrap().unwrap();
                }
                disarm(Point::ThreadStart);
            })
            .unwrap();
    });
}

fn a_spare_that_gets_no_thread_is_reported_and_the_runtime_goes_on() {
    let reports = Reports::default();
    let runtime = two_workers().slow_poll(LONG).on_unhandled(reports.hook()).build().unwrap();
    // The pool, from which reports are made, has its thread already.
    runtime.block_on(to_thread(|| ())).unwrap();
    arm(Point::ThreadStart, 1, u64::MAX);
    let openers: Vec<_> = (0..2)
        .map(|_| {
            let ((inside, entered), (opener, closed)) = (gate(), gate());
            runtime
                .spawn(async move {
                    inside.open();
                    closed.wait();
                })
                .detach();
            entered.wait();
            opener
        })
        .collect();
    let report = reports.wait_for(|report| report.kind == UnhandledKind::NoSpare);
    assert!(report.text.contains("spare"), "{}", report.text);
    disarm(Point::ThreadStart);
    // The next attempt succeeds, while both workers are still blocked.
    assert_eq!(runtime.block_on(runtime.spawn(async { 3 })).unwrap(), 3);
    openers.iter().for_each(Opener::open);
    runtime.shutdown_timeout(LONG).unwrap();
    assert_eq!(reports.of(UnhandledKind::NoSpare).len(), 1);
}

#[test]
fn a_system_without_threads_and_descriptors_gives_typed_errors() {
    a_runtime_that_gets_no_threads_is_an_error();
    a_runtime_whose_threads_cannot_be_called_so_is_an_error();
    a_runtime_that_gets_no_descriptor_is_an_error();
    a_blocking_call_that_gets_no_thread_is_an_error_and_the_next_is_not();
    a_spare_that_gets_no_thread_is_reported_and_the_runtime_goes_on();
}
