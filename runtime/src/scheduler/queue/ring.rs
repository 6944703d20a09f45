//! The model's queues: the same methods on loom's atomics, synchronising no more than crossbeam's.
//!
//! The ring: the owner stores a slot (relaxed, as crossbeam's volatile write) and publishes it by a Release store of the
//! tail; whoever takes, owner or thief, reads a slot and claims it by a compare-exchange of the head. Indices only grow and
//! the ring never wraps within a model's few pushes onto live slots, which `push` asserts.
//!
//! The injector: slots are claimed by a fetch_add of the tail and published by a Release store of the slot itself. Whoever
//! takes and finds a slot claimed but not filled waits for the pusher, as with crossbeam, but asleep: two that spin while a
//! third is in the middle of its push have no end of orders, and no two of them differ.

use crate::task::Runnable;
use core::ptr;
use weftwork_sync::primitive::atomic::{AtomicPtr, AtomicUsize, Ordering};
use weftwork_sync::primitive::{Condvar, Mutex, Shared};

/// Small, so that a model fills it.
pub(crate) const SHARED_CAPACITY: usize = 4;
const INJECTOR_CAPACITY: usize = 8;

struct Ring {
    head: AtomicUsize,
    tail: AtomicUsize,
    slots: [AtomicPtr<()>; SHARED_CAPACITY],
}

/// The end that the worker pushes to and pops from.
pub struct Owner(Shared<Ring>);

/// The end that others steal from.
pub struct Thief(Shared<Ring>);

/// The queue of tasks that come from outside of the workers.
pub struct Injector {
    head: AtomicUsize,
    tail: AtomicUsize,
    places: [Place; INJECTOR_CAPACITY],
}

/// Where one task lies in the injector. The lock belongs to the place, so that pushers order nothing between each other by it.
struct Place {
    slot: AtomicPtr<()>,
    filling: Mutex<()>,
    filled: Condvar,
}

impl Place {
    fn new() -> Self {
        Self { slot: AtomicPtr::new(ptr::null_mut()), filling: Mutex::new(()), filled: Condvar::new() }
    }

    fn fill(&self, task: Runnable) {
        self.slot.store(to_slot(task), Ordering::Release);
        // Who waits has looked under the lock: before, and is notified, or after, and has seen it.
        drop(self.filling.lock());
        self.filled.notify_all();
    }

    /// What lies here, as soon as its pusher has laid it down.
    fn wait(&self) -> *mut () {
        let slot = self.slot.load(Ordering::Acquire);
        if !slot.is_null() {
            return slot;
        }
        let mut filling = self.filling.lock();
        loop {
            let slot = self.slot.load(Ordering::Acquire);
            if !slot.is_null() {
                return slot;
            }
            filling = self.filled.wait(filling);
        }
    }
}

/// A first-in first-out queue with its two ends.
pub(crate) fn shared() -> (Owner, Thief) {
    let ring = Shared::new(Ring {
        head: AtomicUsize::new(0),
        tail: AtomicUsize::new(0),
        slots: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
    });
    (Owner(ring.clone()), Thief(ring))
}

fn to_slot(task: Runnable) -> *mut () {
    task.into_ptr().as_ptr().cast()
}

fn from_slot(slot: *mut ()) -> Runnable {
    // SAFETY: stored by to_slot and claimed once, by the exchange of the head.
    unsafe { Runnable::from_ptr(ptr::NonNull::new(slot.cast()).unwrap()) }
}

impl Ring {
    fn take(&self) -> Option<Runnable> {
        loop {
            // Ordering: Acquire on the tail pairs with push's Release: the slot is seen.
            let head = self.head.load(Ordering::Acquire);
            let tail = self.tail.load(Ordering::Acquire);
            if head >= tail {
                return None;
            }
            let slot = self.slots[head % SHARED_CAPACITY].load(Ordering::Relaxed);
            // Ordering: AcqRel as crossbeam's: the claimed slot may be written again only after it was read.
            if self.head.compare_exchange(head, head + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Some(from_slot(slot));
            }
        }
    }
}

impl Owner {
    pub(crate) fn push(&mut self, task: Runnable) {
        let tail = self.0.tail.load(Ordering::Relaxed);
        // Ordering: Acquire pairs with the claim, before the slot is written again.
        let head = self.0.head.load(Ordering::Acquire);
        assert!(tail - head < SHARED_CAPACITY, "the shared queue is kept below its capacity");
        self.0.slots[tail % SHARED_CAPACITY].store(to_slot(task), Ordering::Relaxed);
        self.0.tail.store(tail + 1, Ordering::Release);
    }

    pub(crate) fn pop(&mut self) -> Option<Runnable> {
        self.0.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.tail.load(Ordering::Relaxed) - self.0.head.load(Ordering::Acquire)
    }
}

impl Thief {
    pub(crate) fn is_empty(&self) -> bool {
        let head = self.0.head.load(Ordering::Relaxed);
        self.0.tail.load(Ordering::Relaxed) <= head
    }

    pub(crate) fn steal_into(&self, to: &mut Owner, limit: usize) -> Option<Runnable> {
        let available = self.0.tail.load(Ordering::Relaxed).saturating_sub(self.0.head.load(Ordering::Relaxed));
        let batch = available.div_ceil(2).min(limit);
        let first = self.0.take()?;
        for _ in 1..batch {
            let Some(task) = self.0.take() else { break };
            to.push(task);
        }
        Some(first)
    }
}

impl Injector {
    pub(crate) fn new() -> Self {
        Self { head: AtomicUsize::new(0), tail: AtomicUsize::new(0), places: core::array::from_fn(|_| Place::new()) }
    }

    pub(crate) fn push(&self, task: Runnable) {
        let at = self.tail.fetch_add(1, Ordering::AcqRel);
        assert!(at < INJECTOR_CAPACITY, "a model pushes a few tasks only");
        self.places[at].fill(task);
    }

    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        self.tail.load(Ordering::Relaxed) <= head
    }

    pub(crate) fn len(&self) -> usize {
        self.tail.load(Ordering::Relaxed).saturating_sub(self.head.load(Ordering::Relaxed))
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        loop {
            let head = self.head.load(Ordering::Acquire);
            if head >= self.tail.load(Ordering::Acquire) {
                return None;
            }
            let slot = self.places[head].wait();
            if self.head.compare_exchange(head, head + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Some(from_slot(slot));
            }
        }
    }

    pub(crate) fn steal_into(&self, to: &mut Owner, limit: usize) -> Option<Runnable> {
        let first = self.pop()?;
        if limit > 1
            && to.len() + 1 < SHARED_CAPACITY
            && let Some(task) = self.pop()
        {
            to.push(task);
        }
        Some(first)
    }
}

impl core::fmt::Debug for Owner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Owner")
    }
}
impl core::fmt::Debug for Thief {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Thief")
    }
}
impl core::fmt::Debug for Injector {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Injector")
    }
}
