//! Tasks that a dropped future waited for.
//!
//! A handle that was polled, is unfinished, and lies inside the future that a cancelled region drops, cancels its task: whoever was
//! to have the value is gone. The region is not done before that task is, so that nothing runs on behind the back of whoever
//! cancelled. While a region drops its future, handles that are dropped meanwhile leave their task here.

use super::frame;
use crate::task::JoinHandle;
use core::cell::{Cell, RefCell};
use core::ptr;
use core::task::{Context, Poll};
use weftwork_sync::primitive::{Panic, contain};
use weftwork_sync::weft_thread_local;

weft_thread_local! {
    static COLLECTS: Cell<*const Collector> = Cell::new(ptr::null());
}

struct Collector {
    found: RefCell<Vec<Departing>>,
    /// Whether tasks that were only waited for end too.
    cancels: bool,
}

/// Something whose end is waited for, though not for what it comes to. It was cancelled.
pub(crate) enum Departing {
    Task(JoinHandle<()>),
    /// The children of a group.
    Children(Box<dyn Children>),
}

/// The unfinished children of a group that was dropped.
pub(crate) trait Children: Send + Sync {
    /// Ready when all have ended.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Their shields hold for that many nanoseconds only.
    fn soften(&self, grace: u64);
}

impl Departing {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Task(handle) => handle.poll_finished(cx),
            Self::Children(children) => children.poll_gone(cx),
        }
    }

    fn soften(&self, grace: u64) {
        match self {
            Self::Task(handle) => handle.soften(grace),
            Self::Children(children) => children.soften(grace),
        }
    }
}

/// All that a region or a task waits for before it is over.
#[derive(Default)]
pub(crate) struct Leaving(Vec<Departing>);

/// Collects no longer, also if a destructor panicked.
struct Restore(*const Collector);

impl Drop for Restore {
    fn drop(&mut self) {
        COLLECTS.with(|collects| collects.set(self.0));
    }
}

/// Runs `f`, in which nothing is collected: it is no part of what unwinds.
pub(crate) fn apart<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore(COLLECTS.with(|collects| collects.replace(ptr::null())));
    f()
}

impl Leaving {
    /// Runs `unwind`, which drops a future, and takes over the children of its groups, and if it `cancels` the tasks that it waited
    /// for.
    ///
    /// # Errors
    /// What a destructor panicked with; the rest was dropped all the same.
    pub(crate) fn collect(&mut self, cancels: bool, unwind: impl FnOnce()) -> Result<(), Panic> {
        let collector = Collector { found: RefCell::default(), cancels };
        let done = {
            let _restore = Restore(COLLECTS.with(|collects| collects.replace(&collector)));
            contain(unwind)
        };
        self.append(Self(collector.found.into_inner()));
        done
    }

    pub(crate) fn push(&mut self, what: Departing) {
        self.0.push(what);
    }

    pub(crate) fn append(&mut self, mut others: Self) {
        if !others.is_empty() {
            self.0.append(&mut others.0);
        }
    }

    /// Ready when all have ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.retain_mut(|departing| departing.poll(cx).is_pending());
        if self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Their shields hold no longer.
    #[cold]
    pub(crate) fn pierce(&self) {
        self.0.iter().for_each(|departing| departing.soften(0));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Calls `f` with the region that unwinds on this thread, if one does.
fn with_collector<R>(f: impl FnOnce(&Collector) -> R) -> Option<R> {
    // SAFETY: set while the frame of `collect` that owns it is there.
    unsafe { COLLECTS.with(Cell::get).as_ref() }.map(f)
}

/// A handle that was polled and is unfinished is dropped: where a region unwinds, its task is cancelled and waited for.
pub(crate) fn offer<T>(handle: &mut JoinHandle<T>) -> bool {
    let cancels = with_collector(|collects| collects.cancels).unwrap_or(false);
    // A task would wait for itself.
    if !cancels || crate::context::current_task() == Some(handle.id()) {
        return false;
    }
    let handle = handle.without_outcome();
    handle.cancel_because_dropped();
    leave_behind(Departing::Task(handle))
}

/// What owned tasks was dropped while some were left: the region that unwinds waits for them, and otherwise the task that the thread
/// is inside of does before it completes. `false` outside of both.
pub(crate) fn leave_behind(departing: Departing) -> bool {
    let mut departing = Some(departing);
    with_collector(|collects| collects.found.borrow_mut().extend(departing.take()));
    if let Some(departing) = departing {
        let Some(task) = frame::task() else { return false };
        // SAFETY: the thread is inside of the task, and nothing there is being looked at meanwhile: it runs foreign code.
        unsafe { task.root().leave_behind(departing) };
    }
    true
}
