//! The list that owns tasks until they are complete, and the stack by which other threads hand completed ones back.
//!
//! A worker's [`OwnedList`] is touched by its owner alone (or by whoever has taken the worker's place, see
//! `scheduler/biased.rs`), so entering and leaving it is four plain stores. A task that completes on another thread cannot
//! be unlinked there; it is pushed onto the owner's [`FinishedStack`] and unlinked when that is drained.
//!
//! The stack (model L11): push is a compare-exchange loop on the head, take_all is one swap. Nobody pops single nodes, so
//! there is no ABA: a pusher only ever installs its own node before a head that it has just seen, and whether that head
//! was drained and freed meanwhile shows as a changed head, or does not matter because only its address is stored.

use super::cell::{self, Header};
use core::ptr::{self, NonNull};
use weftwork_sync::primitive::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The incomplete tasks of one worker, each held by one reference.
#[derive(Debug)]
pub struct OwnedList {
    head: *mut Header,
    len: usize,
}

// SAFETY: the list is a set of references to tasks; moving it moves those, and tasks may be dropped by any thread that
// may drop their future, which the list never does.
unsafe impl Send for OwnedList {}

impl OwnedList {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self { head: ptr::null_mut(), len: 0 }
    }

    /// How many tasks are in it, completed ones that await draining included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes over one reference to a task.
    ///
    /// # Safety
    /// The task is in no list, and the caller gives up a reference.
    pub(crate) unsafe fn insert(&mut self, task: NonNull<Header>) {
        // SAFETY: whoever has the list has the links of its tasks.
        unsafe {
            task.as_ref().links.with_mut(|links| {
                (*links).previous = ptr::null_mut();
                (*links).next = self.head;
            });
            if let Some(head) = self.head.as_ref() {
                head.links.with_mut(|links| (*links).previous = task.as_ptr());
            }
        }
        self.head = task.as_ptr();
        self.len += 1;
    }

    /// Takes a task out and hands its reference to the caller.
    ///
    /// # Safety
    /// The task is in this list.
    pub(crate) unsafe fn remove(&mut self, task: NonNull<Header>) {
        // SAFETY: the neighbours are in the list and so alive.
        unsafe {
            let (previous, next) = task.as_ref().links.with_mut(|links| {
                let found = ((*links).previous, (*links).next);
                *links = cell::Links { previous: ptr::null_mut(), next: ptr::null_mut() };
                found
            });
            match previous.as_ref() {
                Some(previous) => previous.links.with_mut(|links| (*links).next = next),
                None => self.head = next,
            }
            if let Some(next) = next.as_ref() {
                next.links.with_mut(|links| (*links).previous = previous);
            }
        }
        self.len -= 1;
    }

    /// Calls `f` for each task; `f` must not change the list.
    pub(crate) fn for_each(&self, mut f: impl FnMut(NonNull<Header>)) {
        let mut at = self.head;
        while let Some(task) = NonNull::new(at) {
            // SAFETY: in the list and so alive; the links are ours.
            at = unsafe { task.as_ref().links.with(|links| (*links).next) };
            f(task);
        }
    }
}

/// Completed tasks that other threads hand back to their owner.
#[derive(Debug)]
pub struct FinishedStack {
    head: AtomicPtr<Header>,
    /// How many were pushed since the last drain, roughly: it decides when a pusher drains for an absent owner.
    depth: AtomicUsize,
}

impl FinishedStack {
    pub(crate) fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), depth: AtomicUsize::new(0) }
    }

    /// Whether there is nothing to drain, as far as the owner can tell without waiting.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed).is_null()
    }

    /// Hands back a completed task; the answer is roughly how many wait.
    ///
    /// # Safety
    /// The task is complete, in its owner's list, and pushed once.
    pub(crate) unsafe fn push(&self, task: NonNull<Header>) -> usize {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the task is complete and off every other path: its link is the pusher's until the exchange.
            unsafe { task.as_ref().next.with_mut(|next| *next = head) };
            // Ordering: Release publishes the link, and what this thread did with the task, to take_all.
            match self.head.compare_exchange_weak(head, task.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(seen) => head = seen,
            }
        }
        self.depth.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes every task handed back and unlinks it from `list`, its owner's. The references are the answer's: they are
    /// released when it is dropped, which may run foreign code and so happens after the caller has let go of the list.
    pub(crate) fn drain(&self, list: &mut OwnedList) -> Drained {
        if self.is_empty() {
            return Drained(ptr::null_mut());
        }
        self.depth.store(0, Ordering::Relaxed);
        // Ordering: Acquire pairs with push's Release, for each node: the head's chain of exchanges is a release sequence.
        let first = self.head.swap(ptr::null_mut(), Ordering::Acquire);
        let mut at = first;
        while let Some(task) = NonNull::new(at) {
            // SAFETY: pushed once and so in the list, which holds the reference that keeps it alive.
            unsafe {
                at = task.as_ref().next.with(|next| *next);
                list.remove(task);
            }
        }
        Drained(first)
    }
}

/// References to completed tasks that left their list.
#[derive(Debug)]
#[must_use = "dropping it releases the tasks; do that outside of the section that drained them"]
pub struct Drained(*mut Header);

impl Drained {
    /// Whether there is nothing to release.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_null()
    }
}

// SAFETY: references to completed tasks, which any thread may release: the future is gone.
unsafe impl Send for Drained {}

impl Drop for Drained {
    fn drop(&mut self) {
        while let Some(task) = NonNull::new(self.0) {
            // SAFETY: the list's reference was handed over by drain and is released once, here.
            unsafe {
                self.0 = task.as_ref().next.with(|next| *next);
                cell::release(task);
            }
        }
    }
}
