//! The owner of a wheel: who may arm, fire and cancel at once, and how a sleeper learns of an earlier deadline.
//!
//! Each worker has one, and one more serves every thread that is no worker. The wheel lies behind a lock that is
//! uncontended by construction: its worker takes it to arm, fire and cancel; others come only to cancel a timer whose
//! future moved, and to fire what is due while the worker is busy. Beside the lock stands `next_due`, which says without
//! it when somebody has to come.
//!
//! `next_due` is never later than the earliest deadline in the wheel: arming lowers it under the lock, firing computes it
//! anew under the lock, cancelling leaves it. So a stale value costs a visit, never a timer.
//!
//! The wheel holds wakers, and a key says whether an entry is still there: firing takes the entry out under the lock and
//! calls the waker after it, so (model L6)
//! 1. fire against cancel: one of them takes the entry out; cancel's caller learns which. After cancel returned, the
//!    waker is either dropped or already taken by the fire that won, and the future reads the clock anyway.
//! 2. fire against a new waker: the entry is there and gets it, or it is gone and the future is told that it fired.
//! 3. cancel against arm by another thread: keys carry a generation, so a stale one finds nothing.

use crate::platform::clock::Clock;
use core::task::Waker;
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_timer::{Key, Wheel};

/// Never.
pub(crate) const NEVER: u64 = u64::MAX;

/// Wakers fired before the lock is let go, so that a big batch does not keep others out.
const BATCH: usize = 64;

/// A wheel and its lock.
pub struct Timers {
    wheel: Mutex<State>,
    next_due: AtomicU64,
    pub(crate) clock: Clock,
}

struct State {
    wheel: Wheel<Waker>,
    closed: bool,
}

/// What came of arming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Armed {
    /// The key, and whether this is now the earliest deadline.
    Timer(Key, bool),
    /// The runtime of these timers is gone.
    Closed,
}

impl Timers {
    pub(crate) fn new(clock: Clock) -> Self {
        let wheel = Wheel::new(clock.now());
        Self { wheel: Mutex::new(State { wheel, closed: false }), next_due: AtomicU64::new(NEVER), clock }
    }

    /// When somebody has to come and fire, in nanoseconds; [`NEVER`] if nobody has to.
    #[inline]
    pub(crate) fn next_due(&self) -> u64 {
        // Ordering: Relaxed; who goes to sleep by it reads it again inside a store-load pair.
        self.next_due.load(Ordering::Relaxed)
    }

    /// Arms a timer that calls `waker` once `deadline` has passed.
    pub(crate) fn arm(&self, deadline: u64, waker: Waker) -> Armed {
        let mut state = self.wheel.lock();
        if state.closed {
            drop(state);
            return Armed::Closed;
        }
        let key = state.wheel.insert(deadline, waker);
        let earliest = deadline < self.next_due();
        if earliest {
            self.next_due.store(deadline, Ordering::Relaxed);
        }
        Armed::Timer(key, earliest)
    }

    /// Gives a timer another waker; `false` if it has fired.
    pub(crate) fn set_waker(&self, key: Key, waker: &Waker) -> bool {
        // Cloned before the lock and the old one dropped after it: both are foreign code.
        let mut new = waker.clone();
        let mut state = self.wheel.lock();
        let Some(old) = state.wheel.get_mut(key) else {
            drop(state);
            return false;
        };
        if !old.will_wake(&new) {
            core::mem::swap(old, &mut new);
        }
        drop(state);
        true
    }

    /// Takes a timer out; `false` if it has fired.
    pub(crate) fn cancel(&self, key: Key) -> bool {
        let waker = self.wheel.lock().wheel.remove(key);
        waker.is_some()
    }

    /// Takes out what is due at `now`, a batch at a time; `true` if there may be more.
    pub(crate) fn fire(&self, now: u64, due: &mut Vec<Waker>) -> bool {
        let mut state = self.wheel.lock();
        for _ in 0..BATCH {
            let Some((_, _, waker)) = state.wheel.pop_due(now) else {
                let next = state.wheel.next_expiry().unwrap_or(NEVER);
                self.next_due.store(next, Ordering::Relaxed);
                return false;
            };
            due.push(waker);
        }
        true
    }

    /// How many timers are armed.
    pub(crate) fn len(&self) -> usize {
        self.wheel.lock().wheel.len()
    }

    /// The runtime ends: nothing fires any more, and whoever waits is woken to find that out.
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut state = self.wheel.lock();
        state.closed = true;
        self.next_due.store(NEVER, Ordering::Relaxed);
        let now = state.wheel.now();
        let mut wheel = core::mem::replace(&mut state.wheel, Wheel::new(now));
        drop(state);
        core::iter::from_fn(|| wheel.pop_due(NEVER).map(|(_, _, waker)| waker)).collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.wheel.lock().closed
    }
}

impl core::fmt::Debug for Timers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timers").field("next_due", &self.next_due()).finish_non_exhaustive()
    }
}
