//! What is done with a task's future: a poll, its end, and what becomes of its outcome.
//!
//! Values are not passed about here. The outcome goes from the poll straight to the place where the future was, because a
//! value that is copied a moment after it was written in smaller pieces waits for all of them.

use super::cell::{Cell, Ended, Farewell, Header, Name, Schedule, Stage, cell, drop_payload, free, release};
use super::error::{CancelCause, CancelKind, JoinError, Panic};
use super::local::place::Held;
use super::local::values::Values;
use super::state::{Completed, EndPoll, StartPoll};
use super::waker;
use super::watched::Watched;
use crate::observe::unhandled::Unhandled;
use crate::platform::clock::real_now;
use crate::scope::root::Root;
use core::mem::{ManuallyDrop, needs_drop};
use core::pin::Pin;
use core::ptr::{self, NonNull};
use core::task::{Context, Poll};
use weftwork_sync::coop;
use weftwork_sync::primitive::contain;

/// What came of a poll.
enum Polled {
    Pending {
        self_woken: bool,
    },
    /// The future is gone and the outcome is in its place.
    Ended,
}

/// What a poll says from inside of the guard against panics, in a whole word: that guard hands it over in memory, and a word of which
/// one byte was just written is waited for when it is read.
const PENDING: usize = 0;
const ENDED: usize = 1;

impl<F: Future, S: Schedule, N: Name> Cell<F, S, N> {
    /// Whether a cancelled task is polled a last time, with the cancel bit set: what it waits for may have come meanwhile,
    /// and a value that is ready wins. One that never ran never does, and when its runtime shuts down no task runs any more.
    fn may_have_a_value(&self) -> bool {
        let is_cancelled = || self.header.root_if_any().is_some_and(|root| root.cancel_kind().is_some());
        self.header.polls.get() > 0 && is_cancelled() && !self.scheduler.ends()
    }

    /// Drops the future in place and puts `ended` there. Tasks that it waited for end with it if it was cancelled.
    ///
    /// # Safety
    /// The caller holds the task, and its future is whole.
    #[cold]
    unsafe fn end(&self, ended: Ended) {
        if matches!(ended, Ended::Cancelled) && self.header.polls.get() == 0 {
            self.tell_that_it_never_ran();
        }
        let drop_future = || {
            self.stage.with_mut(|stage| {
                // SAFETY: as the caller promises; the future is dropped where it is pinned.
                unsafe { ptr::drop_in_place(stage) };
            });
        };
        let cancels = matches!(ended, Ended::Cancelled);
        // SAFETY: this thread is inside of the task.
        let dropped = unsafe {
            let root = self.header.root();
            if needs_drop::<F>() {
                root.unwind(cancels, drop_future)
            } else {
                root.end();
                Ok(())
            }
        };
        let outcome = match dropped {
            Ok(()) => Err(ended),
            Err(late) => self.late_panic(Err(ended), late),
        };
        let outcome = self.tell_name(outcome);
        // SAFETY: as above; what was there is dropped, or given up half-dropped by its own panic.
        self.stage.with_mut(|stage| unsafe { stage.write(Stage::Outcome(outcome)) });
    }

    /// The future's destructor panicked: that is what the handle is told, and what the task had come to before is dropped, or
    /// reported if it was a panic too.
    #[cold]
    fn late_panic(
        &self,
        first: Result<F::Output, Ended>,
        late: weftwork_sync::primitive::Panic,
    ) -> Result<F::Output, Ended> {
        self.discard(first);
        Err(Ended::Panicked(Panic(late)))
    }

    /// As [`late_panic`](Self::late_panic), for a task that is not told otherwise that it has ended.
    #[cold]
    fn ended_late(
        &self,
        first: Result<F::Output, Ended>,
        late: weftwork_sync::primitive::Panic,
    ) -> Result<F::Output, Ended> {
        self.tell_name(self.late_panic(first, late))
    }

    /// A panic may be somebody else's than the handle's.
    fn tell_name(&self, outcome: Result<F::Output, Ended>) -> Result<F::Output, Ended> {
        let Err(Ended::Panicked(panic)) = outcome else { return outcome };
        Err(match self.name.panicked(&self.header, panic) {
            Ok(()) => {
                self.header.root().fail();
                Ended::Cancelled
            }
            Err(panic) => Ended::Panicked(panic),
        })
    }

