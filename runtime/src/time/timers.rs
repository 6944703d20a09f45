//! The owner of a wheel: who may arm, fire and cancel at once, and how a sleeper learns of an earlier deadline.
//!
//! Each worker has one, and one more serves every thread that is no worker. The wheel lies behind a [`Lock`] that is
//! uncontended by construction: its worker takes it to arm, fire and cancel; others come only to cancel a timer whose
//! future moved, and to fire what is due while the worker is busy. Beside the lock stands `next_due`, which says without
//! it when somebody has to come.
//!
//! `next_due` is never later than the earliest deadline in the wheel: arming lowers it under the lock, firing computes it
//! anew under the lock, cancelling leaves it. So a stale value costs a visit, never a timer.
//!
//! There are two wheels behind the lock. What was armed for [`COARSE_FROM`] or longer lies in the coarse one, and while that holds
//! a [`CROWD`] a worker may sleep past it by [`COARSE_TICK`]: where thousands wait for a timeout or a retry, each with its own
//! microsecond, they are fired a few hundred at a time (docs/decisions/0020). Whoever looks fires what is due in both, in
//! the order of the deadlines. A clock that is moved by hand has no coarse timers.
//!
//! The wheels hold wakers, and a key says whether an entry is still there: firing takes the entry out under the lock and
//! calls the waker after it, so (model L6)
//! 1. fire against cancel: one of them takes the entry out; cancel's caller learns which. After cancel returned, the
//!    waker is either dropped or already taken by the fire that won.
//! 2. fire against a new waker: the entry is there and gets it, or it is gone and the future is told that it fired. Fired is
//!    due: nobody reads the clock again.
//! 3. cancel against arm by another thread: keys carry a generation, so a stale one finds nothing.
//!
//! Who keeps the memory. The owner ([`Timers`]) belongs to the runtime, and a sleep ([`Timer`]) may outlive that. They are
//! counted by two plain words that are read and written under the lock alone: `owned`, and `sleeps`, how many timers name the wheels.
//! Arming, and taking out or finding it gone, lock anyhow, so being counted costs nothing more. Each timer is counted down once: by
//! the look that finds it gone, or when it is dropped. Whoever leaves with neither an owner nor a sleep left frees the memory
//! (model L6):
//! 4. the owner goes while a sleep goes: the lock orders them, and the second finds nobody else. It frees after it has let go of
//!    the lock; the first was done with the memory when it let go (what the lock promises, 3).
//! 5. a sleep goes while somebody fires: who fires came by way of the owner, which is therefore there.

use super::lock::Lock;
use crate::platform::clock::Clock;
use core::ptr::NonNull;
use core::task::Waker;
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_timer::{Key, Wheel};

#[cfg(all(test, not(weftwork_loom)))]
mod tests;

/// Never.
pub(crate) const NEVER: u64 = u64::MAX;

/// Nanoseconds from which on a wait is coarse: 134 ms.
pub(crate) const COARSE_FROM: u64 = 1 << 27;
/// Nanoseconds by which a coarse timer may be fired late: 1 ms.
pub(crate) const COARSE_TICK: u64 = 1 << 20;
/// Coarse timers from which on they are fired together; fewer are too far apart to be worth it.
pub(crate) const CROWD: usize = 256;

/// Wakers fired before the lock is let go, so that a big batch does not keep others out.
const BATCH: usize = 64;

/// The wheels and their lock, as their runtime has them.
pub struct Timers(NonNull<Shared>);

/// What an owner and any number of sleeps have in common.
struct Shared {
    wheels: Lock<Wheels>,
    next_due: AtomicU64,
    clock: Clock,
}

// SAFETY: what is shared is an atomic, a clock, and wheels of wakers under a lock; the last of all frees it, wherever it is.
unsafe impl Send for Timers {}
// SAFETY: as above.
unsafe impl Sync for Timers {}

