//! A value that one thread uses all the time and others take once in a while.
//!
//! A worker's LIFO slot, private queue and owned tasks are touched on every step by that worker alone, and yet must not be
//! stranded when it blocks inside a poll (promise P3). So the owner pays two plain stores and a compiler fence, and whoever
//! rescues, or takes half of a long queue to work on it (`look.rs`), pays a barrier on the whole process. The owner is *busy*
//! only for a few instructions inside the scheduler, never while it polls; a worker that is stuck in a poll can always be robbed.
//!
//! | word | written by | means |
//! |---|---|---|
//! | `busy` | the owner | the owner is inside a section |
//! | `guard` | whoever holds `taker` | `REVOKED`: somebody is about to take, or takes, the value; `FENCED`, for good: the owner has to fence |
//! | `taker` | a lock | one taker at a time; and where the owner waits while it is revoked |
//!
//! The owner: sets busy, then looks at the guard. Not revoked: works, clears busy. Revoked: clears busy, waits for the lock,
//! works under it. The taker: locks, revokes, then looks at busy. Not busy: works. Busy: gives up, tries later. Both
//! ways it takes the revocation back and unlocks.
//!
//! Races (model L13):
//! 1. Owner enters while a taker revokes: each stores its own word and then loads the other's, with
//!    `platform::asymmetric` between, so at least one sees the other; if both do, both step back, the taker for good and
//!    the owner onto the lock, which it gets as soon as the taker has let go.
//! 2. The taker sees not busy: the last thing the owner did was to clear busy with Release, which the taker's Acquire
//!    load reads; so it sees all that the owner did.
//! 3. The owner sees not revoked after a taker worked: the taker took it back with Release, which the owner's Acquire
//!    load reads. A taker that gave up clears it with Release as well: a relaxed store there would cut the owner off from
//!    what an earlier taker did.

use crate::platform::asymmetric::Pairing;
use core::fmt;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU8, Ordering};
use weftwork_sync::primitive::{Mutex, MutexGuard, UnsafeCell};

/// A value biased towards its owner.
pub struct Biased<T> {
    busy: AtomicBool,
    guard: AtomicU8,
    pairing: Pairing,
    taker: Mutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: access is exclusive by the protocol above, from whichever thread.
unsafe impl<T: Send> Sync for Biased<T> {}
// SAFETY: as for T itself.
unsafe impl<T: Send> Send for Biased<T> {}

const REVOKED: u8 = 1;
const FENCED: u8 = 2;

/// Clears the owner's flag, also when the section unwinds.
struct Leave<'a>(&'a AtomicBool);

impl Drop for Leave<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Ordering: Release pairs with the taker's Acquire load (race 2).
        self.0.store(false, Ordering::Release);
    }
}

/// The taker goes, on whatever way.
struct Reopen<'a>(&'a AtomicU8, u8);

impl Drop for Reopen<'_> {
    fn drop(&mut self) {
        // Ordering: Release pairs with the owner's Acquire load (race 3).
        self.0.store(self.1, Ordering::Release);
    }
}

impl<T> Biased<T> {
    /// Wraps a value.
    pub(crate) fn new(value: T) -> Self {
        Self {
            busy: AtomicBool::new(false),
            guard: AtomicU8::new(if Pairing::best().is_asymmetric() { 0 } else { FENCED }),
            pairing: Pairing::best(),
            taker: Mutex::new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// The owner's section: a few instructions, no foreign code, and no second section inside it.
    ///
    /// # Safety
    /// The caller is the owner, that is the one thread that sits at this slot, and is not inside a section.
    #[inline(always)]
    pub(crate) unsafe fn own<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        debug_assert!(!self.busy.load(Ordering::Relaxed), "a section inside a section");
        // Ordering: Relaxed store: the pairing orders it before the load (race 1). Acquire: race 3.
        self.busy.store(true, Ordering::Relaxed);
        let guard = self.pairing.often(|| self.guard.load(Ordering::Acquire));
        let _leave = Leave(&self.busy);
        let _no_taker = if guard == 0 { None } else { self.look_closer() };
        // One place that calls the section, so that it is compiled into its caller.
        // SAFETY: busy and not revoked, so no taker is inside (race 1); or the lock is held, which takers hold while they
        // work.
        self.value.with_mut(|value| section(unsafe { &mut *value }))
    }

    /// The owner fences where it has to, and looks again. If it met a taker it is not busy, and comes again when the taker
    /// has let go.
    #[cold]
    fn look_closer(&self) -> Option<MutexGuard<'_, ()>> {
        // Ordering: race 1, without the barrier on the whole process.
        if self.pairing.fenced(|| self.guard.load(Ordering::Acquire)) & REVOKED == 0 {
            return None;
        }
        drop(Leave(&self.busy));
        Some(self.taker.lock())
    }

    /// Anybody else's section; `None` if the owner is inside its own at this very moment.
    pub(crate) fn try_take<R>(&self, section: impl FnOnce(&mut T) -> R) -> Option<R> {
        let _alone = self.taker.lock();
        // Ordering: Relaxed store: the pairing orders it before the load (race 1). Acquire: race 2.
        let open = self.guard.load(Ordering::Relaxed);
        let revoke = || self.guard.store(open | REVOKED, Ordering::Relaxed);
        let busy = self.pairing.seldom(revoke, || self.busy.load(Ordering::Acquire));
        let _reopen = Reopen(&self.guard, open);
        if busy {
            return None;
        }
        // SAFETY: revoked and not busy, so the owner is outside and, when it comes, waits for the lock (race 1).
        Some(self.value.with_mut(|value| section(unsafe { &mut *value })))
    }

    /// As [`try_take`](Self::try_take), so many times at most.
    pub(crate) fn take_within<R>(&self, tries: usize, mut section: impl FnMut(&mut T) -> R) -> Option<R> {
        (0..tries).find_map(|_| self.try_take(&mut section))
    }

    /// As [`try_take`](Self::try_take), again until it works: the owner's sections are a few instructions long.
    pub(crate) fn take<R>(&self, mut section: impl FnMut(&mut T) -> R) -> R {
        loop {
            if let Some(out) = self.try_take(&mut section) {
                return out;
            }
            weftwork_sync::primitive::thread::yield_now();
        }
    }
}

impl<T> fmt::Debug for Biased<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Biased").field("busy", &self.busy).field("guard", &self.guard).finish_non_exhaustive()
    }
}