    /// Lets go of an outcome that nobody reads.
    fn discard(&self, outcome: Result<F::Output, Ended>) {
        match outcome {
            Ok(value) => {
                // SAFETY: an output of this task.
                if let Some(error) = unsafe { self.name.unread((&raw const value).cast()) } {
                    self.scheduler.unhandled(&Unhandled::task_failed((&self.header, self.name.text()), &error));
                }
                if needs_drop::<F::Output>()
                    && let Err(payload) = contain(|| drop(value))
                {
                    self.tell(&payload, Unhandled::drop_panicked);
                    drop_payload(payload);
                }
            }
            Err(Ended::Panicked(panic)) => {
                self.scheduler.unhandled(&Unhandled::task_panicked((&self.header, self.name.text()), &panic));
                drop_payload(panic.0);
            }
            Err(Ended::Cancelled) => {}
        }
    }

    #[cold]
    fn tell<'a>(
        &'a self,
        payload: &'a weftwork_sync::primitive::Panic,
        what: fn((&'a Header, Option<&'a str>), &'a weftwork_sync::primitive::Panic) -> Unhandled<'a>,
    ) {
        self.scheduler.unhandled(&what((&self.header, self.name.text()), payload));
    }

    /// In debug mode, whoever looks for what was forgotten hears of a task that was dropped before its first poll.
    #[cold]
    fn tell_that_it_never_ran(&self) {
        if self.header.root_if_any().and_then(Root::watched).is_some_and(|watched| watched.measured) {
            let cause = self.header.cause().unwrap_or_else(|| CancelCause::new(CancelKind::Shutdown));
            let why = cause.to_string();
            self.scheduler.unhandled(&Unhandled::dropped_unpolled((&self.header, self.name.text()), &why));
        }
    }

    /// The values of its locals go with its future: its handle may be kept for long.
    #[cold]
    fn forget_locals(&self, root: &Root) {
        // SAFETY: this thread is inside of the task until it is complete.
        let place = unsafe { root.place() };
        if place.has_nothing() {
            return;
        }
        if let Err(payload) = contain(|| place.replace(Held::Own(Values::default()))) {
            self.tell(&payload, Unhandled::drop_panicked);
            drop_payload(payload);
        }
    }

    /// Wakes whoever waits for the task, which has just been completed.
    fn tell_handle(&self) {
        // SAFETY: frozen, so the handle does not write; complete made the waker this thread's, and nobody else drops it.
        let waker = self.header.join_waker.with(|slot| unsafe { ptr::read(slot) });
        if let Err(payload) = contain(|| waker.map(waker::wake_behind)) {
            self.tell(&payload, Unhandled::waker_panicked);
            drop_payload(payload);
        }
    }
}

/// Polls a task, or ends it if it was cancelled; `true` if it was woken meanwhile and the caller still holds its `Runnable`.
pub(super) unsafe fn poll<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) -> bool {
    // SAFETY: the vtable is chosen by the cell's own types, and the Runnable keeps the cell alive.
    let cell = unsafe { cell::<F, S, N>(this) };
    match cell.header.state.start_poll() {
        StartPoll::Poll => {}
        // SAFETY: start_poll gave us the future.
        StartPoll::PollWatched => return unsafe { poll_watched::<F, S, N>(this) },
        // SAFETY: as above.
        StartPoll::Cancel => return unsafe { poll_cancelled::<F, S, N>(this) },
    }
    // SAFETY: as above; after the end this thread is still inside of the task.
    unsafe {
        match poll_once::<F, S, N>(this, Mode::Plain) {
            Polled::Pending { self_woken } => match cell.header.state.end_poll(self_woken) {
                EndPoll::Idle => {}
                EndPoll::Reschedule => return true,
                // end_poll left us the future.
                EndPoll::Cancel => return poll_cancelled::<F, S, N>(this),
            },
            Polled::Ended => return finish::<F, S, N>(this),
        }
    }
    false
}

