#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! A fork is noticed. Alone in its file: a process that forks must have no other tests running.
#![cfg(target_os = "linux")]

mod fixtures;

use fixtures::{Reports, both_flavors, every_reactor};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::time::Duration;
use weftwork::Runtime;
use weftwork::net::UnixStream;
use weftwork::runtime::UnhandledKind;

// The C library that std stands on; declared here because no crate of this workspace forks.
unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

/// Runs `child` in a fork of this process and gives the status that `waitpid` does.
fn in_a_fork(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child has one thread, uses only what that thread holds no lock of, and ends in _exit.
    let process = unsafe { fork() };
    assert!(process >= 0, "the system refused to fork");
    if process == 0 {
        set_hook(Box::new(|_| {}));
        let code = catch_unwind(AssertUnwindSafe(child)).unwrap_or(99);
        // SAFETY: ends the child without running what the parent registered for its own end.
        unsafe { _exit(code) }
    }
    let mut status = 0;
    // SAFETY: the process is this one's child, and the status is written to a place of its own.
    let waited = unsafe { waitpid(process, &raw mut status, 0) };
    assert_eq!(waited, process);
    status
}

/// Whether `f` panics with a text that says what to do after a fork.
fn is_refused<R>(f: impl FnOnce() -> R) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { return false };
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    text.is_some_and(|text| text.contains("forked") && text.contains("new runtime"))
}

/// What the child found wrong, as its exit code.
fn use_in_the_child(runtime: Runtime, reports: &Reports) -> i32 {
    if !is_refused(|| runtime.spawn(async {})) {
        return 1;
    }
    if !is_refused(|| runtime.block_on(async {})) {
        return 2;
    }
    if !is_refused(|| runtime.handle().block_on(async {})) {
        return 3;
    }
    // The one thread that was copied may have entered the runtime.
    let entered = runtime.enter();
    if !is_refused(|| weftwork::spawn(async {})) {
        return 4;
    }
    if !is_refused(|| weftwork_sync::block_on(weftwork::sleep(Duration::from_millis(1)))) {
        return 5;
    }
    if !is_refused(|| weftwork_sync::block_on(weftwork::to_thread(|| ()))) {
        return 6;
    }
    if UnixStream::pair().is_ok() {
        return 7;
    }
    drop(entered);
    drop(runtime);
    if reports.of(UnhandledKind::Forked).is_empty() {
        return 8;
    }
    0
}

#[test]
fn a_fork_is_noticed_and_the_parent_goes_on() {
    both_flavors(|builder| {
        let reports = Reports::default();
        let runtime = builder.on_unhandled(reports.hook()).build().unwrap();
        assert_eq!(runtime.block_on(async { weftwork::spawn(async { 1 }).await.unwrap() }), 1);
        let handle = runtime.handle().clone();
        let mut runtime = Some(runtime);
        let status = in_a_fork(|| use_in_the_child(runtime.take().unwrap(), &reports));
        assert_eq!(status, 0, "the child ended with code {}", status >> 8);
        let runtime = runtime.take().unwrap();
        assert_eq!(runtime.block_on(async { weftwork::spawn(async { 2 }).await.unwrap() }), 2);
        assert!(reports.all().is_empty(), "nothing happened in the parent");
        drop(runtime);
        assert!(handle.spawn(async {}).is_finished());
    });
    // Whichever way a child ends its copy, nothing of it is dropped or run.
    both_flavors(|builder| {
        let runtime = builder.watchdog(false).build().unwrap();
        for _ in 0..3 {
            runtime.spawn(std::future::pending::<()>()).detach();
        }
        let mut runtime = Some(runtime);
        let status = in_a_fork(|| {
            runtime.take().unwrap().shutdown_background();
            0
        });
        assert_eq!(status, 0, "the child ended with status {status:#x}");
    });
    // A child that drops a socket leaves it to the parent, whose reactor goes on hearing of it.
    every_reactor(|builder| {
        let runtime = builder.build().unwrap();
        let (mut reader, writer) = {
            let _entered = runtime.enter();
            let (reader, writer) = UnixStream::pair().unwrap();
            (Some(reader), writer)
        };
        let status = in_a_fork(|| {
            drop(reader.take());
            0
        });
        assert_eq!(status, 0);
        let reader = reader.take().unwrap();
        let heard = runtime.block_on(async {
            let reading = weftwork::spawn(async move { reader.read(&mut [0]).await });
            weftwork::testing::settle().await;
            writer.write_all(b"x").await.unwrap();
            reading.await.unwrap()
        });
        assert_eq!(heard.unwrap(), 1);
    });
    // The child may start a runtime of its own.
    both_flavors(|builder| {
        let status = in_a_fork(|| builder.run(async { weftwork::spawn(async { 0 }).await.unwrap() }).unwrap());
        assert_eq!(status, 0, "the child ended with code {}", status >> 8);
    });
}
