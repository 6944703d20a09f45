//! The right to poll a task, which is what queues hold.
//!
//! There is one at most per task (`HELD` in `state.rs`). It is not counted as a reference: while it exists the task
//! is incomplete, and until completion the list that owns the task keeps it alive. It must not be lost, so dropping it
//! puts the task back to its scheduler.

use super::cell::{self, Header};
use core::fmt;
use core::ptr::NonNull;

/// A scheduled task.
#[must_use]
pub struct Runnable(NonNull<Header>);

// SAFETY: a Runnable is the right to poll, handed from thread to thread by queues that synchronise; tasks whose future
// may not leave its thread are pinned, and their Runnable travels only between their thread and queues it alone empties.
unsafe impl Send for Runnable {}
// SAFETY: as above; a shared Runnable gives access to nothing but the header's atomics.
unsafe impl Sync for Runnable {}

impl Runnable {
    /// # Safety
    /// The caller was made the holder by a transition of the state word, and gives up that right.
    pub(crate) unsafe fn from_ptr(task: NonNull<Header>) -> Self {
        Self(task)
    }

    pub(crate) fn as_ptr(&self) -> NonNull<Header> {
        self.0
    }

    /// For queues that store pointers; [`from_ptr`](Self::from_ptr) is the way back.
    pub(crate) fn into_ptr(self) -> NonNull<Header> {
        core::mem::ManuallyDrop::new(self).0
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the task is incomplete and so alive while its Runnable exists.
        unsafe { self.0.as_ref() }
    }

    /// Polls the task once, or drops its future if it was cancelled. It comes back if it was woken meanwhile, to go behind
    /// everything that is ready now.
    #[inline(always)]
    pub(crate) fn poll(self) -> Option<Self> {
        let task = self.into_ptr();
        // SAFETY: this was the Runnable, and is it again if run says so.
        unsafe { cell::run(task).then(|| Self::from_ptr(task)) }
    }

    /// As [`poll`](Self::poll), and a task that comes back goes to its scheduler.
    pub(crate) fn run(self) {
        drop(self.poll());
    }
}

impl Drop for Runnable {
    fn drop(&mut self) {
        // Losing it would strand the task (promise P1).
        cell::schedule_runnable(Self(self.0), cell::Turn::Behind);
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runnable").field(&self.header().spec.id).finish()
    }
}