/// As [`poll`], and notes how long the future took and what it waits for.
///
/// # Safety
/// The caller holds the task.
#[cold]
#[inline(never)]
unsafe fn poll_watched<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) -> bool {
    // SAFETY: the vtable is chosen by the cell's own types, and who holds the task keeps it alive.
    let cell = unsafe { cell::<F, S, N>(this) };
    let watched = cell.header.root_if_any().and_then(Root::watched);
    let begun = real_now();
    // SAFETY: as in poll.
    unsafe {
        let polled = poll_otherwise::<F, S, N>(this, false, watched);
        if let Some(watched) = watched {
            watched.took(real_now().saturating_sub(begun));
        }
        match polled {
            Polled::Pending { self_woken } => match cell.header.state.end_poll(self_woken) {
                EndPoll::Idle => false,
                EndPoll::Reschedule => true,
                EndPoll::Cancel => poll_cancelled::<F, S, N>(this),
            },
            Polled::Ended => finish::<F, S, N>(this),
        }
    }
}

/// A poll that is no plain one: once more in the program for all of those.
///
/// # Safety
/// The caller holds the task.
#[inline(never)]
unsafe fn poll_otherwise<F: Future, S: Schedule, N: Name>(
    this: NonNull<Header>,
    last: bool,
    watched: Option<&Watched>,
) -> Polled {
    // SAFETY: as the caller promises.
    unsafe { poll_once::<F, S, N>(this, Mode::Other { last, watched }) }
}

/// How a future is polled.
#[derive(Clone, Copy)]
enum Mode<'a> {
    Plain,
    Other {
        /// It is cancelled.
        last: bool,
        watched: Option<&'a Watched>,
    },
}

impl Mode<'_> {
    /// # Safety
    /// As [`coop::within_task`].
    #[inline(always)]
    unsafe fn within<R>(self, task: *const (), poll: impl FnOnce() -> R) -> (R, bool) {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Mode::Plain => coop::within_task(task, coop::UNITS_PER_POLL, false, poll),
                // Nothing is noted where nobody reads it.
                Mode::Other { last, watched: None } => coop::within_task(task, coop::UNITS_PER_POLL, last, poll),
                Mode::Other { last, watched } => {
                    let (out, woken, wait) = coop::within_watched_task(task, coop::UNITS_PER_POLL, last, poll);
                    if let Some(watched) = watched {
                        watched.waits_for(wait);
                    }
                    (out, woken)
                }
            }
        }
    }
}

/// # Safety
/// The caller holds the task.
#[inline(always)]
unsafe fn poll_once<F: Future, S: Schedule, N: Name>(this: NonNull<Header>, mode: Mode<'_>) -> Polled {
    // SAFETY: the vtable is chosen by the cell's own types, and who holds the task keeps it alive.
    let cell = unsafe { cell::<F, S, N>(this) };
    let waker = waker::borrowed(this);
    let mut cx = Context::from_waker(&waker);
    cell.header.polls.bump();
    let poll = || {
        cell.stage.with_mut(|stage| {
            // SAFETY: who holds the task has the stage to itself.
            let Stage::Future(future) = (unsafe { &mut *stage }) else {
                // It ended before, and waited for what it had left behind.
                return ENDED;
            };
            let future: *mut F = future;
            // SAFETY: the cell does not move, and the future is dropped in place.
            let Poll::Ready(value) = (unsafe { Pin::new_unchecked(&mut *future) }).poll(&mut cx) else {
                return PENDING;
            };
            // It is dropped before its value is visible: whoever joins finds its destructors done.
            let dropped = if needs_drop::<F>() {
                coop::lift();
                // SAFETY: dropped where it is pinned, and never looked at again.
                contain(|| unsafe { ptr::drop_in_place(future) })
            } else {
                Ok(())
            };
            let outcome = match dropped {
                Ok(()) => Ok(value),
                Err(late) => cell.ended_late(Ok(value), late),
            };
            // SAFETY: what was there is dropped, or given up half-dropped by its own panic.
            unsafe { stage.write(Stage::Outcome(outcome)) };
            ENDED
        })
    };
    let task = this.as_ptr().cast_const().cast();
    // SAFETY: the header of the task that this thread is inside of.
    match unsafe { mode.within(task, || contain(poll)) } {
        (Ok(PENDING), self_woken) => Polled::Pending { self_woken },
        (Ok(_), _) => Polled::Ended,
        (Err(payload), _) => {
            // SAFETY: the poll panicked, and nothing but the poll touched the future.
            unsafe { cell.end(Ended::Panicked(Panic(payload))) };
            Polled::Ended
        }
    }
}

