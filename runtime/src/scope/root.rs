//! The region that is the task: what a task needs once it is cancelled, or has regions inside.

use super::frame::NEVER;
use super::leaving::{Departing, Leaving};
use super::node::Node;
use super::region::Vigil;
use core::task::Context;
use weftwork_sync::coop;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU64, Ordering};
use weftwork_sync::primitive::{Panic, Shared, UnsafeCell};

/// Made when it is first needed, and kept by the task's header.
pub(crate) struct Root {
    pub(crate) node: Shared<Node>,
    /// The earliest deadline around the group that the task belongs to, as it was when the task was spawned.
    deadline: AtomicU64,
    /// It ended by a failure that its group holds.
    failed: AtomicBool,
    inside: UnsafeCell<Inside>,
}

/// For the thread that is inside of the task.
#[derive(Default)]
struct Inside {
    vigil: Vigil,
    leaving: Leaving,
    ended: bool,
}

// SAFETY: `inside` is touched by the thread inside of the task only, as each method's contract says; the task's state orders those.
unsafe impl Sync for Root {}
// SAFETY: as above.
unsafe impl Send for Root {}

impl Root {
    pub(crate) fn new() -> Self {
        Self {
            node: Node::of_task(),
            deadline: AtomicU64::new(NEVER),
            failed: AtomicBool::new(false),
            inside: UnsafeCell::new(Inside::default()),
        }
    }

    /// The earliest deadline that is inherited; [`NEVER`] without one.
    pub(crate) fn deadline(&self) -> u64 {
        // Ordering: Relaxed: set before the task was scheduled, as is failed before it completes.
        self.deadline.load(Ordering::Relaxed)
    }

    pub(crate) fn inherit(&self, deadline: u64) {
        self.deadline.store(deadline, Ordering::Relaxed);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// # Safety
    /// The calling thread is inside of the task, and `f` calls no foreign code.
    unsafe fn inside<R>(&self, f: impl FnOnce(&mut Inside) -> R) -> R {
        // SAFETY: as the caller promises, nobody else is here.
        self.inside.with_mut(|inside| f(unsafe { &mut *inside }))
    }

    /// Whether the cancelled task, whose future is pending, may drop it now.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn may_end(&self, cx: &mut Context<'_>) -> bool {
        if self.node.waits_for_any() && self.node.was_called() {
            // For the live regions, when the last of them ends elsewhere.
            self.node.leave_waker(cx.waker());
        }
        // Taken out meanwhile: wakers are foreign code, and could come back to this task.
        // SAFETY: as the caller promises.
        let mut vigil = unsafe { self.inside(|inside| core::mem::take(&mut inside.vigil)) };
        let may_end = vigil.may_end(&self.node, true, cx);
        // SAFETY: as above.
        unsafe { self.inside(|inside| inside.vigil = vigil) };
        may_end
    }

    /// Runs `unwind`, which drops the future, and takes over the children of its groups, and if it `cancels` the tasks that it waited
    /// for.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn unwind(&self, cancels: bool, unwind: impl FnOnce()) -> Result<(), Panic> {
        let mut leaving = Leaving::default();
        let done = leaving.collect(cancels, || coop::unconstrained(unwind));
        // SAFETY: as the caller promises; foreign code has run before this, not meanwhile.
        unsafe {
            self.inside(|inside| {
                inside.leaving.append(leaving);
                inside.ended = true;
            });
        }
        done
    }

    /// The future is gone, and the task waits for what it left behind.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn end(&self) {
        // SAFETY: as the caller promises.
        unsafe { self.inside(|inside| inside.ended = true) };
    }

    /// The task has to wait for this before it completes.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn leave_behind(&self, what: Departing) {
        // SAFETY: as the caller promises.
        unsafe { self.inside(|inside| inside.leaving.push(what)) };
    }

    /// The task completes: nobody is waited for any more, and what they leave is dropped on this thread, which may be the only one
    /// that may. A handle to its scope may have been left with a waker of the task, which would keep it for ever.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    #[cold]
    pub(crate) unsafe fn complete(&self) {
        self.node.forget_waker();
        // SAFETY: as the caller promises.
        let inside = unsafe { self.inside(core::mem::take) };
        drop(inside);
    }

    /// Whether the future is gone.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn has_ended(&self) -> bool {
        // SAFETY: as the caller promises.
        unsafe { self.inside(|inside| inside.ended) }
    }

    /// Whether all tasks that the future waited for have ended; the caller is woken otherwise.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn all_have_left(&self, cx: &mut Context<'_>) -> bool {
        // Taken out as in may_end.
        // SAFETY: as the caller promises.
        let mut leaving = unsafe { self.inside(|inside| core::mem::take(&mut inside.leaving)) };
        let done = leaving.is_empty() || leaving.poll(cx).is_ready();
        // SAFETY: as above.
        unsafe { self.inside(|inside| inside.leaving.append(leaving)) };
        done
    }
}

impl core::fmt::Debug for Root {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Root").field("node", &self.node).finish_non_exhaustive()
    }
}
