//! Blocking one thread until another says go: a token that is given at most once and taken at most once.
//!
//! ```text
//!            park: CAS                    unpark: swap
//!   EMPTY ------------> PARKED ---------------------------> NOTIFIED
//!     ^                   | time ran out: CAS                  |
//!     +-------------------+                                    |
//!     +--------------------------------------------------------+ park takes the token
//! ```
//!
//! Races:
//! 1. unpark before park: the token waits in NOTIFIED, park returns at once.
//! 2. unpark between park's CAS and its wait: the unparker saw PARKED and takes the lock before it notifies; the parker
//!    holds that lock from its CAS until it waits, so the notification cannot fall into the gap.
//! 3. unpark against time running out: both change the word by a read-modify-write; if the token came first, the parker
//!    takes it and reports it, so no token is left behind and none is lost.
//!
//! The word is what is looked at first, so an unpark of a thread that does not sleep costs one swap and no lock.

use super::atomic::{AtomicU32, Ordering};
use super::{Condvar, Mutex};
use std::time::Duration;

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const NOTIFIED: u32 = 2;

/// How a park ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum ParkResult {
    /// Somebody called `unpark`.
    Unparked,
    /// The time ran out first.
    TimedOut,
}

/// A place where one thread at a time sleeps. It belongs to no particular thread, so it can move between them.
#[derive(Debug)]
pub struct Parker {
    word: AtomicU32,
    lock: Mutex<()>,
    bell: Condvar,
}

impl Parker {
    /// A parker without a token.
    pub fn new() -> Self {
        Self { word: AtomicU32::new(EMPTY), lock: Mutex::new(()), bell: Condvar::new() }
    }

    /// Sleeps until there is a token, and takes it.
    pub fn park(&self) {
        let _ = self.park_for(None);
    }

    /// As [`park`](Self::park), but at most for `timeout` (`None` is for ever).
    pub fn park_for(&self, timeout: Option<Duration>) -> ParkResult {
        if self.take_token() {
            return ParkResult::Unparked;
        }
        if timeout == Some(Duration::ZERO) {
            return ParkResult::TimedOut;
        }
        let mut guard = self.lock.lock();
        // Ordering: Acquire on failure pairs with the swap in unpark, as take_token does.
        if self.word.compare_exchange(EMPTY, PARKED, Ordering::Relaxed, Ordering::Acquire).is_err() {
            let taken = self.take_token();
            debug_assert!(taken, "two threads parked at one parker");
            return ParkResult::Unparked;
        }
        loop {
            let timed_out;
            (guard, timed_out) = match timeout {
                None => (self.bell.wait(guard), false),
                Some(d) => self.bell.wait_timeout(guard, d),
            };
            if self.take_token() {
                return ParkResult::Unparked;
            }
            if timed_out {
                // Race 3: leaving is a read-modify-write, so a token that came meanwhile is seen here.
                return match self.word.swap(EMPTY, Ordering::Acquire) {
                    NOTIFIED => ParkResult::Unparked,
                    _ => ParkResult::TimedOut,
                };
            }
        }
    }

    /// Gives the token and wakes the thread if it sleeps; `true` if it did. What the caller wrote before is visible to
    /// the thread that takes the token.
    pub fn unpark(&self) -> bool {
        // Ordering: Release pairs with the Acquire of whoever takes the token. The swap happens even where a token is
        // there already, because the new writes have to be published too (tokio issue 7622).
        if self.word.swap(NOTIFIED, Ordering::AcqRel) != PARKED {
            return false;
        }
        drop(self.lock.lock());
        self.bell.notify_one();
        true
    }

    /// Whether a token is there; a hint for the thread that is about to park.
    pub fn has_token(&self) -> bool {
        self.word.load(Ordering::Relaxed) == NOTIFIED
    }

    fn take_token(&self) -> bool {
        // Ordering: Acquire pairs with the Release in unpark.
        self.word.compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}
