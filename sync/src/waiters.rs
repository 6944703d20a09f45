//! The one waiter list under every primitive: who waits, in which order, and how a wait ends.
//!
//! A [`Waiter`] lies inside the future that waits, so waiting allocates nothing. While it is linked, the list points at
//! it; the future is pinned and takes it off in its own `Drop`, so the pointer never outlives the node.
//!
//! # Phases
//!
//! ```text
//!              push            wake_front (the mutex)
//!   IDLE ---------------> WAITING <-----------------> WOKEN      linked
//!     ^                     |   |       set_waker       |
//!     |      unlink         |   |                       |
//!     +---------------------+---|-----------------------+
//!     ^                         | take_front(outcome)   |
//!     |  finish (owner)         v                       v
//!     +------------------ GRANTED, SWEPT                         not linked
//! ```
//!
//! | phase | who may leave it | meaning |
//! |---|---|---|
//! | `Idle` | the owner, under the lock | not linked; nobody else knows the node |
//! | `Waiting` | anyone, under the lock | linked; holds the waker to call |
//! | `Woken` | anyone, under the lock | linked; its waker was taken to be called and it has not looked since |
//! | `Granted` | the owner, no lock | taken off the list alone: it owns what the primitive hands out (a lock, permits, a hint) and has to pass it on if it is dropped now |
//! | `Swept` | the owner, no lock | taken off together with everybody (close, notify_waiters): nothing to pass on |
//!
//! # Rules
//! 1. Links, waker and tag are touched only under the list's lock, or by the owner in `Idle`, `Granted` or `Swept`.
//! 2. The store of `Granted` or `Swept` is the last touch of a node by whoever took it off: from then on the owner may free
//!    it without taking the lock.
//! 3. A waker enters and leaves by move. It is cloned before the lock is taken and called or dropped after it is released,
//!    because it is foreign code that may come back into the same primitive (tokio 4129, 5471).
//!
//! # Races
//! 1. Taken off against dropped: the owner looks at the phase under the lock before it unlinks, so it either unlinks a node
//!    that nobody took, or finds an outcome and passes it on. Nothing is lost and nothing is unlinked twice.
//! 2. Taken off against polled: the owner's Acquire load of the phase pairs with the Release store of rule 2; what the waker
//!    did before is seen.
//!
//! # Aliasing
//! The list reaches a node through a pointer made from a shared reference, while the owner holds `Pin<&mut Future>` again
//! at its next poll. All shared fields are atomics or cells, and `PhantomPinned` makes the future `!Unpin`, for which the
//! compiler asserts no uniqueness (tokio 3399). No `&mut Waiter` is ever made while the node may be linked.

use crate::primitive::atomic::{AtomicU32, Ordering};
use crate::primitive::{Mutex as ListLock, UnsafeCell};
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::{self, NonNull};
use core::task::{Context, Poll, Waker};

/// Where a wait stands; see the head of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Waiting,
    Woken,
    Granted,
    Swept,
}

/// How a waiter leaves the list when somebody else takes it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It alone was chosen.
    Granted,
    /// Everybody was told.
    Swept,
}

/// What is done about a waiter, by its note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Take,
    Pass,
    /// Neither it nor those behind it.
    Stop,
}

const IDLE: u32 = 0;
const WAITING: u32 = 1;
const WOKEN: u32 = 2;
const GRANTED: u32 = 3;
const SWEPT: u32 = 4;

struct Node {
    previous: *const Waiter,
    next: *const Waiter,
    waker: Option<Waker>,
    /// The primitive's own note about this waiter: permits wanted, patience left.
    tag: usize,
}

/// A place in a waiter list, inside the future that waits. Public to the compiler only: it stands in the methods of a trait
/// that bounds a public type.
pub struct Waiter {
    phase: AtomicU32,
    node: UnsafeCell<Node>,
    _pinned: PhantomPinned,
}

// SAFETY: the pointers and the waker are touched under the list's lock or by the sole owner (rule 1), wherever it is.
unsafe impl Send for Waiter {}
// SAFETY: as above; a shared reference gives access to the phase only, which is atomic.
unsafe impl Sync for Waiter {}

impl core::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Waiter").field("phase", &self.phase()).finish_non_exhaustive()
    }
}

