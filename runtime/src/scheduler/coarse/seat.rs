//! What the calling thread is to a coarse scheduler.

use super::Core;
use crate::context;
use crate::scope::frame;
use crate::task::TaskId;
use core::cell::Cell;
use core::fmt;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use weftwork_sync::primitive::Shared;
use weftwork_sync::weft_thread_local;

/// A thread of a coarse scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Worker(usize),
    /// Runs closures that block.
    Caller(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(number) => write!(f, "worker {number}"),
            Self::Caller(number) => write!(f, "thread {number}"),
        }
    }
}

weft_thread_local! {
    /// The runtime that this thread works for, which outlives its work.
    static CORE: Cell<*const Shared<Core>> = Cell::new(ptr::null());
    static PLACE: Cell<Option<Place>> = Cell::new(None);
}

/// Runs `f` with the calling thread at that place.
pub(super) fn sit<R>(core: &Shared<Core>, place: Place, f: impl FnOnce() -> R) -> R {
    struct Stand;
    impl Drop for Stand {
        fn drop(&mut self) {
            CORE.with(|at| at.set(ptr::null()));
            PLACE.with(|at| at.set(None));
        }
    }
    CORE.with(|at| at.set(core));
    PLACE.with(|at| at.set(Some(place)));
    let _stand = Stand;
    f()
}

/// Calls `f` with the runtime whose thread this is.
pub(crate) fn with_core<R>(f: impl FnOnce(&Shared<Core>) -> R) -> Option<R> {
    // Gone only in the destructors of other thread-locals.
    let core = CORE.try_with(Cell::get).ok()?;
    // SAFETY: null, or set by `sit` on this thread for as long as the core is borrowed there.
    unsafe { core.as_ref() }.map(f)
}

/// The current runtime, counted where it has to be: two threads that count the same word are an order more to search each time.
pub(crate) enum Held {
    Counted(Shared<Core>),
    /// The calling worker's, which outlives its work.
    Borrowed(*const Shared<Core>),
}

impl Deref for Held {
    type Target = Shared<Core>;

    fn deref(&self) -> &Shared<Core> {
        match self {
            Self::Counted(core) => core,
            // SAFETY: made by the worker that borrows it, which has not stood up: nothing made of this leaves its poll.
            Self::Borrowed(core) => unsafe { &**core },
        }
    }
}

/// As `context::current`, for the moment.
pub(crate) fn hold_current() -> Option<Held> {
    if is_worker() { with_core(|core| Held::Borrowed(core)) } else { context::current().map(Held::Counted) }
}

/// Where the calling thread sits.
pub(super) fn place() -> Option<Place> {
    PLACE.try_with(Cell::get).ok().flatten()
}

pub(crate) fn is_worker() -> bool {
    matches!(place(), Some(Place::Worker(_)))
}

/// The task that the calling worker polls.
pub(crate) fn current_task() -> Option<TaskId> {
    if is_worker() { frame::task().map(|task| task.spec.id) } else { None }
}

/// Whether the calling thread works for this runtime, which therefore stays until it has ended its work.
pub(super) fn is_inside(core: NonNull<Core>) -> bool {
    with_core(|mine| Shared::as_ptr(mine) == core).unwrap_or(false)
}
