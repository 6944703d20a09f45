//! The one allocation of a task, what is known of it, and who may touch what; what is done with its future is `run.rs`.
//!
//! ```text
//!   Cell<F, S, N> +--------------------------------------------------------------+
//!                 | Header: state, vtable, owner, id, place, links, waker, root  |  every task alike, 96 bytes
//!                 | S: how it is scheduled (one pointer in production)           |
//!                 | Stage<F>: the future, then its outcome in the same place     |
//!                 | N: its name; nothing for a task without one                  |
//!                 +--------------------------------------------------------------+
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

use super::error::{CancelCause, Panic};
use super::state::{Cancel, State};
use super::{Runnable, TaskId, recycle, run};
use crate::observe::unhandled::Unhandled;
use crate::scope::frame::{self, Target};
use crate::scope::root::Root;
use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::{self, NonNull};
use core::task::Waker;
use weftwork_sync::primitive::atomic::{AtomicPtr, AtomicU32, Ordering};
use weftwork_sync::primitive::unmodelled::SmallCounter;
use weftwork_sync::primitive::{UnsafeCell, contain};

/// What a task needs from whoever runs it.
pub trait Schedule: Sized + 'static {
    /// Puts the task where it will be polled.
    fn schedule(&self, task: Runnable, turn: Turn);

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

    /// A task that is watched is about to be complete; its outcome is in its place.
    fn watched_ends(&self, _task: NonNull<Header>) {}

    /// Whether the runtime ends, so that no task runs any more.
    fn ends(&self) -> bool {
        false
    }

    /// A task that was cancelled, or waited for what it left behind, is complete, and its memory may be gone.
    fn ended(&self, _is_child: bool) {}

    /// Something ended badly and nobody will read it.
    fn unhandled(&self, what: &Unhandled<'_>);
}

/// When a task that is ready has its turn, where there is a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Next, because what it was woken for is warm.
    Next,
    /// Behind what is ready: it waited for the end of a task, and will wait for the others that are queued beside that one.
    Behind,
}

/// What is known of a task before it starts.
#[derive(Debug)]
pub struct Spec {
    pub id: TaskId,
    pub location: &'static Location<'static>,
    /// The worker whose list owns it. Written by the spawner, before anybody but its group knows of the task.
    owner: AtomicU32,
    /// It must stay with that worker: its future may not leave the thread.
    pub pinned: bool,
}

impl Spec {
    /// Of a new task.
    pub(crate) fn new(location: &'static Location<'static>, owner: u32, pinned: bool) -> Self {
        Self { id: TaskId::next(), location, owner: AtomicU32::new(owner), pinned }
    }

    #[inline]
    pub(crate) fn owner(&self) -> u32 {
        // Ordering: Relaxed: whoever asks has the task from its spawner, or from somebody who has.
        self.owner.load(Ordering::Relaxed)
    }

    /// The same, for that worker's list.
    #[inline(always)]
    pub(crate) fn owned_by(self, owner: u32) -> Self {
        Self { owner: AtomicU32::new(owner), ..self }
    }

    /// No list owns it.
    pub(crate) fn disown(&self, nowhere: u32) {
        self.owner.store(nowhere, Ordering::Relaxed);
    }
}

/// The part that every task has alike.
#[repr(C)]
pub struct Header {
    // In the order of use: what a poll needs lies in front.
    pub(crate) state: State,
    vtable: &'static Vtable,
    pub(crate) spec: Spec,
    pub(crate) polls: SmallCounter,
    pub(crate) links: UnsafeCell<Links>,
    pub(super) join_waker: UnsafeCell<Option<Waker>>,
    /// The next in the stack of completed tasks of the owner.
    pub(crate) next: UnsafeCell<*mut Header>,
    /// What it needs once it is cancelled or has regions inside; null until then.
    root: AtomicPtr<Root>,
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
    schedule: unsafe fn(Runnable, Turn),
    cancel: unsafe fn(NonNull<Header>),
    take_outcome: unsafe fn(NonNull<Header>, NonNull<()>),
    drop_outcome: unsafe fn(NonNull<Header>),
    name: unsafe fn(NonNull<Header>) -> Option<NonNull<str>>,
    is_child: bool,
    free: unsafe fn(NonNull<Header>),
}