/// Ends a cancelled task: after a last poll if that may bring its value, when the regions inside have had their say, and the tasks
/// that it waited for have ended. `true` if it goes on, was woken meanwhile, and the caller still holds its `Runnable`.
///
/// # Safety
/// The caller holds the task.
#[cold]
#[inline(never)]
unsafe fn poll_cancelled<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) -> bool {
    // SAFETY: the vtable is chosen by the cell's own types, and who holds the task keeps it alive.
    let cell = unsafe { cell::<F, S, N>(this) };
    let root = cell.header.root();
    let waker = waker::borrowed(this);
    let mut cx = Context::from_waker(&waker);
    let mut self_woken = false;
    // SAFETY: as the caller promises, this thread is inside of the task, and has its future while that is there.
    unsafe {
        if !root.has_ended() {
            if cell.may_have_a_value() {
                root.begin_pass();
                match poll_otherwise::<F, S, N>(this, true, None) {
                    Polled::Ended => return finish::<F, S, N>(this),
                    Polled::Pending { self_woken: woken } => self_woken = woken,
                }
                match contain(|| root.may_end(&mut cx)) {
                    Ok(true) => {}
                    Ok(false) => return cell.header.state.end_cancelled_poll(self_woken),
                    Err(payload) => {
                        // A waker of something inside. It was called once, and those behind it have their turn in the next poll.
                        cell.tell(&payload, Unhandled::waker_panicked);
                        drop_payload(payload);
                        return true;
                    }
                }
            }
            cell.end(Ended::Cancelled);
        }
        if !cell.scheduler.ends() && !root.all_have_left(&mut cx) {
            return cell.header.state.end_cancelled_poll(self_woken);
        }
        complete_and_tell::<F, S, N>(this);
    }
    false
}

/// Completes the task, and tells whoever may wait for the end of all.
///
/// # Safety
/// As `complete`.
#[cold]
unsafe fn complete_and_tell<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) {
    // SAFETY: as the caller promises. Completed, the cell may be freed, so a copy of the scheduler is called.
    unsafe {
        let scheduler = ManuallyDrop::new(ptr::read(&raw const cell::<F, S, N>(this).scheduler));
        complete::<F, S, N>(this);
        scheduler.ended(N::IS_CHILD);
    }
}

/// The outcome is in its place: completes the task, unless it has to wait for what its future left behind. As [`poll_cancelled`].
///
/// # Safety
/// The caller holds the task.
#[inline(always)]
unsafe fn finish<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        if cell::<F, S, N>(this).header.root_if_any().is_some() {
            return finish_with_root::<F, S, N>(this);
        }
        complete::<F, S, N>(this);
    }
    false
}

#[cold]
unsafe fn finish_with_root<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) -> bool {
    // SAFETY: as in finish.
    let cell = unsafe { cell::<F, S, N>(this) };
    let waker = waker::borrowed(this);
    // SAFETY: this thread is inside of the task.
    unsafe {
        let root = cell.header.root();
        if !cell.scheduler.ends() && !root.all_have_left(&mut Context::from_waker(&waker)) {
            root.end();
            return cell.header.state.end_cancelled_poll(false);
        }
        complete_and_tell::<F, S, N>(this);
    }
    false
}

/// Drops the future of a task and completes it as cancelled.
pub(super) unsafe fn cancel<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) {
    // SAFETY: the caller has the future to itself and so keeps the task incomplete and alive.
    let cell = unsafe { cell::<F, S, N>(this) };
    if cell.header.root().cancel_kind().is_none() {
        cell.header.set_cause(CancelCause::new(CancelKind::Shutdown));
    }
    // SAFETY: as above; a task that waited for others only has its outcome.
    unsafe {
        if !cell.header.root().has_ended() {
            cell.end(Ended::Cancelled);
        }
        complete::<F, S, N>(this);
    }
}