impl Waiter {
    pub(crate) fn new() -> Self {
        let node = Node { previous: ptr::null(), next: ptr::null(), waker: None, tag: 0 };
        Self { phase: AtomicU32::new(IDLE), node: UnsafeCell::new(node), _pinned: PhantomPinned }
    }

    /// Where the wait stands. Without the lock, `Waiting` and `Woken` may be out of date at once.
    #[inline]
    pub(crate) fn phase(&self) -> Phase {
        // Ordering: Acquire pairs with the Release store in take_front.
        match self.phase.load(Ordering::Acquire) {
            IDLE => Phase::Idle,
            WAITING => Phase::Waiting,
            WOKEN => Phase::Woken,
            GRANTED => Phase::Granted,
            _ => Phase::Swept,
        }
    }

    /// How somebody else ended the wait, if that has happened; taking note of it makes the waiter usable again.
    #[inline]
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let outcome = match self.phase() {
            Phase::Granted => Outcome::Granted,
            Phase::Swept => Outcome::Swept,
            Phase::Idle | Phase::Waiting | Phase::Woken => return None,
        };
        self.finish();
        Some(outcome)
    }

    /// The primitive's note, for the owner of a waiter that somebody took off.
    pub(crate) fn note(&self) -> usize {
        debug_assert!(!matches!(self.phase(), Phase::Waiting | Phase::Woken), "read while linked");
        // SAFETY: not linked, so its owner, the caller, alone touches the node (rule 1).
        self.node.with(|node| unsafe { (*node).tag })
    }

    /// The owner has taken note of the outcome; the waiter can be used again.
    #[inline]
    pub(crate) fn finish(&self) {
        debug_assert!(matches!(self.phase(), Phase::Granted | Phase::Swept), "finished while linked");
        // Ordering: Relaxed, only the owner looks at a node that is not linked; linking it again publishes it by the lock.
        self.phase.store(IDLE, Ordering::Relaxed);
    }
}

/// Waiters in the order in which they are served. Lives inside the primitive's lock, which is what `&mut List` proves.
pub(crate) struct List {
    front: *const Waiter,
    back: *const Waiter,
    len: usize,
}

// SAFETY: the list owns no node; it points at pinned ones, which are Send and Sync, and is reached under a lock only.
unsafe impl Send for List {}