struct Wheels {
    fine: Wheel<Waker>,
    /// Made when it is first needed.
    coarse: Option<Wheel<Waker>>,
    /// What is due, between the wheels and whoever fires: of a batch, what is later than something that is still in a wheel. Who
    /// fires comes back until nothing is left here.
    due: Vec<(u64, Waker)>,
    closed: bool,
    /// The runtime has not let go.
    owned: bool,
    /// Timers that have not.
    sleeps: usize,
}

/// A timer that was armed: dropping it takes it out. It keeps the wheels' memory, and not their runtime.
pub(crate) struct Timer {
    /// None once it is known to be gone, and counted no more.
    shared: Option<NonNull<Shared>>,
    key: Key,
    coarse: bool,
}

// SAFETY: as for Timers; a timer is used through the lock alone.
unsafe impl Send for Timer {}
// SAFETY: as above.
unsafe impl Sync for Timer {}

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
    fn of(&mut self, coarse: bool) -> Option<&mut Wheel<Waker>> {
        if coarse { self.coarse.as_mut() } else { Some(&mut self.fine) }
    }

    /// A timer goes; `true` if it was the last of all, so that who leaves the lock now frees it.
    #[must_use]
    fn leave(&mut self) -> bool {
        self.sleeps -= 1;
        self.sleeps == 0 && !self.owned
    }

    /// When somebody has to come.
    fn next_due(&self) -> u64 {
        let coarse = self.coarse.as_ref().and_then(|wheel| Some(put_off(wheel.next_expiry()?, wheel)));
        self.fine.next_expiry().unwrap_or(NEVER).min(coarse.unwrap_or(NEVER))
    }

    /// Moves some of what is due at `now` from both to `due`. The answer is how many of those there are next in the order of all
    /// deadlines, and whether there may be more.
    fn take_due(&mut self, now: u64) -> (usize, bool) {
        let due = &mut self.due;
        while due.len() < BATCH
            && let Some((deadline, _, waker)) = self.fine.pop_due(now)
        {
            due.push((deadline, waker));
        }
        let fine_is_left = due.len() >= BATCH;
        let Some(coarse) = &mut self.coarse else { return (due.len(), fine_is_left) };
        // What is left of the fine ones comes after the last of these, and so must what is later among the coarse.
        let mut until = if fine_is_left { due[due.len() - 1].0 } else { now };
        let limit = due.len() + BATCH;
        while due.len() < limit
            && let Some((deadline, _, waker)) = coarse.pop_due(until)
        {
            due.push((deadline, waker));
        }
        let coarse_is_left = due.len() == limit;
        if coarse_is_left {
            until = due[limit - 1].0;
        }
        // Stable: equal deadlines of one wheel stay in the order in which they were armed.
        due.sort_by_key(|(deadline, _)| *deadline);
        let more = fine_is_left || coarse_is_left;
        (if more { due.partition_point(|(deadline, _)| *deadline <= until) } else { due.len() }, more)
    }
}

/// When somebody has to come for what is due then in the coarse wheel.
#[inline]
fn put_off(due: u64, coarse: &Wheel<Waker>) -> u64 {
    if coarse.len() >= CROWD { due.saturating_add(COARSE_TICK) } else { due }
}

/// Frees the wheels.
///
/// # Safety
/// The caller has left the lock, as the last of all: neither an owner nor a sleep is left.
#[cold]
unsafe fn free(shared: NonNull<Shared>) {
    // SAFETY: as the caller promises; made by Timers::new from a box.
    drop(unsafe { Box::from_raw(shared.as_ptr()) });
}

impl Timers {
    pub(crate) fn new(clock: Clock) -> Self {
        let fine = Wheel::new(clock.now());
        let wheels = Wheels { fine, coarse: None, due: Vec::new(), closed: false, owned: true, sleeps: 0 };
        let shared = Shared { wheels: Lock::new(wheels), next_due: AtomicU64::new(NEVER), clock };
        Self(NonNull::from(Box::leak(Box::new(shared))))
    }

    fn shared(&self) -> &Shared {
        // SAFETY: this owner keeps it.
        unsafe { self.0.as_ref() }
    }

