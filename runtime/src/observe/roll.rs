//! The runtimes of this process, so that what a plain thread drops unread is reported to the right one.
//!
//! A handle of a task refers to its runtime without counting and may outlive it. The list holds memory, not runtimes: an
//! address in it is not used again before its entry is gone, so finding it there and upgrading is sound.
//!
//! Whoever ends a runtime may rely on it that nothing of it is left then, and that its hooks are dropped by those who had to
//! do with it. So nobody owns a runtime on behalf of this list, not for a moment, but who is to report to just that one.
//!
//! Races (model L16):
//! 1. Building a runtime against the end of another. Entries that are over are taken out by asking for the count, which owns
//!    nothing. To upgrade each, even if only until the lock is given back, is not enough: the builder may be kept off the
//!    processor meanwhile, the other's shutdown returns although it is still held, and its end, with the destructors of its
//!    user's hooks, then takes place inside a `build` that has nothing to do with it.
//! 2. Looking for a runtime against the end of another: entries are compared by address, and that one alone is upgraded.
//! 3. Looking for a runtime against its own end: either the upgrade fails and the report goes to stderr, or it succeeds and
//!    the runtime lives until its hook has returned. Shutdown does not wait for that: it may have been called by the hook.

use core::ptr::NonNull;
use weftwork_sync::primitive::{Mutex, Shared, WeakShared};
use weftwork_sync::weft_const_fn;

/// Values that live, without owning them.
pub(crate) struct Roll<T>(Mutex<Vec<WeakShared<T>>>);

impl<T> Roll<T> {
    weft_const_fn! {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(Vec::new()))
        }
    }

    /// From now on it can be found.
    pub(crate) fn register(&self, value: &Shared<T>) {
        let mut roll = self.0.lock();
        // Race 1.
        roll.retain(|entry| !entry.is_gone());
        roll.push(Shared::downgrade(value));
    }

    /// The value at this address, if it still lives.
    pub(crate) fn find(&self, at: NonNull<T>) -> Option<Shared<T>> {
        // Race 2.
        self.0.lock().iter().find(|entry| entry.as_ptr() == at).and_then(WeakShared::upgrade)
    }
}
