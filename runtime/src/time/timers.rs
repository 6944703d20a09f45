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
//! There are two wheels behind the lock. What was armed for [`COARSE_FROM`] or longer lies in the coarse one, and a worker
//! may sleep past it by [`COARSE_TICK`]: where thousands wait for a timeout or a retry, each with its own microsecond, they are
//! fired a few hundred at a time. That is less than four thousandths of the wait (Linux gives itself one to five for the
//! timeouts of `select`). Whoever looks fires what is due in both, in the order of the deadlines. A clock that is moved by
//! hand has no coarse timers.
//!
//! The wheels hold wakers, and a key says whether an entry is still there: firing takes the entry out under the lock and
//! calls the waker after it, so (model L6)
//! 1. fire against cancel: one of them takes the entry out; cancel's caller learns which. After cancel returned, the
//!    waker is either dropped or already taken by the fire that won.
//! 2. fire against a new waker: the entry is there and gets it, or it is gone and the future is told that it fired. Fired is
//!    due: nobody reads the clock again.
//! 3. cancel against arm by another thread: keys carry a generation, so a stale one finds nothing.

use crate::platform::clock::Clock;
use core::task::Waker;
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_timer::{Key, Wheel};

/// Never.
pub(crate) const NEVER: u64 = u64::MAX;

/// Nanoseconds from which on a wait is coarse: 134 ms.
const COARSE_FROM: u64 = 1 << 27;
/// Nanoseconds by which a coarse timer may be fired late: 0.5 ms.
const COARSE_TICK: u64 = 1 << 19;

/// Wakers fired before the lock is let go, so that a big batch does not keep others out.
const BATCH: usize = 64;

/// The wheels and their lock.
pub struct Timers {
    wheels: Mutex<Wheels>,
    next_due: AtomicU64,
    pub(crate) clock: Clock,
}

struct Wheels {
    fine: Wheel<Waker>,
    /// Made when it is first needed.
    coarse: Option<Wheel<Waker>>,
    /// What is due, between the wheels and the caller.
    due: Vec<(u64, Waker)>,
    closed: bool,
}

/// Names a timer until it has fired or been taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerKey {
    key: Key,
    coarse: bool,
}

/// What has become of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Look {
    /// It waits, and will call the waker that was given.
    Waits,
    /// It was due, and has been fired.
    Fired,
    /// The runtime of these timers is gone.
    Closed,
}

impl Wheels {
    /// What has become of a timer that is not there any more, and that its owner did not take out.
    fn gone(&self) -> Look {
        if self.closed { Look::Closed } else { Look::Fired }
    }

    fn of(&mut self, key: TimerKey) -> Option<&mut Wheel<Waker>> {
        if key.coarse { self.coarse.as_mut() } else { Some(&mut self.fine) }
    }

    /// When somebody has to come.
    fn next_due(&self) -> u64 {
        let coarse = self.coarse.as_ref().and_then(Wheel::next_expiry);
        let coarse = coarse.map_or(NEVER, |due| due.saturating_add(COARSE_TICK));
        self.fine.next_expiry().unwrap_or(NEVER).min(coarse)
    }

    /// Takes some of what is due at `now` out of both; `true` if there may be more.
    fn take_due(&mut self, now: u64) -> bool {
        let mut more = false;
        for wheel in [Some(&mut self.fine), self.coarse.as_mut()].into_iter().flatten() {
            let before = self.due.len();
            while self.due.len() < before + BATCH
                && let Some((deadline, _, waker)) = wheel.pop_due(now)
            {
                self.due.push((deadline, waker));
            }
            more |= self.due.len() == before + BATCH;
        }
        if self.coarse.is_some() {
            // Stable: equal deadlines of one wheel stay in the order in which they were armed.
            self.due.sort_by_key(|(deadline, _)| *deadline);
        }
        more
    }
}

/// What came of arming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Armed {
    /// The key, and whether this is now the earliest deadline.
    Timer(TimerKey, bool),
    /// The runtime of these timers is gone.
    Closed,
}