    /// Nanoseconds by the clock of these timers.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.shared().clock.now()
    }

    /// When somebody has to come and fire, in nanoseconds; [`NEVER`] if nobody has to.
    #[inline]
    pub(crate) fn next_due(&self) -> u64 {
        // Ordering: Relaxed; who goes to sleep by it reads it again inside a store-load pair.
        self.shared().next_due.load(Ordering::Relaxed)
    }

    /// Whether something may be due at `now`, also if nobody has to come for it yet.
    #[inline]
    pub(crate) fn may_fire(&self, now: u64) -> bool {
        self.next_due().saturating_sub(COARSE_TICK) <= now
    }

    /// Arms a timer that calls `waker` once `deadline` has passed; `wait` is how long that is from now, as far as the caller
    /// knows. The answer says too whether this is now the earliest deadline; none, if the runtime of these timers is gone.
    #[inline]
    pub(crate) fn arm(&self, deadline: u64, wait: u64, waker: Waker) -> Option<(Timer, bool)> {
        let shared = self.shared();
        let coarse = wait >= COARSE_FROM && shared.clock.is_real();
        // Taken from under the lock if it is armed; else dropped after it, for it is foreign code.
        let mut waker = Some(waker);
        let (key, earliest) = shared.wheels.with(|wheels| {
            if wheels.closed {
                return None;
            }
            let wheel = match &mut wheels.coarse {
                Some(wheel) if coarse => wheel,
                // Its time begins with that of the other, which is not later than any deadline in it.
                none if coarse => none.insert(Wheel::new(wheels.fine.now())),
                _ => &mut wheels.fine,
            };
            let key = wheel.insert(deadline, waker.take()?);
            wheels.sleeps += 1;
            let due = if coarse { put_off(deadline, wheel) } else { deadline };
            let earliest = due < shared.next_due.load(Ordering::Relaxed);
            if earliest {
                shared.next_due.store(due, Ordering::Relaxed);
            }
            Some((key, earliest))
        })?;
        Some((Timer { shared: Some(self.0), key, coarse }, earliest))
    }

    /// Takes out what is due at `now`, a batch at a time; `true` if there may be more.
    pub(crate) fn fire(&self, now: u64, due: &mut Vec<Waker>) -> bool {
        let shared = self.shared();
        shared.wheels.with(|wheels| {
            let (next, more) = wheels.take_due(now);
            due.extend(wheels.due.drain(..next).map(|(_, waker)| waker));
            if !more {
                shared.next_due.store(wheels.next_due(), Ordering::Relaxed);
            }
            more
        })
    }

    /// When the next timer is due, or something earlier if a batch of them is being fired.
    pub(crate) fn earliest(&self) -> u64 {
        let shared = self.shared();
        shared.wheels.with(|wheels| {
            if wheels.due.is_empty() {
                shared.next_due.store(wheels.next_due(), Ordering::Relaxed);
            }
            shared.next_due.load(Ordering::Relaxed)
        })
    }

    /// How many timers are armed.
    pub(crate) fn len(&self) -> usize {
        self.shared().wheels.with(|wheels| wheels.fine.len() + wheels.coarse.as_ref().map_or(0, Wheel::len))
    }

    /// The runtime ends: nothing fires any more, and whoever waits is woken to find that out.
    pub(crate) fn close(&self) -> Vec<Waker> {
        let shared = self.shared();
        let (due, fine, coarse) = shared.wheels.with(|wheels| {
            wheels.closed = true;
            shared.next_due.store(NEVER, Ordering::Relaxed);
            let none = Wheel::new(wheels.fine.now());
            (core::mem::take(&mut wheels.due), core::mem::replace(&mut wheels.fine, none), wheels.coarse.take())
        });
        let mut all: Vec<Waker> = due.into_iter().map(|(_, waker)| waker).collect();
        for mut wheel in [Some(fine), coarse].into_iter().flatten() {
            wheel.advance(NEVER, |_, waker| all.push(waker));
        }
        all
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        let last = self.shared().wheels.with(|wheels| {
            wheels.owned = false;
            wheels.sleeps == 0
        });
        if last {
            // SAFETY: this was the owner, and no sleep was left; without an owner none is added.
            unsafe { free(self.0) };
        }
    }
}

