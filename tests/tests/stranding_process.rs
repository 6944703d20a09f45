#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What a runtime leaves to its process: memory, and a process whose stderr is gone.
//!
//! A program of its own for its allocator, which counts, and because one test starts this program again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::pending;
use std::io;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::mpsc::channel;
use weftwork::runtime::Builder;
use weftwork::time::Duration;
use weftwork::{Runtime, spawn};

/// How long a test waits before it says that something is stranded.
const PATIENCE: Duration = Duration::from_secs(30);
/// The size of the futures that are counted.
const BIG: usize = 40_000;
/// What a task adds to its future at most. Nothing else here allocates as much as that, so it is what is counted.
const HEADER: usize = 512;

/// Allocations that live and are of a task with a big future.
static LIVE: AtomicIsize = AtomicIsize::new(0);

fn is_big(layout: Layout) -> bool {
    (BIG..=BIG + HEADER).contains(&layout.size())
}

struct Counting;

// SAFETY: the system's allocator, and a count beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(is_big(layout).into(), Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(is_big(layout).into(), Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// A future too big to be overlooked, which never ends.
async fn big() {
    let big = [0_u8; BIG];
    pending::<()>().await;
    std::hint::black_box(&big);
}

/// Ends a runtime that has tasks, and looks what is left of them.
fn leaves_nothing(runtime: Runtime, waits: impl FnOnce(&Runtime)) {
    waits(&runtime);
    assert!(LIVE.load(Ordering::SeqCst) >= 40, "the tasks were there");
    runtime.shutdown_timeout(PATIENCE).unwrap();
    assert_eq!(LIVE.load(Ordering::SeqCst), 0);
}

#[test]
fn tasks_cancelled_at_shutdown_leave_no_memory() {
    let spawning = |runtime: &Runtime| {
        // From a worker, which owns them then.
        let spawned = runtime.spawn(async { (0..40).for_each(|_| spawn(big()).detach()) });
        runtime.block_on(spawned).unwrap();
    };
    for workers in [1, 2] {
        leaves_nothing(Builder::new_multi_thread().worker_threads(workers).build().unwrap(), spawning);
    }
    leaves_nothing(Builder::new_current_thread().build().unwrap(), spawning);
    // From outside.
    leaves_nothing(Builder::new_multi_thread().worker_threads(1).build().unwrap(), |runtime| {
        (0..40).for_each(|_| runtime.spawn(big()).detach());
    });
    // While handles are held until after the end.
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let handles: Vec<_> = (0..40).map(|_| runtime.spawn(big())).collect();
    runtime.shutdown_timeout(PATIENCE).unwrap();
    drop(handles);
    assert_eq!(LIVE.load(Ordering::SeqCst), 0);
}

/// Set where this program is to have no stderr.
const CHILD: &str = "WEFTWORK_TEST_WITHOUT_STDERR";

#[test]
fn a_closed_stderr_ends_no_worker() {
    if std::env::var_os(CHILD).is_some() {
        return reports_into_nowhere();
    }
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let child = Command::new(std::env::current_exe().unwrap())
        // With capture the reports would not reach stderr.
        .args(["--exact", "a_closed_stderr_ends_no_worker", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stderr(writer)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{:?}: {said}", child.status);
}

fn reports_into_nowhere() {
    use io::Write;
    assert_eq!(io::stderr().write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    let builders = [
        Builder::new_multi_thread().worker_threads(1).watchdog(false),
        Builder::new_multi_thread().worker_threads(1).watchdog(false).on_unhandled(|_| panic!("the hook")),
    ];
    for builder in builders {
        let runtime = builder.build().unwrap();
        for _ in 0..5 {
            runtime.spawn(async { panic!("the task") }).detach();
            let (running, ran) = channel();
            runtime.spawn(async move { running.send(()) }).detach();
            ran.recv_timeout(PATIENCE).expect("the worker lives");
        }
        runtime.shutdown_timeout(PATIENCE).unwrap();
    }
}