impl Timers {
    pub(crate) fn new(clock: Clock) -> Self {
        let wheels = Wheels { fine: Wheel::new(clock.now()), coarse: None, due: Vec::new(), closed: false };
        Self { wheels: Mutex::new(wheels), next_due: AtomicU64::new(NEVER), clock }
    }

    /// When somebody has to come and fire, in nanoseconds; [`NEVER`] if nobody has to.
    #[inline]
    pub(crate) fn next_due(&self) -> u64 {
        // Ordering: Relaxed; who goes to sleep by it reads it again inside a store-load pair.
        self.next_due.load(Ordering::Relaxed)
    }

    /// Arms a timer that calls `waker` once `deadline` has passed; `wait` is how long that is from now, as far as the caller
    /// knows.
    pub(crate) fn arm(&self, deadline: u64, wait: u64, waker: Waker) -> Armed {
        let coarse = wait >= COARSE_FROM && self.clock.is_real();
        let mut wheels = self.wheels.lock();
        if wheels.closed {
            drop(wheels);
            return Armed::Closed;
        }
        let wheel = if coarse {
            // Its time begins with that of the other, which is not later than any deadline in it.
            let now = wheels.fine.now();
            wheels.coarse.get_or_insert_with(|| Wheel::new(now))
        } else {
            &mut wheels.fine
        };
        let key = TimerKey { key: wheel.insert(deadline, waker), coarse };
        let due = if coarse { deadline.saturating_add(COARSE_TICK) } else { deadline };
        let earliest = due < self.next_due();
        if earliest {
            self.next_due.store(due, Ordering::Relaxed);
        }
        Armed::Timer(key, earliest)
    }

    /// Has a timer call `waker`, if it waits still.
    pub(crate) fn look(&self, key: TimerKey, waker: &Waker) -> Look {
        let mut wheels = self.wheels.lock();
        match wheels.of(key).and_then(|wheel| wheel.get_mut(key.key)) {
            Some(old) if old.will_wake(waker) => return Look::Waits,
            Some(_) => {}
            None => return wheels.gone(),
        }
        drop(wheels);
        // Cloned outside of the lock and the old one dropped after it: both are foreign code.
        let mut new = waker.clone();
        let mut wheels = self.wheels.lock();
        let Some(old) = wheels.of(key).and_then(|wheel| wheel.get_mut(key.key)) else {
            let gone = wheels.gone();
            drop(wheels);
            return gone;
        };
        core::mem::swap(old, &mut new);
        drop(wheels);
        Look::Waits
    }

    /// Takes a timer out; `false` if it has fired.
    pub(crate) fn cancel(&self, key: TimerKey) -> bool {
        let waker = self.wheels.lock().of(key).and_then(|wheel| wheel.remove(key.key));
        waker.is_some()
    }

    /// Takes out what is due at `now`, a batch at a time; `true` if there may be more.
    pub(crate) fn fire(&self, now: u64, due: &mut Vec<Waker>) -> bool {
        let mut wheels = self.wheels.lock();
        let more = wheels.take_due(now);
        due.extend(wheels.due.drain(..).map(|(_, waker)| waker));
        if !more {
            self.next_due.store(wheels.next_due(), Ordering::Relaxed);
        }
        more
    }

    /// How many timers are armed.
    pub(crate) fn len(&self) -> usize {
        let wheels = self.wheels.lock();
        wheels.fine.len() + wheels.coarse.as_ref().map_or(0, Wheel::len)
    }

    /// The runtime ends: nothing fires any more, and whoever waits is woken to find that out.
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut wheels = self.wheels.lock();
        wheels.closed = true;
        self.next_due.store(NEVER, Ordering::Relaxed);
        let now = wheels.fine.now();
        let fine = core::mem::replace(&mut wheels.fine, Wheel::new(now));
        let coarse = wheels.coarse.take();
        drop(wheels);
        let all = [Some(fine), coarse].into_iter().flatten();
        all.flat_map(|mut wheel| core::iter::from_fn(move || wheel.pop_due(NEVER).map(|(_, _, waker)| waker))).collect()
    }
}

impl core::fmt::Debug for Timers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timers").field("next_due", &self.next_due()).finish_non_exhaustive()
    }
}