impl Timer {
    /// Has the timer call `waker`, if it waits still. `deadline` is what it was armed for.
    pub(crate) fn look(&mut self, deadline: u64, waker: &Waker) -> Look {
        let found = self.section(deadline, |old| old.will_wake(waker));
        match found {
            Ok(true) => Look::Waits,
            Ok(false) => {
                // Cloned outside of the lock and the old one dropped after it: both are foreign code.
                let mut new = waker.clone();
                let exchanged = self.section(deadline, |old| core::mem::swap(old, &mut new));
                exchanged.map_or_else(|gone| gone, |()| Look::Waits)
            }
            Err(gone) => gone,
        }
    }

    /// Whether the timer is known to have fired; in doubt it is not. It costs a load as long as it waits.
    #[inline]
    pub(crate) fn has_fired(&self, deadline: u64) -> bool {
        let Some(at) = self.shared else { return true };
        // SAFETY: this timer is counted, which keeps it.
        let shared = unsafe { at.as_ref() };
        let latest = if self.coarse { deadline.saturating_add(COARSE_TICK) } else { deadline };
        // Ordering: Relaxed: a hint. As long as the timer is in a wheel, somebody has to come before that.
        shared.next_due.load(Ordering::Relaxed) > latest && self.is_gone(shared, deadline)
    }

    #[cold]
    fn is_gone(&self, shared: &Shared, deadline: u64) -> bool {
        shared.wheels.with(|wheels| {
            let waits = wheels.of(self.coarse).is_some_and(|wheel| wheel.get_mut(self.key).is_some());
            !waits && (!wheels.closed || shared.clock.now() >= deadline)
        })
    }

    /// Calls `f` with the waker under the lock, or says why there is none.
    fn section<R>(&mut self, deadline: u64, f: impl FnOnce(&mut Waker) -> R) -> Result<R, Look> {
        let Some(at) = self.shared else { return Err(Look::Fired) };
        // SAFETY: this timer is counted, which keeps it.
        let shared = unsafe { at.as_ref() };
        let (found, last) = shared.wheels.with(|wheels| {
            if let Some(waker) = wheels.of(self.coarse).and_then(|wheel| wheel.get_mut(self.key)) {
                return (Ok(f(waker)), false);
            }
            // Its sleep did not take it out. Where the wheels were closed it may have been due.
            if wheels.closed && shared.clock.now() < deadline {
                return (Err(Look::Closed), false);
            }
            (Err(Look::Fired), wheels.leave())
        });
        if matches!(found, Err(Look::Fired)) {
            self.shared = None;
        }
        if last {
            // SAFETY: this timer was the last that was counted, and is no more.
            unsafe { free(at) };
        }
        found
    }

    /// Takes the timer out; its waker, unless it has fired.
    #[inline]
    pub(crate) fn take_out(&mut self) -> Option<Waker> {
        let at = self.shared.take()?;
        // SAFETY: this timer is counted until its section below, which keeps it.
        let shared = unsafe { at.as_ref() };
        let (waker, last) = shared.wheels.with(|wheels| {
            let wheel = wheels.of(self.coarse);
            (wheel.and_then(|wheel| wheel.remove(self.key)), wheels.leave())
        });
        if last {
            // SAFETY: this timer was the last that was counted, and is no more.
            unsafe { free(at) };
        }
        waker
    }
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        // The waker is dropped outside of the lock: it is foreign code.
        drop(self.take_out());
    }
}

impl core::fmt::Debug for Timer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timer").field("key", &self.key).field("coarse", &self.coarse).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Timers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timers").field("next_due", &self.next_due()).finish_non_exhaustive()
    }
}
