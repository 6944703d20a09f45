//! Running a main future on the calling thread.
//!
//! The main future is a task like any other, pinned to the worker that the calling thread is: it is woken, queued, polled
//! and accounted for by the same code, and takes its turn among the others. Only that its future may borrow from the
//! caller's frame; it has ended, or been dropped, before the frame is left.
//!
//! At the end of a run a second such task, the wind-down, has all others end; `block_on`, after which the runtime goes on, does
//! nothing of the kind.

use super::{idle_clock, interrupts};
use crate::context;
use crate::scheduler::Core;
use crate::scheduler::wind_down::Stage;
use crate::scheduler::worker::Worker;
use crate::scope::frame;
use crate::task::cell::{self, Header};
use crate::task::{CancelCause, CancelKind, JoinError, JoinHandle, Spec};
use crate::time::sleep;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;
use core::ptr::NonNull;
use core::task::Poll;
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
        return frame::outside(|| core.wait_for(future));
    }
    let Some(_seat) = Seat::take(core) else {
        panic!(
            "another thread is driving this current-thread runtime: spawn onto its Handle, and wait with Handle::block_on"
        );
    };
    move_home(core);
    run_as_worker(core, future, location)
}

/// Has every task end before the runtime does, from a thread that may wait for that.
pub(super) fn end_tasks(core: &Shared<Core>, location: &'static Location<'static>) {
    if core.config.grace.is_zero() || super::fork::is_child(core) || context::is_worker() || context::sits_in(core) {
        return;
    }
    if core.config.multi {
        let _entered = context::enter(core.clone());
        return frame::outside(|| core.wait_for(wind_down(core, location)));
    }
    let here = core.home.lock().is_none_or(|home| home == thread::current_id());
    // Elsewhere its local tasks cannot be run: shutdown leaves and names them.
    if let Some(_seat) = Seat::take(core).filter(|_| here || !core.has_local_tasks()) {
        run_as_worker(core, wind_down(core, location), location);
    }
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

/// Runs the main future of a run, which `press` cancels, and then has every other task end.
pub(super) fn run<F: Future>(
    core: &Shared<Core>,
    future: F,
    location: &'static Location<'static>,
    interrupts: Option<&interrupts::Run>,
    press: Option<interrupts::Press>,
) -> Result<F::Output, JoinError> {
    as_worker(core, |worker| {
        let outcome = to_end(worker, future, location, "main", |main| {
            if let Some(press) = press {
                watch(worker, press, Cancels::of(main), location);
            }
        });
        if let Some(interrupts) = interrupts {
            interrupts.main_is_over();
        }
        // In a child of a fork nobody is there to end.
        if !core.config.grace.is_zero() && !super::fork::is_child(core) {
            let wound_down = to_end(worker, wind_down(core, location), location, "wind-down", |_| ());
            debug_assert!(wound_down.is_ok(), "nobody cancels it, and what it calls is contained");
        }
        outcome
    })
}

/// Cancels the main future when Ctrl-C is pressed.
fn watch(worker: &Worker, mut press: interrupts::Press, main: Cancels, location: &'static Location<'static>) {
    let watching = async move {
        poll_fn(|cx| press.poll(cx)).await;
        main.cancel(CancelKind::Interrupt, location);
    };
    let spec = Spec::new(location, 0, true);
    // SAFETY: pinned to this worker, and it borrows nothing.
    let task = unsafe { Core::spawn(&worker.core, watching, spec, "ctrl-c") };
    // SAFETY: a new task with that output.
    unsafe { JoinHandle::<()>::from_ptr(task) }.detach();
}

/// A reference to a task by which it can be cancelled.
struct Cancels(NonNull<Header>);

impl Cancels {
    fn of(task: NonNull<Header>) -> Self {
        // SAFETY: the caller's handle keeps it alive.
        unsafe { task.as_ref() }.state.reference();
        Self(task)
    }

    fn cancel(&self, kind: CancelKind, at: &'static Location<'static>) {
        let mut cause = CancelCause::new(kind);
        (cause.by, cause.at) = (None, at);
        // SAFETY: the reference keeps it alive.
        unsafe { cell::cancel_for(self.0, cause) };
    }
}

impl Drop for Cancels {
    fn drop(&mut self) {
        // SAFETY: taken in `of`, given up once.
        unsafe { cell::release(self.0) };
    }
}

/// Sits at slot 0 and runs tasks until the future has ended.
fn run_as_worker<F: Future>(core: &Shared<Core>, future: F, location: &'static Location<'static>) -> F::Output {
    output_of(as_worker(core, |worker| to_end(worker, future, location, "main", |_| ())))
}

fn output_of<T>(outcome: Result<T, JoinError>) -> T {
    match outcome {
        Ok(output) => output,
        Err(JoinError::Panicked(panic)) => panic.resume(),
        Err(error) => panic!("the main future did not finish: {error}"),
    }
}

/// Runs `f` with the calling thread at slot 0.
fn as_worker<R>(core: &Shared<Core>, f: impl FnOnce(&Worker) -> R) -> R {
    crate::platform::sharpen_timers();
    let worker = Worker::sit(core.clone(), 0);
    let sat = || {
        core.watchdog.stir(core, 0);
        let out = f(&worker);
        worker.leave();
        out
    };
    let out = frame::outside(|| context::sit(&worker, sat));
    drop(worker);
    out
}

/// Runs tasks until this one, which `begun` is told of, has ended.
fn to_end<F: Future>(
    worker: &Worker,
    future: F,
    location: &'static Location<'static>,
    name: &'static str,
    begun: impl FnOnce(NonNull<Header>),
) -> Result<F::Output, JoinError> {
    let spec = Spec::new(location, 0, true);
    // SAFETY: pinned to this worker; the loop below, or the abort, keeps this frame until the future has been dropped.
    let task = unsafe { Core::spawn(&worker.core, future, spec, name) };
    // SAFETY: a new task with that output.
    let mut main: JoinHandle<F::Output> = unsafe { JoinHandle::from_ptr(task) };
    let unfinished = Unfinished;
    begun(task);
    let outcome = loop {
        if let Some(outcome) = main.try_take() {
            break outcome;
        }
        let _ = worker.step();
    };
    core::mem::forget(unfinished);
    outcome
}

/// Has every task end: ready when all have, or when the grace is over. What this does is described in `scheduler/wind_down.rs`.
pub(super) async fn wind_down(core: &Core, location: &'static Location<'static>) {
    let own = context::current_task();
    let mut cause = CancelCause::new(CancelKind::Shutdown);
    (cause.by, cause.at) = (None, location);
    let mut grace = pin!(sleep(core.config.grace));
    let mut time_passes = pin!(idle_clock::passes(&core.config.clock));
    for stage in [Stage::LetGo, Stage::Everybody] {
        while core.look_who_is_left(stage, own, &cause) > 0 {
            let mut rung = pin!(core.wind_down.rung());
            let in_time = poll_fn(|cx| {
                if rung.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(true);
                }
                if grace.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(false);
                }
                time_passes.as_mut().poll(cx).map(|never| match never {})
            });
            if !in_time.await {
                return core.grace_is_over(own);
            }
        }
    }
}