impl List {
    pub(crate) const fn new() -> Self {
        Self { front: ptr::null(), back: ptr::null(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Links a waiter behind all others.
    ///
    /// # Safety
    /// The waiter is not linked, always meets the same list, and whoever owns it unlinks it before it is freed (its
    /// future does so in `Drop`).
    pub(crate) unsafe fn push_back(&mut self, waiter: Pin<&Waiter>, waker: Option<Waker>, tag: usize) {
        let this = ptr::from_ref(waiter.get_ref());
        // SAFETY: not linked, so its owner, the caller, alone may touch the node.
        unsafe { write(this, Node { previous: self.back, next: ptr::null(), waker, tag }) };
        match NonNull::new(self.back.cast_mut()) {
            // SAFETY: a linked node is alive, and the lock is held.
            Some(back) => unsafe { touch(back.as_ptr(), |node| node.next = this) },
            None => self.front = this,
        }
        self.back = this;
        self.linked(waiter);
    }

    /// Links a waiter before all others: it was chosen, came too late, and keeps its turn.
    ///
    /// # Safety
    /// As [`push_back`](Self::push_back).
    pub(crate) unsafe fn push_front(&mut self, waiter: Pin<&Waiter>, waker: Option<Waker>, tag: usize) {
        let this = ptr::from_ref(waiter.get_ref());
        // SAFETY: not linked, so its owner, the caller, alone may touch the node.
        unsafe { write(this, Node { previous: ptr::null(), next: self.front, waker, tag }) };
        match NonNull::new(self.front.cast_mut()) {
            // SAFETY: a linked node is alive, and the lock is held.
            Some(front) => unsafe { touch(front.as_ptr(), |node| node.previous = this) },
            None => self.back = this,
        }
        self.front = this;
        self.linked(waiter);
    }

    fn linked(&mut self, waiter: Pin<&Waiter>) {
        // Ordering: Relaxed, published to others by the lock.
        waiter.phase.store(WAITING, Ordering::Relaxed);
        self.len += 1;
    }

    /// Takes a waiter off on behalf of its owner. Returns its waker, to be dropped after the lock.
    ///
    /// # Safety
    /// The waiter is linked in this list.
    #[must_use = "the waker must be dropped after the lock is released"]
    pub(crate) unsafe fn unlink(&mut self, waiter: Pin<&Waiter>) -> Option<Waker> {
        // SAFETY: linked in this list by contract.
        let waker = unsafe { self.remove(waiter.get_ref()) };
        // Ordering: Relaxed, the owner is the caller.
        waiter.phase.store(IDLE, Ordering::Relaxed);
        waker
    }

    /// Takes the first waiter off with an outcome. Returns its waker (a waiter that was only enabled has none), to be
    /// called after the lock.
    #[must_use = "the waker must be called after the lock is released"]
    pub(crate) fn take_front(&mut self, outcome: Outcome) -> Option<Option<Waker>> {
        let front = NonNull::new(self.front.cast_mut())?;
        // SAFETY: the front is linked in this list.
        Some(unsafe { self.take(front.as_ptr(), outcome) })
    }

    /// # Safety
    /// `waiter` is linked in this list.
    unsafe fn take(&mut self, waiter: *const Waiter, outcome: Outcome) -> Option<Waker> {
        // SAFETY: by contract.
        let waker = unsafe { self.remove(waiter) };
        let word = match outcome {
            Outcome::Granted => GRANTED,
            Outcome::Swept => SWEPT,
        };
        // SAFETY: the owner cannot free the node before it sees the outcome that this store makes visible (rule 2), or
        // takes the lock that is held here.
        // Ordering: Release pairs with the Acquire in phase().
        unsafe { (*waiter).phase.store(word, Ordering::Release) };
        waker
    }

    /// Goes through the list from the front, takes off with an outcome whom `choose` tells it to by their notes, and collects
    /// the wakers.
    pub(crate) fn take_chosen(
        &mut self,
        outcome: Outcome,
        into: &mut crate::WakeBatch,
        mut choose: impl FnMut(usize) -> Choice,
    ) {
        let mut at = self.front;
        while let Some(waiter) = NonNull::new(at.cast_mut()) {
            // SAFETY: a linked node is alive, and the lock is held.
            let (next, tag) = unsafe { touch(waiter.as_ptr(), |node| (node.next, node.tag)) };
            match choose(tag) {
                // SAFETY: linked in this list.
                Choice::Take => into.extend(unsafe { self.take(waiter.as_ptr(), outcome) }),
                Choice::Pass => {}
                Choice::Stop => return,
            }
            at = next;
        }
    }

    /// Takes every waiter off with an outcome and collects the wakers.
    pub(crate) fn take_all(&mut self, outcome: Outcome, into: &mut crate::WakeBatch) {
        while let Some(waker) = self.take_front(outcome) {
            into.extend(waker);
        }
    }

    /// Takes the waker of the first waiter, which stays linked: it is told to try, not given anything.
    #[must_use = "the waker must be called after the lock is released"]
    pub(crate) fn wake_front(&mut self) -> Option<Waker> {
        let front = NonNull::new(self.front.cast_mut())?.as_ptr();
        // SAFETY: a linked node is alive, and the lock is held.
        let waker = unsafe { touch(front, |node| node.waker.take()) };
        if waker.is_some() {
            // SAFETY: as above.
            // Ordering: Relaxed, a hint to the owner; it looks again under the lock.
            unsafe { (*front).phase.store(WOKEN, Ordering::Relaxed) };
        }
        waker
    }

    /// The note of the first waiter, to be read or changed.
    pub(crate) fn front_tag<R>(&mut self, look: impl FnOnce(&mut usize) -> R) -> Option<R> {
        let front = NonNull::new(self.front.cast_mut())?;
        // SAFETY: a linked node is alive, and the lock is held.
        Some(unsafe { touch(front.as_ptr(), |node| look(&mut node.tag)) })
    }

    /// The note of one waiter, to be read or changed by its owner.
    ///
    /// # Safety
    /// The waiter is linked in this list.
    pub(crate) unsafe fn tag<R>(&mut self, waiter: Pin<&Waiter>, look: impl FnOnce(&mut usize) -> R) -> R {
        // SAFETY: the lock is held.
        unsafe { touch(waiter.get_ref(), |node| look(&mut node.tag)) }
    }

    /// Whether the waiter's waker would wake the same task; `false` too if it was taken.
    ///
    /// # Safety
    /// The waiter is linked in this list.
    pub(crate) unsafe fn would_wake(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> bool {
        // Comparing wakers compares two addresses; it runs no foreign code.
        let look = |node: &mut Node| node.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        // SAFETY: the lock is held.
        unsafe { touch(waiter.get_ref(), look) }
    }

    /// Gives a linked waiter another waker. Returns the old one, to be dropped after the lock.
    ///
    /// # Safety
    /// The waiter is linked in this list.
    #[must_use = "the waker must be dropped after the lock is released"]
    pub(crate) unsafe fn set_waker(&mut self, waiter: Pin<&Waiter>, waker: Waker) -> Option<Waker> {
        // Ordering: Relaxed, the lock publishes it.
        waiter.phase.store(WAITING, Ordering::Relaxed);
        // SAFETY: the lock is held.
        unsafe { touch(waiter.get_ref(), |node| node.waker.replace(waker)) }
    }

    /// # Safety
    /// `waiter` is linked in this list.
    unsafe fn remove(&mut self, waiter: *const Waiter) -> Option<Waker> {
        // SAFETY: linked, so alive, and the lock is held.
        let (previous, next, waker) = unsafe {
            touch(waiter, |node| {
                let links = (node.previous, node.next, node.waker.take());
                (node.previous, node.next) = (ptr::null(), ptr::null());
                links
            })
        };
        if previous.is_null() {
            debug_assert!(ptr::eq(self.front, waiter), "unlinked from another list");
            self.front = next;
        } else {
            // SAFETY: a neighbour is linked, so alive.
            unsafe { touch(previous, |node| node.next = next) };
        }
        if next.is_null() {
            debug_assert!(ptr::eq(self.back, waiter), "unlinked from another list");
            self.back = previous;
        } else {
            // SAFETY: a neighbour is linked, so alive.
            unsafe { touch(next, |node| node.previous = previous) };
        }
        self.len -= 1;
        waker
    }
}

/// A waiter that has begun looks again: how its wait was ended, or `Pending` with the context's waker in the list. For
/// primitives that decide who is served when they give, so that there is nothing for the waiter to try.
///
/// # Safety
/// The waiter was linked in `list`'s list, and its owner has not taken note of an outcome since.
#[cold]
pub(crate) unsafe fn look_again<L: AsMut<List>>(
    list: &ListLock<L>,
    waiter: Pin<&Waiter>,
    cx: &Context<'_>,
) -> Poll<Outcome> {
    let mut fresh = None;
    loop {
        if let Some(outcome) = waiter.outcome() {
            return Poll::Ready(outcome);
        }
        let mut held = list.lock();
        // Looked at again under the lock.
        if let Some(outcome) = waiter.outcome() {
            drop(held);
            return Poll::Ready(outcome);
        }
        let waiters = held.as_mut();
        // SAFETY: linked by contract and not taken off since; under the lock.
        if unsafe { waiters.would_wake(waiter, cx) } {
            return Poll::Pending;
        }
        if let Some(waker) = fresh.take() {
            // SAFETY: as above.
            let old = unsafe { waiters.set_waker(waiter, waker) };
            drop(held);
            drop(old);
            return Poll::Pending;
        }
        drop(held);
        fresh = Some(cx.waker().clone());
    }
}

impl AsMut<List> for List {
    fn as_mut(&mut self) -> &mut List {
        self
    }
}

/// # Safety
/// The waiter is alive, and the lock of its list is held or the caller is its sole owner.
unsafe fn touch<R>(waiter: *const Waiter, f: impl FnOnce(&mut Node) -> R) -> R {
    // SAFETY: by contract nobody else reads or writes the node meanwhile; the closures here do not nest on one node.
    unsafe { (*waiter).node.with_mut(|node| f(&mut *node)) }
}

/// # Safety
/// As [`touch`]; the waiter holds no waker.
unsafe fn write(waiter: *const Waiter, new: Node) {
    // SAFETY: by contract. The node that is replaced holds no waker, so nothing foreign is dropped.
    unsafe { touch(waiter, |node| *node = new) };
}
