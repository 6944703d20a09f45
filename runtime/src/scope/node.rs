//! What others reach of a region: a handle to cancel it, and the regions inside of it that have to hear of that.
//!
//! A region has a node as soon as something has to find it: a handle to its scope, or a region inside that must not be dropped
//! without having had its say (*live*: a landing pad, a shield, a group, or a region with one of those inside). A node holds the
//! nodes of the live regions right below it. A deadline around a plain future has none.
//!
//! | word | written by | means |
//! |---|---|---|
//! | `cause` | the first to cancel, under the lock | why; never changes |
//! | `cancelled` | the same, after that | there is a cause |
//! | `live`, `count` | the region below, as it waits for the first time and as it ends, under the lock | who has to be waited for |
//! | `waker` | the region, under the lock; taken by whoever calls it | whom to poll |
//! | `called` | whoever took the waker | the region has to leave another |
//! | `pass` | the region as it is polled | how often that was |
//! | `seen` | the region as it is polled | the `pass` of the region above that polled it |
//! | `grace`, `pierced` | | see `soft.rs` |
//! | `waits` | the region, under the lock | it was cancelled and waits for live ones |
//! | `closed` | the region as it ends, under the lock | nobody cancels it any more |
//! | `deadline` | handles to the scope, who then have it polled | when the region cancels itself; moves until it has |
//!
//! `pass` and `seen` are only ever touched by the thread inside of the task; a region that moved to another task has left its place
//! before.
//!
//! Races (model L10):
//! 1. Two cancels: the lock orders them, the first cause stays and the second is told so.
//! 2. Cancel against a live region that enters: both take the lock of the node above. Enters first: cancel finds and wakes it.
//!    Cancels first: the region above is being polled, or it could not have polled what enters; when that poll ends it looks at
//!    `cancelled`, which the entering thread's lock made visible, and wakes what was not told (`may_end`).
//! 3. Cancel against a poll that looks at `cancelled` just before: the canceller calls the waker after it set the flag, so there
//!    is another poll. The waker is left before the poll looks.
//! 4. A live region ends outside of a poll of the region above (it was dropped from elsewhere, or went to another task): it finds
//!    `waits` under the lock and calls the waker of the region above, which that has left before it set `waits`; if it is gone, it
//!    was called, and the poll to come finds the region gone, as does one that has not yet set `waits`. Its own waker would not do: it
//!    may have been called for nothing, or be that of another task.

use super::frame::NEVER;
use crate::task::{CancelCause, cell};
use core::panic::Location;
use core::task::Waker;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use weftwork_sync::primitive::{Mutex, Panic, Shared, contain};
use weftwork_sync::{Notify, WakeBatch};

/// What others reach of a region.
#[derive(Debug)]
pub(crate) struct Node {
    cancelled: AtomicBool,
    /// Cancellations from outside stop here, at this place of the source.
    shield: Option<&'static Location<'static>>,
    /// Nanoseconds for which shields inside hold once the region is cancelled; see `soft.rs`.
    grace: AtomicU64,
    /// They hold no longer.
    pierced: AtomicBool,
    /// The region is a task, and its waker, if there is one, the task's.
    is_task: bool,
    called: AtomicBool,
    pass: AtomicU32,
    seen: AtomicU32,
    /// Where it stands in the list above; under that node's lock.
    place: AtomicUsize,
    count: AtomicUsize,
    /// Nanoseconds on the runtime's clock.
    deadline: AtomicU64,
    /// A future was given to the scope.
    runs: AtomicBool,
    /// The region ended with its own cancellation.
    caught: AtomicBool,
    /// It ended.
    closed: AtomicBool,
    /// Rung at the cancellation, for those who wait for that alone.
    bell: Notify,
    tree: Mutex<Tree>,
}

#[derive(Debug, Default)]
struct Tree {
    cause: Option<CancelCause>,
    waker: Option<Waker>,
    live: Vec<Shared<Node>>,
    waits: bool,
}

impl Node {
    pub(crate) fn new() -> Shared<Self> {
        Self::make(None, false)
    }

    /// The node of a shield.
    pub(crate) fn of_shield(at: &'static Location<'static>) -> Shared<Self> {
        Self::make(Some(at), false)
    }

