//! Where schedules are drawn who waits lets others go first, until the lock is free.

use weftwork_sync::primitive::atomic::AtomicBool;
use weftwork_sync::primitive::thread;

/// Nobody is woken.
pub(super) struct Waiters(());

impl Waiters {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Who waits looks anyhow.
    pub(super) fn left(&self) {}

    /// Lets others go first.
    pub(super) fn wait(&self, _held: &AtomicBool) {
        thread::yield_now();
    }
}