/// The outcome is in its place: leaves the list, tells the handle.
unsafe fn complete<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) {
    // SAFETY: the owning list's reference lives until release below.
    let cell = unsafe { cell::<F, S, N>(this) };
    if let Some(root) = cell.header.root_if_any() {
        // SAFETY: this thread is inside of the task until it is complete.
        unsafe { root.complete() };
        cell.forget_locals(root);
        if root.watched().is_some() {
            cell.scheduler.watched_ends(this);
        }
    }
    let farewell = cell.name.farewell();
    // SAFETY: once per task, here, inside of it.
    let left = unsafe { cell.scheduler.leave(this) };
    let (mut completed, mut counted) = cell.header.state.complete(left, N::ENDS_WITH_ITS_VALUE);
    if N::ENDS_WITH_ITS_VALUE && completed == Completed::NotYet {
        // SAFETY: without a handle the outcome stays with whoever completes, and a handle never comes back.
        unsafe { drop_outcome::<F, S, N>(this) };
        (completed, counted) = cell.header.state.complete(left, false);
    }
    match completed {
        Completed::NotYet => unreachable!("the outcome is gone"),
        Completed::HandedOver => {}
        // SAFETY: nobody else can reach the task, so the outcome and the memory are this thread's.
        Completed::Alone => unsafe { free::<F, S, N>(this) },
        Completed::Kept { has_join, has_waker } => {
            if !has_join {
                // SAFETY: without a handle the outcome stays with whoever completed.
                unsafe { drop_outcome::<F, S, N>(this) };
            } else if has_waker {
                cell.tell_handle();
            }
            // SAFETY: the list's reference, given up once; by it the cell may be freed, so a copy of the scheduler is called.
            unsafe {
                if left {
                    release(this);
                } else {
                    ManuallyDrop::new(ptr::read(&raw const cell.scheduler)).release(this);
                }
            }
        }
    }
    farewell.say(counted);
}

/// Moves the outcome to the handle's `to`, a `Result<F::Output, JoinError>`.
pub(super) unsafe fn take_outcome<F: Future, S: Schedule, N: Name>(this: NonNull<Header>, to: NonNull<()>) {
    // SAFETY: the handle's reference keeps the cell alive, and the outcome is the handle's.
    let cell = unsafe { cell::<F, S, N>(this) };
    let to = to.cast::<Result<F::Output, JoinError>>();
    cell.stage.with_mut(|stage| {
        // SAFETY: after completion the stage belongs to whoever owns the outcome; what is read out of it is overwritten
        // without being dropped; the caller promises the type of `to`.
        unsafe {
            match &*stage {
                Stage::Outcome(Ok(value)) => to.write(Ok(ptr::read(value))),
                Stage::Outcome(Err(Ended::Panicked(panic))) => to.write(Err(JoinError::Panicked(ptr::read(panic)))),
                Stage::Outcome(Err(Ended::Cancelled)) if cell.header.has_failed() => {
                    to.write(Err(JoinError::Failed(cell.header.spec.id)));
                }
                Stage::Outcome(Err(Ended::Cancelled)) => {
                    // Whoever cancels says why first.
                    let cause = cell.header.cause();
                    let cause = cause.unwrap_or_else(|| CancelCause::new(CancelKind::Shutdown));
                    to.write(Err(JoinError::Cancelled(cause)));
                }
                Stage::Future(_) | Stage::Gone => panic!(
                    "a JoinHandle was polled after it had given its outcome; keep the result instead of awaiting it again"
                ),
            }
            stage.write(Stage::Gone);
        }
    });
}

/// Drops an outcome that nobody read, if it is still there.
pub(super) unsafe fn drop_outcome<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) {
    // SAFETY: the caller holds a reference and owns the outcome.
    let cell = unsafe { cell::<F, S, N>(this) };
    let outcome = cell.stage.with_mut(|stage| {
        // SAFETY: after completion the stage belongs to whoever owns the outcome, and is read out once.
        unsafe {
            let outcome = match &*stage {
                Stage::Outcome(outcome) => Some(ptr::read(outcome)),
                Stage::Future(_) | Stage::Gone => None,
            };
            stage.write(Stage::Gone);
            outcome
        }
    });
    if let Some(outcome) = outcome {
        cell.discard(outcome);
    }
}