    /// The node of a task.
    pub(crate) fn of_task() -> Shared<Self> {
        Self::make(None, true)
    }

    fn make(shield: Option<&'static Location<'static>>, is_task: bool) -> Shared<Self> {
        Shared::new(Self {
            cancelled: AtomicBool::new(false),
            shield,
            grace: AtomicU64::new(NEVER),
            pierced: AtomicBool::new(false),
            is_task,
            called: AtomicBool::new(true),
            pass: AtomicU32::new(0),
            seen: AtomicU32::new(0),
            place: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
            deadline: AtomicU64::new(NEVER),
            runs: AtomicBool::new(false),
            caught: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            bell: Notify::new(),
            tree: Mutex::new(Tree::default()),
        })
    }

    /// Whether the region was cancelled, as against what surrounds it.
    #[inline]
    pub(crate) fn is_cancelled(&self) -> bool {
        // Ordering: Acquire pairs with set_cause.
        self.cancelled.load(Ordering::Acquire)
    }

    /// Why it was.
    pub(crate) fn cause(&self) -> Option<CancelCause> {
        if self.is_cancelled() { self.tree.lock().cause.clone() } else { None }
    }

    /// Stores why the region is cancelled; the first to do so wins, unless it has ended. Nobody is [told](Self::tell) yet.
    pub(crate) fn set_cause(&self, cause: CancelCause) -> bool {
        let mut tree = self.tree.lock();
        // Ordering: Relaxed: written under the lock.
        if tree.cause.is_some() || self.closed.load(Ordering::Relaxed) {
            drop(tree);
            // A message may be anything; it is dropped outside of the lock.
            drop(cause);
            return false;
        }
        tree.cause = Some(cause);
        // Ordering: Release publishes the cause, and what the canceller did before, to is_cancelled.
        self.cancelled.store(true, Ordering::Release);
        true
    }

    /// Tells those who wait for the cancellation alone.
    pub(crate) fn ring(&self) {
        self.bell.notify_waiters();
    }

    /// Tells everybody who has to hear of the cancellation.
    ///
    /// # Errors
    /// What a waker panicked with; all the others were called all the same.
    pub(crate) fn tell(&self) -> Result<(), Panic> {
        let woken = contain(|| self.wake_all());
        contain(|| self.ring()).and(woken)
    }

    /// Rung at the cancellation.
    pub(crate) fn bell(&self) -> &Notify {
        &self.bell
    }

    /// When the region cancels itself.
    pub(crate) fn deadline(&self) -> u64 {
        // Ordering: Acquire, with the Release of set_deadline.
        self.deadline.load(Ordering::Acquire)
    }

