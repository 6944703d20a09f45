//! Something that happens once and that any number of tasks may wait for: "we are closing".
//!
//! [`Notify`] tells tasks to look again and keeps nothing; the flag beside it is what they look at.

use std::sync::atomic::{AtomicBool, Ordering};
use weftwork::sync::Notify;

/// Open until it is [`set`](Self::set), then set for good.
#[derive(Debug, Default)]
pub struct Latch {
    is_set: AtomicBool,
    changed: Notify,
}

impl Latch {
    /// Sets it and wakes everybody who waits.
    pub fn set(&self) {
        // Ordering: Release, for the Acquire in `is_set`: what was done before is seen by whoever sees the flag.
        self.is_set.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Waits until it is set. Dropping the future loses nothing.
    pub async fn reached(&self) {
        // Made before the look at the flag: a change in between notifies it.
        let changed = self.changed.notified();
        if !self.is_set() {
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_before_and_whoever_comes_after_is_told() {
        weftwork::run(async {
            let latch = std::sync::Arc::new(Latch::default());
            let theirs = latch.clone();
            let early = weftwork::spawn(async move { theirs.reached().await });
            weftwork::task::yield_now().await;
            assert!(!latch.is_set());
            latch.set();
            early.await.unwrap();
            latch.reached().await;
        });
    }
}
