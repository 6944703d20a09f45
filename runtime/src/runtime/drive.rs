//! Running a main future on the calling thread.
//!
//! The main future is a task like any other, pinned to the worker that the calling thread is: it is woken, queued, polled
//! and accounted for by the same code, and takes its turn among the others. Only that its future may borrow from the
//! caller's frame; it has ended, or been dropped, before the frame is left.

use crate::context;
use crate::scheduler::Core;
use crate::scheduler::worker::Worker;
use crate::scope::frame;
use crate::task::{JoinError, JoinHandle, Spec, TaskId};
use core::future::Future;
use core::panic::Location;
use weftwork_sync::primitive::atomic::Ordering;
use weftwork_sync::primitive::{Shared, thread};

/// # Panics
/// If the calling thread is a worker.
#[track_caller]
pub(super) fn assert_outside() {
    assert!(
        !context::is_worker(),
        "a runtime cannot be run or waited for inside of a runtime, because that would block a worker: await the future \
         instead, spawn it, or call to_thread for code that has to block"
    );
}

/// Runs a future to its end, from a thread that is no worker.
#[track_caller]
pub(super) fn block_on<F: Future>(core: &Shared<Core>, future: F, location: &'static Location<'static>) -> F::Output {
    assert_outside();
    super::fork::assert_parent(core);
    if core.config.multi {
        let _entered = context::enter(core.clone());
        return frame::outside(|| weftwork_sync::block_on(future));
    }
    let Some(_seat) = Seat::take(core) else {
        panic!(
            "another thread is driving this current-thread runtime: spawn onto its Handle, and wait with Handle::block_on"
        );
    };
    move_home(core);
    run_as_worker(core, future, location)
}

/// Makes the calling thread, which holds the seat, the one that may poll local tasks, unless another has some.
#[track_caller]
fn move_home(core: &Core) {
    let mut home = core.home.lock();
    if home.is_none_or(|home| home == thread::current_id()) {
        return;
    }
    assert!(
        !core.has_local_tasks(),
        "this current-thread runtime has local tasks of another thread, so it can be driven by that thread alone until they \
         have ended"
    );
    *home = None;
}

/// The one seat of a current-thread runtime, while a thread drives it.
struct Seat<'a>(&'a Core);

impl<'a> Seat<'a> {
    fn take(core: &'a Shared<Core>) -> Option<Self> {
        // Ordering: Acquire pairs with the Release of whoever drove before.
        (!core.driven.swap(true, Ordering::AcqRel)).then_some(Self(core))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.driven.store(false, Ordering::Release);
    }
}

/// Ends the process if it is dropped: the main future borrows from a frame that must not be left before it has ended.
struct Unfinished;

impl Drop for Unfinished {
    fn drop(&mut self) {
        crate::observe::events::stderr(format_args!(
            "a worker panicked outside of every task; this is a bug in weftwork, the process ends"
        ));
        std::process::abort();
    }
}

/// Sits at slot 0 and runs tasks until the main future has ended.
pub(super) fn run_as_worker<F: Future>(
    core: &Shared<Core>,
    future: F,
    location: &'static Location<'static>,
) -> F::Output {
    crate::platform::sharpen_timers();
    let worker = Worker::sit(core.clone(), 0);
    let sat = || {
        core.watchdog.stir(core, 0);
        let spec = Spec { id: TaskId::next(), location, owner: 0, pinned: true };
        // SAFETY: pinned to this worker; the loop below, or the abort, keeps this frame until the future has been dropped.
        let task = unsafe { Core::spawn(core, future, spec, "main") };
        // SAFETY: a new task with that output.
        let mut main: JoinHandle<F::Output> = unsafe { JoinHandle::from_ptr(task) };
        let unfinished = Unfinished;
        let outcome = loop {
            if let Some(outcome) = main.try_take() {
                break outcome;
            }
            let _ = worker.step();
        };
        core::mem::forget(unfinished);
        worker.leave();
        outcome
    };
    let outcome = frame::outside(|| context::sit(&worker, sat));
    drop(worker);
    match outcome {
        Ok(output) => output,
        Err(JoinError::Panicked(panic)) => panic.resume(),
        Err(error) => panic!("the main future did not finish: {error}"),
    }
}