/// What a task has beside its future: a name, or a group that it belongs to. Both are rare, and a task without has no room for
/// them.
pub trait Name: 'static {
    /// What is done after the task has completed.
    type Farewell: Farewell;

    /// A value that nobody takes is dropped before the task is found complete.
    const ENDS_WITH_ITS_VALUE: bool = false;

    /// Whether somebody else owns the task, as a group does, and ends it.
    const IS_CHILD: bool = false;

    fn text(&self) -> Option<&str>;

    /// The task is new, and nobody knows of it yet; the answer says why it is born cancelled, if it is.
    fn attach(&self, _task: NonNull<Header>) -> Option<CancelCause> {
        None
    }

    /// The task ended by a panic.
    ///
    /// # Errors
    /// The panic, if it is the handle's.
    fn panicked(&self, _task: &Header, panic: Panic) -> Result<(), Panic> {
        Err(panic)
    }

    /// Nobody reads the task's output: the answer says what to report of it.
    ///
    /// # Safety
    /// It is an output of the task that this belongs to.
    unsafe fn unread(&self, _output: *const ()) -> Option<String> {
        None
    }

    /// The task is about to complete.
    fn farewell(&self) -> Self::Farewell;
}

/// See [`Name::farewell`].
pub trait Farewell {
    /// The task is complete, and its memory may be gone. `counted` if it was [counted](State::count) before that.
    fn say(self, counted: bool);
}

impl Farewell for () {
    #[inline(always)]
    fn say(self, _counted: bool) {}
}

/// No name.
impl Name for () {
    type Farewell = ();

    fn farewell(&self) {}

    fn text(&self) -> Option<&str> {
        None
    }
}

impl Name for &'static str {
    type Farewell = ();

    fn farewell(&self) {}

    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl Name for Option<Box<str>> {
    type Farewell = ();

    fn farewell(&self) {}

    fn text(&self) -> Option<&str> {
        self.as_deref()
    }
}

#[repr(C)]
pub(super) struct Cell<F: Future, S, N> {
    pub(super) header: Header,
    pub(super) scheduler: S,
    pub(super) stage: UnsafeCell<Stage<F>>,
    pub(super) name: N,
}

pub(super) enum Stage<F: Future> {
    Future(F),
    Outcome(Result<F::Output, Ended>),
    Gone,
}

/// How a task ended that gave no value; why it was cancelled stands in its header, so that the outcome takes less room than
/// most futures.
pub(super) enum Ended {
    Cancelled,
    Panicked(Panic),
}

/// Allocates a task. Its `Runnable` is the caller's to schedule; of its two references one is the handle's, the other is
/// for the list that owns it.
///
/// # Safety
/// If `F` is not `Send` or not `'static`, the caller sees to it that it is polled and dropped on its own thread and
/// before what it borrows ends.
pub(crate) unsafe fn allocate<F: Future, S: Schedule, N: Name>(
    future: F,
    scheduler: S,
    spec: Spec,
    name: N,
) -> NonNull<Header> {
    let memory = recycle::allocate(Layout::new::<Cell<F, S, N>>()).cast::<Cell<F, S, N>>();
    let cell = memory.as_ptr();
    // Written field by field and in place: a cell put together elsewhere would be copied in pieces other than those that were
    // just written, and each such copy waits for the stores before it.
    // SAFETY: fresh memory of that layout; every field is written once.
    unsafe {
        (&raw mut (*cell).stage).write(UnsafeCell::new(Stage::Future(future)));
        (&raw mut (*cell).scheduler).write(scheduler);
        (&raw mut (*cell).name).write(name);
        let header = &raw mut (*cell).header;
        (&raw mut (*header).state).write(State::new());
        (&raw mut (*header).vtable).write(vtable::<F, S, N>());
        (&raw mut (*header).spec).write(spec);
        (&raw mut (*header).polls).write(SmallCounter::new());
        (&raw mut (*header).links).write(UnsafeCell::new(Links { previous: ptr::null_mut(), next: ptr::null_mut() }));
        (&raw mut (*header).join_waker).write(UnsafeCell::new(None));
        (&raw mut (*header).next).write(UnsafeCell::new(ptr::null_mut()));
        (&raw mut (*header).root).write(AtomicPtr::new(ptr::null_mut()));
        if let Some(cause) = (*cell).name.attach(memory.cast()) {
            (*header).set_cause(cause);
            let _ = (*header).state.cancel();
        }
    }
    memory.cast()
}

