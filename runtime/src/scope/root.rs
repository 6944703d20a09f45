//! The region that is the task: what a task needs once it is cancelled, or has regions inside.
//!
//! Most cancelled tasks have none inside, so the root has a node only once something asks for it, which is done by the thread
//! inside of the task alone. Cause and node are under one lock: whoever cancels finds the node that there is and tells it, and a node
//! that is made later begins with the cause that there is.

use super::frame::NEVER;
use super::leaving::{Departing, Leaving};
use super::node::Node;
use super::region::Vigil;
use crate::task::local::place::{self, Place};
use crate::task::watched::Watched;
use crate::task::{CancelCause, CancelKind, recycle};
use core::alloc::Layout;
use core::ptr::{self, NonNull};
use core::task::Context;
use weftwork_sync::coop;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use weftwork_sync::primitive::{Mutex, Panic, Shared, UnsafeCell};

/// Made when it is first needed, and kept by the task's header.
pub(crate) struct Root {
    known: Mutex<Known>,
    /// There is a node.
    has_node: AtomicBool,
    /// The earliest deadline around the group that the task belongs to, as it was when the task was spawned.
    deadline: AtomicU64,
    /// Shields inside hold no longer; see `soft.rs`.
    pierced: AtomicBool,
    /// It ended by a failure that its group holds.
    failed: AtomicBool,
    inside: UnsafeCell<Inside>,
    /// The values of the task's locals.
    place: Place,
    /// Null, or stored once.
    watched: AtomicPtr<Watched>,
}

#[derive(Debug, Default)]
struct Known {
    cause: Option<CancelCause>,
    node: Option<Shared<Node>>,
    /// For how many nanoseconds shields inside hold, if there is a bound.
    grace: Option<u64>,
}

/// For the thread that is inside of the task.
#[derive(Default)]
struct Inside {
    vigil: Vigil,
    leaving: Leaving,
    ended: bool,
}

// SAFETY: `inside` and `place` are touched by the thread inside of the task only, as each method's contract says; the task's state orders those.
unsafe impl Sync for Root {}
// SAFETY: as above.
unsafe impl Send for Root {}

