//! The one allocation of a task, and what is done with its future.
//!
//! ```text
//!   Cell<F, S>   +--------------------------------------------------------------+
//!                | Header: state, vtable, owner, id, place, cause, links, waker |  every task alike
//!                | S: how it is scheduled (one pointer in production)           |
//!                | Stage<F>: the future, then its outcome in the same place     |
//!                +--------------------------------------------------------------+
//! ```
//!
//! Everything else holds a `NonNull<Header>` and goes through the vtable. Who may touch what:
//! - the stage: whoever holds the task, until complete; afterwards the handle while there is one, else
//!   whoever completed (see `state.rs`);
//! - the waker slot: races 5 and 6 of `state.rs`;
//! - the links: whoever has access to the list that owns the task (`owned.rs`);
//! - `next`: whoever is about to push the completed task onto the stack of its owner.
//!
//! The cell is aligned to 16 at most: an over-aligned one would send the allocator down its slow path.

use super::error::{CancelCause, CancelKind, JoinError, Panic};
use super::state::{Completed, EndPoll, StartPoll, State};
use super::{Runnable, TaskId, recycle, waker};
use crate::observe::unhandled::Unhandled;
use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::{self, NonNull};
use core::task::{Context, Poll, Waker};
use weftwork_sync::coop;
use weftwork_sync::primitive::atomic::{AtomicPtr, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{UnsafeCell, contain};

/// What a task needs from whoever runs it.
pub trait Schedule: Sized + 'static {
    /// Puts the task where it will be polled.
    fn schedule(&self, task: Runnable);

    /// The task is about to complete: takes it off the list that owns it, if the calling thread may. `true` makes that list's
    /// reference the caller's; otherwise [`release`](Self::release) follows.
    ///
    /// # Safety
    /// Called once per task, by the thread inside of it.
    unsafe fn leave(&self, task: NonNull<Header>) -> bool;

    /// The task is complete and could not [leave](Self::leave): hands it back to the list that owns it, with its reference.
    ///
    /// # Safety
    /// Called once per task, after its completion.
    unsafe fn release(&self, task: NonNull<Header>);

    /// Whether the runtime ends, so that no task runs any more.
    fn ends(&self) -> bool {
        false
    }

    /// Something ended badly and nobody will read it.
    fn unhandled(&self, what: &Unhandled<'_>);
}

/// What is known of a task before it starts.
#[derive(Debug, Clone)]
pub struct Spec {
    pub id: TaskId,
    pub name: Option<Box<str>>,
    pub location: &'static Location<'static>,
    /// The worker whose list owns it.
    pub owner: u32,
    /// It must stay with that worker: its future may not leave the thread.
    pub pinned: bool,
}

/// The part that every task has alike.
#[repr(C)]
pub struct Header {
    pub(crate) state: State,
    vtable: &'static Vtable,
    /// The next in the stack of completed tasks of the owner.
    pub(crate) next: UnsafeCell<*mut Header>,
    pub(crate) links: UnsafeCell<Links>,
    join_waker: UnsafeCell<Option<Waker>>,
    cause: AtomicPtr<CancelCause>,
    pub(crate) polls: Counter,
    pub(crate) spec: Spec,
}

impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Header").field("state", &self.state).field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// Neighbours in the list that owns the task.
pub struct Links {
    pub(crate) previous: *mut Header,
    pub(crate) next: *mut Header,
}

struct Vtable {
    poll: unsafe fn(NonNull<Header>) -> bool,
    schedule: unsafe fn(Runnable),
    cancel: unsafe fn(NonNull<Header>),
    take_outcome: unsafe fn(NonNull<Header>, NonNull<()>),
    drop_outcome: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Cell<F: Future, S> {
    header: Header,
    scheduler: S,
    stage: UnsafeCell<Stage<F>>,
}

impl<F: Future, S: Schedule> Cell<F, S> {
    /// Whether a cancelled task is polled a last time, with the cancel bit set: what it waits for may have come meanwhile,
    /// and a value that is ready wins. One that never ran never does, and at the end of its runtime no task runs any more.
    fn may_have_a_value(&self) -> bool {
        let ends = self.header.cause().is_none_or(|cause| cause.kind == CancelKind::Shutdown);
        self.header.polls.get() > 0 && !ends && !self.scheduler.ends()
    }
}

enum Stage<F: Future> {
    Future(F),
    Outcome(Result<F::Output, JoinError>),
    Gone,
}

/// Allocates a task. Its `Runnable` is the caller's to schedule; of its two references one is the handle's, the other is
/// for the list that owns it.
///
/// # Safety
/// If `F` is not `Send` or not `'static`, the caller sees to it that it is polled and dropped on its own thread and
/// before what it borrows ends.
pub(crate) unsafe fn allocate<F: Future, S: Schedule>(future: F, scheduler: S, spec: Spec) -> NonNull<Header> {
    let cell = Cell {
        header: Header {
            state: State::new(),
            vtable: const {
                &Vtable {
                    poll: poll::<F, S>,
                    schedule: schedule::<F, S>,
                    cancel: cancel_in::<F, S>,
                    take_outcome: take_outcome::<F, S>,
                    drop_outcome: drop_outcome::<F, S>,
                    free: free::<F, S>,
                }
            },
            next: UnsafeCell::new(ptr::null_mut()),
            links: UnsafeCell::new(Links { previous: ptr::null_mut(), next: ptr::null_mut() }),
            join_waker: UnsafeCell::new(None),
            cause: AtomicPtr::new(ptr::null_mut()),
            polls: Counter::new(0),
            spec,
        },
        scheduler,
        stage: UnsafeCell::new(Stage::Future(future)),
    };
    let memory = recycle::allocate(Layout::new::<Cell<F, S>>()).cast::<Cell<F, S>>();
    // SAFETY: fresh memory of that layout.
    unsafe { memory.as_ptr().write(cell) };
    memory.cast()
}

impl Header {
    /// Stores why the task is to be cancelled; the first to do so wins.
    pub(crate) fn set_cause(&self, cause: CancelCause) -> bool {
        let new = Box::into_raw(Box::new(cause));
        // Ordering: Release publishes the cause to cause()'s Acquire.
        let first = self.cause.compare_exchange(ptr::null_mut(), new, Ordering::Release, Ordering::Relaxed).is_ok();
        if !first {
            // SAFETY: made above and never shared.
            drop(unsafe { Box::from_raw(new) });
        }
        first
    }

    /// Why the task is to be cancelled, once it is.
    pub(crate) fn cause(&self) -> Option<&CancelCause> {
        // Ordering: Acquire pairs with set_cause.
        let cause = self.cause.load(Ordering::Acquire);
        // SAFETY: null, or stored by set_cause and freed with the cell.
        unsafe { cause.as_ref() }
    }
}

/// Polls the task that `this` names; `true` if it was woken meanwhile and the caller still holds its `Runnable`.
///
/// # Safety
/// The caller holds its `Runnable`, and otherwise gives it up.
#[inline(always)]
pub(super) unsafe fn run(this: NonNull<Header>) -> bool {
    // SAFETY: a Runnable exists only while the task is incomplete and so alive; the vtable is that of its cell.
    unsafe { (this.as_ref().vtable.poll)(this) }
}

/// Hands a `Runnable` to the task's own scheduler.
pub(crate) fn schedule_runnable(task: Runnable) {
    let vtable = task.header().vtable;
    // SAFETY: the vtable is that of the task's cell.
    unsafe { (vtable.schedule)(task) };
}

/// Drops the future of a task and completes it as cancelled.
///
/// # Safety
/// The caller has the future to itself (`Claim::Claimed`).
pub(crate) unsafe fn cancel_claimed(this: NonNull<Header>) {
    // SAFETY: as the caller promises.
    unsafe { (this.as_ref().vtable.cancel)(this) };
}

/// Moves the outcome of a completed task to `to`.
///
/// # Safety
/// The caller is the handle; the task is complete and its outcome not yet taken; `to` is writable and of the type
/// `Result<T, JoinError>` of this task.
pub(super) unsafe fn take(this: NonNull<Header>, to: NonNull<()>) {
    // SAFETY: as the caller promises.
    unsafe { (this.as_ref().vtable.take_outcome)(this, to) };
}

/// Drops the outcome of a completed task, unread, and reports it if it was a panic.
///
/// # Safety
/// The outcome is the caller's (`DroppedJoin`).
pub(super) unsafe fn discard(this: NonNull<Header>) {
    // SAFETY: as the caller promises.
    unsafe { (this.as_ref().vtable.drop_outcome)(this) };
}

/// Gives up a reference.
///
/// # Safety
/// The caller holds one.
#[inline]
pub(crate) unsafe fn release(this: NonNull<Header>) {
    // SAFETY: as the caller promises; after the last one nobody can reach the memory.
    unsafe {
        if this.as_ref().state.release() {
            (this.as_ref().vtable.free)(this);
        }
    }
}

/// Frees a task that nobody else can reach.
///
/// # Safety
/// The caller is alone with it (`State` said so), and the outcome is dropped or taken.
pub(crate) unsafe fn free_alone(this: NonNull<Header>) {
    // SAFETY: as the caller promises; the vtable is that of the task's cell.
    unsafe { (this.as_ref().vtable.free)(this) };
}

/// The waker slot, for the handle while it is not frozen.
///
/// # Safety
/// As the rules of `JOIN_WAKER` in `state.rs` say.
pub(super) unsafe fn set_join_waker(this: NonNull<Header>, waker: Option<Waker>) -> Option<Waker> {
    // SAFETY: as the caller promises, nobody else touches the slot.
    unsafe { this.as_ref().join_waker.with_mut(|slot| ptr::replace(slot, waker)) }
}

/// Whether the frozen slot holds a waker of the same task as `waker`.
///
/// # Safety
/// The caller is the handle.
pub(super) unsafe fn join_waker_is(this: NonNull<Header>, waker: &Waker) -> bool {
    // SAFETY: only the handle changes the slot, so for the handle it is never being written.
    unsafe { this.as_ref().join_waker.with(|slot| (*slot).as_ref().is_some_and(|w| w.will_wake(waker))) }
}

/// Reads the cell behind a header.
///
/// # Safety
/// `this` is the header of a live `Cell<F, S>`.
#[inline(always)]
unsafe fn cell<'a, F: Future, S>(this: NonNull<Header>) -> &'a Cell<F, S> {
    // SAFETY: as the caller promises; the header is the first field of a repr(C) struct.
    unsafe { this.cast().as_ref() }
}

unsafe fn schedule<F: Future, S: Schedule>(task: Runnable) {
    // SAFETY: the vtable is chosen by the cell's own types.
    // Once scheduled the task may complete and be freed by another thread, so the scheduler is not borrowed from it.
    let scheduler = unsafe { ManuallyDrop::new(ptr::read(&raw const cell::<F, S>(task.as_ptr()).scheduler)) };
    scheduler.schedule(task);
}

unsafe fn poll<F: Future, S: Schedule>(this: NonNull<Header>) -> bool {
    // SAFETY: the vtable is chosen by the cell's own types, and the Runnable keeps the cell alive.
    let cell = unsafe { cell::<F, S>(this) };
    match cell.header.state.start_poll() {
        StartPoll::Poll => {}
        // SAFETY: start_poll gave us the future.
        StartPoll::Cancel => unsafe {
            poll_cancelled::<F, S>(this);
            return false;
        },
    }
    // SAFETY: as above.
    let (polled, self_woken) = unsafe { poll_once::<F, S>(this, false) };
    match polled {
        Ok(Poll::Pending) => match cell.header.state.end_poll(self_woken) {
            EndPoll::Idle => return false,
            EndPoll::Reschedule => return true,
            // SAFETY: end_poll left us the future.
            EndPoll::Cancel => unsafe { poll_cancelled::<F, S>(this) },
        },
        // SAFETY: this thread is inside the task.
        Ok(Poll::Ready(value)) => unsafe { complete::<F, S>(this, Ok(value)) },
        // SAFETY: as above.
        Err(payload) => unsafe { complete::<F, S>(this, Err(JoinError::Panicked(Panic(payload)))) },
    }
    false
}

/// What came of a poll, and whether the task was woken by it.
type Polled<T> = (Result<Poll<T>, weftwork_sync::primitive::Panic>, bool);

/// # Safety
/// The caller holds the task.
#[inline(always)]
unsafe fn poll_once<F: Future, S: Schedule>(this: NonNull<Header>, last: bool) -> Polled<F::Output> {
    // SAFETY: the vtable is chosen by the cell's own types, and who holds the task keeps it alive.
    let cell = unsafe { cell::<F, S>(this) };
    let waker = waker::borrowed(this);
    let mut cx = Context::from_waker(&waker);
    cell.header.polls.bump();
    coop::within_task(this.as_ptr().cast_const().cast(), coop::UNITS_PER_POLL, last, || {
        contain(|| {
            cell.stage.with_mut(|stage| {
                // SAFETY: who holds the task has the stage to itself.
                let Stage::Future(future) = (unsafe { &mut *stage }) else { unreachable!("polled after completion") };
                // SAFETY: the cell does not move, and the future is dropped in place.
                unsafe { Pin::new_unchecked(future) }.poll(&mut cx)
            })
        })
    })
}

/// Ends a cancelled task, after a last poll if that may bring its value.
///
/// # Safety
/// The caller holds the task.
#[cold]
unsafe fn poll_cancelled<F: Future, S: Schedule>(this: NonNull<Header>) {
    // SAFETY: as the caller promises.
    unsafe {
        if cell::<F, S>(this).may_have_a_value() {
            match poll_once::<F, S>(this, true).0 {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(value)) => return complete::<F, S>(this, Ok(value)),
                Err(payload) => return complete::<F, S>(this, Err(JoinError::Panicked(Panic(payload)))),
            }
        }
        cancel_in::<F, S>(this);
    }
}

unsafe fn cancel_in<F: Future, S: Schedule>(this: NonNull<Header>) {
    // SAFETY: the caller has the future to itself and so keeps the task incomplete and alive.
    let cell = unsafe { cell::<F, S>(this) };
    let cause = cell.header.cause().cloned().unwrap_or_else(|| CancelCause::new(CancelKind::Shutdown));
    // SAFETY: as above.
    unsafe { complete::<F, S>(this, Err(JoinError::Cancelled(cause))) };
}

/// Drops the future, stores the outcome, tells the handle, leaves the list.
unsafe fn complete<F: Future, S: Schedule>(this: NonNull<Header>, outcome: Result<F::Output, JoinError>) {
    // SAFETY: the owning list's reference lives until release below.
    let cell = unsafe { cell::<F, S>(this) };
    let mut outcome = Some(outcome);
    // The future is dropped in place and before the outcome is visible: whoever joins finds its destructors done.
    if let Err(payload) = replace_stage(cell, Stage::Gone) {
        // A panic while unwinding would have ended the process, so there is one panic to tell: the task's own, if it
        // had one, came first and is reported here as unread.
        let late = Some(Err(JoinError::Panicked(Panic(payload))));
        let first = core::mem::replace(&mut outcome, late);
        discard_outcome(cell, first);
    }
    cell.stage.with_mut(|stage| {
        // SAFETY: still inside the task; the stage is Gone, so nothing is overwritten that needs a drop.
        unsafe { stage.write(outcome.take().map_or(Stage::Gone, Stage::Outcome)) };
    });
    // SAFETY: once per task, here, inside of it.
    let left = unsafe { cell.scheduler.leave(this) };
    match cell.header.state.complete(left) {
        Completed::HandedOver => {}
        // SAFETY: nobody else can reach the task, so the outcome and the memory are this thread's.
        Completed::Alone => unsafe {
            drop_outcome::<F, S>(this);
            free::<F, S>(this);
        },
        Completed::Kept { has_join, has_waker } => {
            if !has_join {
                // SAFETY: without a handle the outcome stays with whoever completed.
                unsafe { drop_outcome::<F, S>(this) };
            } else if has_waker {
                tell_handle(cell);
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
}

/// Wakes whoever waits for a task that has just been completed.
fn tell_handle<F: Future, S: Schedule>(cell: &Cell<F, S>) {
    // SAFETY: frozen, so the handle does not write; complete made the waker this thread's, and nobody else drops it.
    let waker = cell.header.join_waker.with(|slot| unsafe { ptr::read(slot) });
    if let Err(payload) = contain(|| waker.map(Waker::wake)) {
        cell.scheduler.unhandled(&Unhandled::waker_panicked(&cell.header, &payload));
        drop_payload(payload);
    }
}

/// Drops what is in the stage, contained, and puts `new` there.
fn replace_stage<F: Future, S>(cell: &Cell<F, S>, new: Stage<F>) -> Result<(), weftwork_sync::primitive::Panic> {
    let dropped = contain(|| {
        cell.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself; the future is dropped where it is pinned.
            coop::unconstrained(|| unsafe { ptr::drop_in_place(stage) });
        });
    });
    // SAFETY: as above; what was there is dropped, or given up half-dropped by its own panic.
    cell.stage.with_mut(|stage| unsafe { stage.write(new) });
    dropped
}

fn discard_outcome<F: Future, S: Schedule>(cell: &Cell<F, S>, outcome: Option<Result<F::Output, JoinError>>) {
    match outcome {
        Some(Err(JoinError::Panicked(panic))) => {
            cell.scheduler.unhandled(&Unhandled::task_panicked(&cell.header, &panic));
            drop_payload(panic.0);
        }
        other => {
            if let Err(payload) = contain(|| drop(other)) {
                cell.scheduler.unhandled(&Unhandled::drop_panicked(&cell.header, &payload));
                drop_payload(payload);
            }
        }
    }
}

/// A panic's payload may itself panic when dropped; then it is given up.
pub(crate) fn drop_payload(payload: weftwork_sync::primitive::Panic) {
    if let Err(second) = contain(|| drop(payload)) {
        core::mem::forget(second);
    }
}

unsafe fn take_outcome<F: Future, S: Schedule>(this: NonNull<Header>, to: NonNull<()>) {
    // SAFETY: the handle's reference keeps the cell alive, and the outcome is the handle's.
    let cell = unsafe { cell::<F, S>(this) };
    // SAFETY: after completion the stage belongs to whoever owns the outcome.
    let stage = cell.stage.with_mut(|stage| unsafe { ptr::replace(stage, Stage::Gone) });
    let Stage::Outcome(outcome) = stage else {
        panic!("a JoinHandle was polled after it had given its outcome; keep the result instead of awaiting it again");
    };
    // SAFETY: the caller promises the type.
    unsafe { to.cast::<Result<F::Output, JoinError>>().write(outcome) };
}

unsafe fn drop_outcome<F: Future, S: Schedule>(this: NonNull<Header>) {
    // SAFETY: the caller holds a reference and owns the outcome.
    let cell = unsafe { cell::<F, S>(this) };
    // SAFETY: after completion the stage belongs to whoever owns the outcome.
    let stage = cell.stage.with_mut(|stage| unsafe { ptr::replace(stage, Stage::Gone) });
    if let Stage::Outcome(outcome) = stage {
        discard_outcome(cell, Some(outcome));
    }
}

unsafe fn free<F: Future, S: Schedule>(this: NonNull<Header>) {
    let memory = this.cast::<Cell<F, S>>();
    // SAFETY: no reference is left, so the cell is this function's alone.
    unsafe {
        let header = &memory.as_ref().header;
        let cause = header.cause.load(Ordering::Acquire);
        if !cause.is_null() {
            drop(Box::from_raw(cause));
        }
        let waker = header.join_waker.with_mut(|slot| ptr::replace(slot, None));
        if header.state.has_join_waker() {
            // It was woken, and gone with that, by whoever completed the task.
            core::mem::forget(waker);
        } else if waker.is_some()
            && let Err(payload) = contain(|| drop(waker))
        {
            // A waker is foreign code.
            drop_payload(payload);
        }
        ptr::drop_in_place(memory.as_ptr());
        recycle::free(memory.cast(), Layout::new::<Cell<F, S>>());
    }
}