fn vtable<F: Future, S: Schedule, N: Name>() -> &'static Vtable {
    const {
        &Vtable {
            poll: run::poll::<F, S, N>,
            schedule: schedule::<F, S, N>,
            cancel: run::cancel::<F, S, N>,
            take_outcome: run::take_outcome::<F, S, N>,
            drop_outcome: run::drop_outcome::<F, S, N>,
            name: name_in::<F, S, N>,
            is_child: N::IS_CHILD,
            free: free::<F, S, N>,
        }
    }
}

impl Header {
    /// The region that is the task, made now if there is none.
    pub(crate) fn root(&self) -> &Root {
        if let Some(root) = self.root_if_any() {
            return root;
        }
        let new = Root::new().kept().as_ptr();
        // Ordering: Release publishes the root to root_if_any; Acquire, of another's.
        match self.root.compare_exchange(ptr::null_mut(), new, Ordering::Release, Ordering::Acquire) {
            // SAFETY: published just now, and freed with the cell.
            Ok(_) => unsafe { &*new },
            Err(others) => {
                // SAFETY: made above and never shared.
                unsafe { Root::free(NonNull::new_unchecked(new)) };
                // SAFETY: stored by somebody else in this function, and freed with the cell.
                unsafe { &*others }
            }
        }
    }

    /// As [`root`](Self::root), but none is made.
    #[inline]
    pub(crate) fn root_if_any(&self) -> Option<&Root> {
        // Ordering: Acquire pairs with root's Release.
        let root = self.root.load(Ordering::Acquire);
        // SAFETY: null, or stored by `root` and freed with the cell.
        unsafe { root.as_ref() }
    }

    /// Whether a group or a set owns the task, and ends it.
    pub(crate) fn is_child(&self) -> bool {
        self.vtable.is_child
    }

    /// Whether it ended by a failure that its group holds.
    pub(crate) fn has_failed(&self) -> bool {
        self.root_if_any().is_some_and(Root::has_failed)
    }

    /// Stores why the task, whose runtime ends, is to be cancelled, unless that was done before; those who wait for it are told.
    pub(crate) fn set_cause(&self, cause: CancelCause) {
        if let Some(Some(node)) = self.root().set_cause(cause)
            && let Err(payload) = contain(|| node.ring())
        {
            // A waker is foreign code, and shutdown goes on.
            drop_payload(payload);
        }
    }

    /// Why the task is to be cancelled, once it is.
    pub(crate) fn cause(&self) -> Option<CancelCause> {
        self.root_if_any().and_then(Root::cause)
    }
}

