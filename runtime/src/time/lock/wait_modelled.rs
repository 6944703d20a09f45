//! Under a model checker a thread that looks again and again has no end, so there who waits is blocked until somebody lets go.
//!
//! The list is none that the checker sees, and nothing lies between a step on the lock and the step on the list that follows:
//! the checker runs one thread at a time and changes it at a step on the lock only. To be woken orders memory as well, but only
//! for those who had to wait; where the lock is found free its own orderings alone are what a model checks.
#![allow(clippy::disallowed_types, reason = "a list beside the model")]

use std::sync::Mutex;
use weftwork_sync::primitive::__loom::thread::{self, Thread};
use weftwork_sync::primitive::atomic::AtomicBool;

/// Those who wait.
pub(super) struct Waiters(Mutex<Vec<Thread>>);

impl Waiters {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Somebody has let go: all look again.
    pub(super) fn left(&self) {
        let waiting = self.0.lock().map(|mut waiting| core::mem::take(&mut *waiting)).unwrap_or_default();
        waiting.iter().for_each(Thread::unpark);
    }

    /// Waits until somebody lets go.
    pub(super) fn wait(&self, _held: &AtomicBool) {
        if let Ok(mut waiting) = self.0.lock() {
            waiting.push(thread::current());
        }
        thread::park();
    }
}