    /// Moves that, and has the region look at it.
    pub(crate) fn set_deadline(&self, deadline: u64) {
        // Ordering: Release, before the waker is taken: either it is there and leads to a poll, or the poll that leaves one looks
        // at the deadline after that.
        self.deadline.store(deadline, Ordering::Release);
        let waker = self.take_waker(&mut self.tree.lock());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A future is given to the scope; `false` if one was before.
    pub(crate) fn begins(&self) -> bool {
        // Ordering: Relaxed: it only tells the first from the second.
        !self.runs.swap(true, Ordering::Relaxed)
    }

    /// The region has ended, in whatever way: it cannot be cancelled any more, and nobody has to be woken.
    pub(crate) fn close(&self) {
        let waker = {
            let mut tree = self.tree.lock();
            // Ordering: Release pairs with is_closed: whoever finds the region ended finds what it did. Whoever cancels it looks under
            // the lock.
            self.closed.store(true, Ordering::Release);
            self.take_waker(&mut tree)
        };
        drop(waker);
    }

    /// Whether it has.
    pub(crate) fn is_closed(&self) -> bool {
        // Ordering: Acquire pairs with close.
        self.closed.load(Ordering::Acquire)
    }

    /// The region ended with its own cancellation.
    pub(crate) fn catch(&self) {
        // Ordering: Release pairs with has_caught: whoever sees it finds that the region has unwound.
        self.caught.store(true, Ordering::Release);
    }

    /// Whether it did.
    pub(crate) fn has_caught(&self) -> bool {
        // Ordering: Acquire pairs with catch.
        self.caught.load(Ordering::Acquire)
    }

    /// Cancels the region; `false` if it was.
    pub(crate) fn cancel(&self, cause: CancelCause) -> bool {
        if self.is_task {
            return self.cancel_task(cause);
        }
        let first = self.set_cause(cause);
        if first {
            super::frame::mark(super::frame::Target::Region(self));
            if let Err(panic) = self.tell() {
                std::panic::resume_unwind(panic);
            }
        }
        first
    }

    /// As [`cancel`](Self::cancel), and shields inside hold for that many nanoseconds only, also if it was cancelled before.
    pub(crate) fn cancel_softly(&self, cause: CancelCause, grace: u64) -> bool {
        if self.is_closed() {
            return false;
        }
        self.shorten_grace(grace, &self.tree.lock());
        let first = self.cancel(cause);
        if !first {
            self.soften(grace);
        }
        first
    }

    /// Shields inside hold for that many nanoseconds only, once it is cancelled; it is polled to see that.
    pub(crate) fn soften(&self, grace: u64) {
        let waker = {
            let mut tree = self.tree.lock();
            self.shorten_grace(grace, &tree);
            // Race 5.
            self.take_waker(&mut tree)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn shorten_grace(&self, grace: u64, _locked: &Tree) {
        // Ordering: Relaxed: written under the lock, under which the region leaves its waker before it looks.
        self.grace.store(grace.min(self.grace.load(Ordering::Relaxed)), Ordering::Relaxed);
    }

    /// For how long shields inside hold; NEVER without a bound.
    pub(super) fn grace(&self) -> u64 {
        self.grace.load(Ordering::Relaxed)
    }

    /// Whether shields inside hold no longer.
    pub(super) fn is_pierced(&self) -> bool {
        // Ordering: Relaxed: for the thread inside of the task, which is the one that pierces.
        self.pierced.load(Ordering::Relaxed)
    }

    /// Shields inside hold no longer: they are polled to see that.
    pub(super) fn pierce(&self) {
        self.pierced.store(true, Ordering::Relaxed);
        self.wake_all();
    }

    /// A task is cancelled by its own state, which is reached by its waker: left by whoever asked for a handle to its scope, and gone
    /// when the task has ended.
    #[cold]
    fn cancel_task(&self, cause: CancelCause) -> bool {
        let Some(waker) = self.take_waker(&mut self.tree.lock()) else { return false };
        let task = crate::task::waker::task_of(&waker);
        // SAFETY: the waker's reference.
        task.is_some_and(|task| unsafe { cell::cancel_for(task.into(), cause) })
    }

    /// Whether the region is a task.
    pub(crate) fn is_task(&self) -> bool {
        self.is_task
    }

    /// Has the region and every live one inside polled, except behind shields: who polls them may poll only what was woken.
    pub(crate) fn wake_all(&self) {
        let mut batch = WakeBatch::new();
        let mut inside = Vec::new();
        self.call(&mut batch, &mut inside);
        while let Some(node) = inside.pop() {
            if node.shield.is_some() {
                // It does not hear of the cancellation, but whether it is still polled has to be seen.
                batch.extend(node.take_waker(&mut node.tree.lock()));
            } else {
                node.call(&mut batch, &mut inside);
            }
        }
        batch.wake_all();
    }

    fn call(&self, batch: &mut WakeBatch, inside: &mut Vec<Shared<Self>>) {
        let mut tree = self.tree.lock();
        inside.extend(tree.live.iter().cloned());
        let waker = self.take_waker(&mut tree);
        drop(tree);
        batch.extend(waker);
    }

    fn take_waker(&self, tree: &mut Tree) -> Option<Waker> {
        let waker = tree.waker.take();
        if waker.is_some() {
            // Ordering: Relaxed: the region sees it in the poll that this waker leads to, or in a later one.
            self.called.store(true, Ordering::Relaxed);
        }
        waker
    }

    /// Whether the waker that the region left was taken.
    pub(crate) fn was_called(&self) -> bool {
        self.called.load(Ordering::Relaxed)
    }

    /// Leaves the waker that the region is polled with.
    pub(crate) fn leave_waker(&self, waker: &Waker) {
        // Cloned and dropped outside of the lock: foreign code.
        let new = waker.clone();
        let before = {
            let mut tree = self.tree.lock();
            self.called.store(false, Ordering::Relaxed);
            tree.waker.replace(new)
        };
        drop(before);
    }

    /// The region is polled.
    pub(crate) fn begin_pass(&self) {
        self.pass.store(self.pass.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        if self.waits_for_any() {
            self.tree.lock().waits = false;
        }
    }

    /// A live region below was polled in this pass.
    pub(crate) fn see(&self, below: &Self) {
        below.seen.store(self.pass.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether there are live regions inside.
    #[inline]
    pub(crate) fn waits_for_any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// A region right below waits, and is live.
    pub(crate) fn enter(&self, below: &Shared<Self>) {
        self.see(below);
        let mut tree = self.tree.lock();
        below.place.store(tree.live.len(), Ordering::Relaxed);
        tree.live.push(below.clone());
        self.count.store(tree.live.len(), Ordering::Relaxed);
    }

    /// A region that has [entered](Self::enter) ends, or is live no longer.
    pub(crate) fn leave(&self, below: &Self) {
        let (gone, waker) = {
            let mut tree = self.tree.lock();
            let place = below.place.load(Ordering::Relaxed);
            let gone = tree.live.swap_remove(place);
            if let Some(moved) = tree.live.get(place) {
                moved.place.store(place, Ordering::Relaxed);
            }
            self.count.store(tree.live.len(), Ordering::Relaxed);
            // Race 4.
            (gone, if tree.waits { self.take_waker(&mut tree) } else { None })
        };
        debug_assert!(core::ptr::eq(&*gone, below), "out of place");
        drop(gone);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The region ends: nobody has to be woken any more.
    pub(crate) fn forget_waker(&self) {
        let waker = self.take_waker(&mut self.tree.lock());
        drop(waker);
    }

    /// What a cancelled region whose future is pending finds out about the live ones inside. `told` polls of it began cancelled, and
    /// `now` says whether the last did.
    pub(super) fn hears(&self, told: u32, now: bool) -> Heard {
        let (unheard, quiet) = {
            let mut tree = self.tree.lock();
            if tree.live.is_empty() {
                return Heard::Nobody;
            }
            tree.waits = true;
            let pass = self.pass.load(Ordering::Relaxed);
            let ago = |below: &Self| pass.wrapping_sub(below.seen.load(Ordering::Relaxed));
            if now && tree.live.iter().any(|below| ago(below) == 0) {
                return Heard::Somebody;
            }
            let quiet = tree.live.iter().any(|below| ago(below) < told && !below.was_called());
            let unheard: Vec<_> = tree.live.iter().filter(|below| ago(below) >= told).cloned().collect();
            (unheard, quiet)
        };
        for below in &unheard {
            below.probe();
        }
        if quiet { Heard::Quiet } else { Heard::NotYet }
    }

    /// Has all live regions inside polled.
    pub(super) fn wake_those_inside(&self) {
        let inside = self.tree.lock().live.clone();
        for below in &inside {
            below.probe();
        }
    }

    /// The places of all shields inside.
    #[cold]
    pub(super) fn shields_inside(&self) -> Vec<&'static Location<'static>> {
        let mut inside = self.tree.lock().live.clone();
        let mut places = Vec::new();
        while let Some(node) = inside.pop() {
            places.extend(node.shield);
            inside.extend(node.tree.lock().live.iter().cloned());
        }
        places
    }

    /// Has the region polled, and what is inside if that has to hear of what surrounds it.
    fn probe(&self) {
        if self.shield.is_some() {
            let waker = self.take_waker(&mut self.tree.lock());
            if let Some(waker) = waker {
                waker.wake();
            }
        } else {
            self.wake_all();
        }
    }
}

/// What a cancelled region hears from the live ones inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// There is none.
    Nobody,
    /// At least one was polled, knew of the cancellation, and waits for something of its own.
    Somebody,
    /// None was polled now. At least one was since the cancellation, and has not been woken after that.
    Quiet,
    /// None was polled now, and all have been woken.
    NotYet,
}