impl Root {
    pub(crate) fn new() -> Self {
        Self {
            known: Mutex::default(),
            has_node: AtomicBool::new(false),
            deadline: AtomicU64::new(NEVER),
            pierced: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            inside: UnsafeCell::new(Inside::default()),
            place: Place::new(),
            watched: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// In memory that is handed on from task to task: most roots are of tasks that end soon.
    pub(crate) fn kept(self) -> NonNull<Self> {
        let root = recycle::allocate(Layout::new::<Self>()).cast();
        // SAFETY: memory of that layout, which is nobody else's.
        unsafe { root.write(self) };
        root
    }

    /// # Safety
    /// It was made by [`kept`](Self::kept), and nobody uses it any more.
    pub(crate) unsafe fn free(root: NonNull<Self>) {
        // SAFETY: as the caller promises.
        unsafe {
            root.drop_in_place();
            recycle::free(root.cast(), Layout::new::<Self>());
        }
    }

    /// The task, which is new, is watched from now on. Called once.
    pub(crate) fn watch(&self, watched: Watched) {
        // Ordering: Release pairs with watched's Acquire: its group may look at the task already.
        self.watched.store(Box::into_raw(Box::new(watched)), Ordering::Release);
    }

    /// What is noted of the task.
    pub(crate) fn watched(&self) -> Option<&Watched> {
        // Ordering: Acquire pairs with watch.
        let watched = self.watched.load(Ordering::Acquire);
        // SAFETY: null, or stored by `watch` and freed with this.
        unsafe { watched.as_ref() }
    }

    /// The node, made now if there is none.
    pub(crate) fn node(&self) -> Shared<Node> {
        let mut known = self.known.lock();
        if let Some(node) = &known.node {
            return node.clone();
        }
        let node = Node::of_task();
        if let Some(cause) = &known.cause {
            node.set_cause(cause.clone());
        }
        if let Some(grace) = known.grace {
            node.soften(grace);
        }
        known.node = Some(node.clone());
        // Ordering: Relaxed: for the thread inside of the task, which is the one that asks.
        self.has_node.store(true, Ordering::Relaxed);
        node
    }

    /// The node, for the thread inside of the task.
    fn node_if_any(&self) -> Option<Shared<Node>> {
        if self.has_node.load(Ordering::Relaxed) { self.known.lock().node.clone() } else { None }
    }

    /// Stores why the task is cancelled, and gives the node that has to be told if there is one; `None` if it was cancelled before.
    pub(crate) fn set_cause(&self, cause: CancelCause) -> Option<Option<Shared<Node>>> {
        let mut known = self.known.lock();
        if known.cause.is_some() {
            return None;
        }
        if let Some(node) = &known.node {
            node.set_cause(cause.clone());
        }
        known.cause = Some(cause);
        Some(known.node.clone())
    }

    /// Shields inside hold for that many nanoseconds only, once the task is cancelled.
    #[cold]
    pub(crate) fn soften(&self, grace: u64) {
        let node = {
            let mut known = self.known.lock();
            if known.grace.is_some_and(|known| known <= grace) {
                return;
            }
            known.grace = Some(grace);
            known.node.clone()
        };
        // Race 6: without a node nobody inside holds it up, nor anybody that it waits for, and one that is made later finds the grace.
        if let Some(node) = node {
            node.soften(grace);
        }
    }

    /// Whether shields inside hold no longer.
    pub(crate) fn is_pierced(&self) -> bool {
        // Ordering: Relaxed: for the thread inside of the task, which is the one that pierces.
        self.pierced.load(Ordering::Relaxed)
    }

    /// Why the task is cancelled, if it is.
    pub(crate) fn cause(&self) -> Option<CancelCause> {
        self.known.lock().cause.clone()
    }

    /// Why it is, in a word.
    pub(crate) fn cancel_kind(&self) -> Option<CancelKind> {
        self.known.lock().cause.as_ref().map(|cause| cause.kind)
    }

    /// The cancelled task is polled.
    pub(crate) fn begin_pass(&self) {
        if let Some(node) = self.node_if_any() {
            node.begin_pass();
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

    /// Where the values of the task's locals stand.
    ///
    /// # Safety
    /// The calling thread is inside of the task, or has just made it; the place is left before that ends.
    pub(crate) unsafe fn place(&self) -> &Place {
        &self.place
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
        let Some(node) = self.node_if_any() else { return true };
        if node.waits_for_any() && node.was_called() {
            // For the live regions, when the last of them ends elsewhere.
            node.leave_waker(cx.waker());
        }
        // Taken out meanwhile: wakers are foreign code, and could come back to this task.
        // SAFETY: as the caller promises.
        let mut vigil = unsafe { self.inside(|inside| core::mem::take(&mut inside.vigil)) };
        let may_end = vigil.may_end(&node, true, cx);
        if !may_end {
            self.follow_grace(&mut vigil, &node, cx);
        }
        // SAFETY: as above.
        unsafe { self.inside(|inside| inside.vigil = vigil) };
        may_end
    }

    fn follow_grace(&self, vigil: &mut Vigil, node: &Node, cx: &mut Context<'_>) {
        vigil.follow_grace(node, cx);
        if node.is_pierced() {
            self.pierced.store(true, Ordering::Relaxed);
        }
    }

    /// Runs `unwind`, which drops the future, and takes over the children of its groups, and if it `cancels` the tasks that it waited
    /// for.
    ///
    /// # Safety
    /// The calling thread is inside of the task.
    pub(crate) unsafe fn unwind(&self, cancels: bool, unwind: impl FnOnce()) -> Result<(), Panic> {
        let mut leaving = Leaving::default();
        let done = leaving.collect(cancels, || coop::unconstrained(|| place::dropping(self, unwind)));
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
        let node = self.node_if_any();
        // Without a node nothing was kept; `all_have_left` makes one before it waits.
        // SAFETY: as the caller promises.
        if node.is_none() && unsafe { self.inside(|inside| inside.leaving.is_empty()) } {
            return;
        }
        if let Some(node) = node {
            node.forget_waker();
        }
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
        // SAFETY: as the caller promises; here and below.
        if unsafe { self.inside(|inside| inside.leaving.is_empty()) } {
            return true;
        }
        // Taken out as in may_end.
        // SAFETY: as above.
        let (mut leaving, mut vigil) =
            unsafe { self.inside(|inside| (core::mem::take(&mut inside.leaving), core::mem::take(&mut inside.vigil))) };
        let done = leaving.poll(cx).is_ready();
        if !done {
            // Made now if there was none: a soft cancellation has to reach those that are waited for. Its waker first: race 5.
            let node = self.node();
            node.leave_waker(cx.waker());
            self.follow_grace(&mut vigil, &node, cx);
            if self.is_pierced() {
                leaving.pierce();
            }
        }
        // SAFETY: as above.
        unsafe {
            self.inside(|inside| {
                inside.leaving.append(leaving);
                inside.vigil = vigil;
            });
        }
        done
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // Ordering: Relaxed: whoever drops the root has seen all that was done with its task.
        let watched = self.watched.load(Ordering::Relaxed);
        if !watched.is_null() {
            // SAFETY: stored by `watch`, and reached through this alone.
            drop(unsafe { Box::from_raw(watched) });
        }
    }
}

impl core::fmt::Debug for Root {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Root").field("known", &self.known).finish_non_exhaustive()
    }
}
