//! The lock of a wheel: taken by one read-modify-write and let go by a plain store.
//!
//! A lock that wakes who waits has to look for waiters in the step in which it lets go, and that takes a second
//! read-modify-write. A wheel's lock is taken by its own worker twice for each timer that is armed and cancelled, and wanted by
//! others once in a while: so here whoever comes second pays, by looking again until it is free.
//!
//! ```text
//!         compare-exchange                          store false
//!   free ------------------> held by one thread ------------------> free
//! ```
//!
//! Who waits looks for a moment, then lets others run, then naps: the holder may be off its processor, and may be of a lower
//! priority than who waits. No foreign code runs under it; the longest section fires a batch of timers.
//!
//! What a caller may rely on (models `timer/...`, L6):
//! 1. One thread at a time is inside: only the compare-exchange that finds false enters, and only who is inside stores false.
//! 2. Who enters sees what everybody did inside before: the exchange acquires what the store released.
//! 3. The store is the last thing that a thread does to the lock. So who enters and finds that nobody else can come any more
//!    may free the lock with its value, after it has left itself: whoever was inside before is done with the memory.

use core::fmt;
use weftwork_sync::primitive::UnsafeCell;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};

#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
mod wait;
#[cfg(weftwork_loom)]
#[path = "lock/wait_modelled.rs"]
mod wait;
#[cfg(weftwork_shuttle)]
#[path = "lock/wait_drawn.rs"]
mod wait;

/// A value that one thread at a time uses.
pub(crate) struct Lock<T> {
    held: AtomicBool,
    waiters: wait::Waiters,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time reaches the value, from whichever thread.
unsafe impl<T: Send> Sync for Lock<T> {}
// SAFETY: as for T itself.
unsafe impl<T: Send> Send for Lock<T> {}

/// Lets go, also when the section unwinds.
struct Leave<'a>(&'a AtomicBool, &'a wait::Waiters);

impl Drop for Leave<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Ordering: Release pairs with the exchange of whoever enters next.
        self.0.store(false, Ordering::Release);
        self.1.left();
    }
}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: AtomicBool::new(false), waiters: wait::Waiters::new(), value: UnsafeCell::new(value) }
    }

    /// Calls `f` with the value. It must not come back here from inside.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        if !self.enter() {
            self.wait();
        }
        let _leave = Leave(&self.held, &self.waiters);
        // SAFETY: this thread entered, so nobody else is inside until `_leave` is dropped.
        self.value.with_mut(|value| f(unsafe { &mut *value }))
    }

    /// Takes the lock if it is free.
    #[inline(always)]
    fn enter(&self) -> bool {
        // Ordering: Acquire pairs with the store of whoever left last. A compare-exchange and no swap: one that fails writes
        // nothing, so it takes no part in the order of the writes.
        self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Waits and takes the lock.
    #[cold]
    fn wait(&self) {
        loop {
            self.waiters.wait(&self.held);
            if self.enter() {
                return;
            }
        }
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("held", &self.held.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;
    use weftwork_sync::primitive::{Shared, contain, thread};

    #[test]
    fn one_thread_at_a_time_is_inside() {
        let lock = Shared::new(Lock::new(0_u32));
        let adding: Vec<_> = (0..4)
            .map(|_| {
                let lock = lock.clone();
                let add = move || (0..20_000).for_each(|_| lock.with(|value| *value += 1));
                thread::spawn("adds".into(), add).unwrap()
            })
            .collect();
        for adding in adding {
            adding.join().unwrap();
        }
        assert_eq!(lock.with(|value| *value), 80_000);
    }

    #[test]
    fn a_section_that_panics_lets_go() {
        let lock = Lock::new(1);
        assert!(contain(|| lock.with(|_| panic!("planted"))).is_err());
        assert_eq!(lock.with(|value| *value), 1);
    }
}