/// Asks a task to stop, and says why; `false` if it has finished or was asked before.
///
/// # Safety
/// The caller holds a reference.
pub(crate) unsafe fn cancel_for(this: NonNull<Header>, cause: CancelCause) -> bool {
    // SAFETY: as the caller promises.
    let header = unsafe { this.as_ref() };
    if header.state.is_complete() {
        return false;
    }
    let Some(node) = header.root().set_cause(cause) else { return false };
    let called = header.state.cancel();
    if called == Cancel::TooLate {
        return false;
    }
    // If this is the task that the thread is inside of, its next await is the last.
    frame::mark(Target::Task(this.as_ptr().cast_const().cast()));
    // Regions inside may be polled by something that polls only what is woken.
    let told = node.map_or(Ok(()), |node| node.tell());
    if called == Cancel::Schedule {
        // SAFETY: the transition made this thread the holder of the Runnable.
        schedule_runnable(unsafe { Runnable::from_ptr(this) }, Turn::Next);
    }
    if let Err(panic) = told {
        std::panic::resume_unwind(panic);
    }
    true
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
pub(crate) fn schedule_runnable(task: Runnable, turn: Turn) {
    let vtable = task.header().vtable;
    // SAFETY: the vtable is that of the task's cell.
    unsafe { (vtable.schedule)(task, turn) };
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

/// What a task is called, if it is.
///
/// # Safety
/// The task lives as long as the answer is used.
pub(crate) unsafe fn name<'a>(this: NonNull<Header>) -> Option<&'a str> {
    // SAFETY: as the caller promises; a name does not change.
    unsafe { (this.as_ref().vtable.name)(this).map(|name| name.as_ref()) }
}

/// Frees a task that nobody else can reach.
///
/// # Safety
/// The caller is alone with it (`State` said so).
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
/// `this` is the header of a live `Cell<F, S, N>`.
#[inline(always)]
pub(super) unsafe fn cell<'a, F: Future, S, N>(this: NonNull<Header>) -> &'a Cell<F, S, N> {
    // SAFETY: as the caller promises; the header is the first field of a repr(C) struct.
    unsafe { this.cast().as_ref() }
}

unsafe fn schedule<F: Future, S: Schedule, N: Name>(task: Runnable, turn: Turn) {
    // SAFETY: the vtable is chosen by the cell's own types.
    // Once scheduled the task may complete and be freed by another thread, so the scheduler is not borrowed from it.
    let scheduler = unsafe { ManuallyDrop::new(ptr::read(&raw const cell::<F, S, N>(task.as_ptr()).scheduler)) };
    scheduler.schedule(task, turn);
}

/// A panic's payload may itself panic when dropped; then it is given up.
pub(crate) fn drop_payload(payload: weftwork_sync::primitive::Panic) {
    if let Err(second) = contain(|| drop(payload)) {
        core::mem::forget(second);
    }
}

unsafe fn name_in<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) -> Option<NonNull<str>> {
    // SAFETY: the vtable is chosen by the cell's own types, and the caller keeps the cell alive.
    unsafe { cell::<F, S, N>(this) }.name.text().map(NonNull::from)
}

/// Lets go of an outcome that nobody read, and of the memory.
///
/// # Safety
/// No reference is left, or the only one is the caller's.
pub(super) unsafe fn free<F: Future, S: Schedule, N: Name>(this: NonNull<Header>) {
    let memory = this.cast::<Cell<F, S, N>>();
    // SAFETY: nobody else can reach the cell, so it is this function's alone; what is dropped here is not looked at again.
    unsafe {
        run::drop_outcome::<F, S, N>(this);
        let header = &memory.as_ref().header;
        let root = header.root.load(Ordering::Acquire);
        if let Some(root) = NonNull::new(root) {
            Root::free(root);
        }
        if let Some(waker) = header.join_waker.with_mut(|slot| ptr::replace(slot, None)) {
            free_waker(header, waker);
        }
        ptr::drop_in_place(&raw mut (*memory.as_ptr()).name);
        ptr::drop_in_place(&raw mut (*memory.as_ptr()).scheduler);
        recycle::free(memory.cast(), Layout::new::<Cell<F, S, N>>());
    }
}

fn free_waker(header: &Header, waker: Waker) {
    if header.state.has_join_waker() {
        // It was woken, and gone with that, by whoever completed the task.
        core::mem::forget(waker);
    } else if let Err(payload) = contain(|| drop(waker)) {
        // A waker is foreign code.
        drop_payload(payload);
    }
}

#[cfg(all(test, not(weftwork_loom), not(weftwork_count)))]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_does_nothing_fits_into_two_lines() {
        assert!(size_of::<Header>() <= 96, "{}", size_of::<Header>());
        fn cell_of<F: Future>(_: F) -> usize {
            size_of::<Cell<F, usize, ()>>()
        }
        assert!(cell_of(async {}) <= 128, "{}", cell_of(async {}));
    }
}
