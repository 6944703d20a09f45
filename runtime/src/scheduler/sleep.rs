//! Going to sleep and waking up.
//!
//! A worker that finds nothing of its own looks at what lies elsewhere, searches its peers, and then sleeps: in the reactor
//! if nobody is there (it is then the *keeper*, and also wakes for the timers of threads that are no workers), otherwise on
//! its parker. Each sleeps until its own earliest timer; the timers of a worker that is stuck are the watchdog's case.
//!
//! Where timers are dense that would have each worker wake thousands of times a second, each for a few. So a worker whose timer
//! is due within [`SOON`] *entrusts* its wheel to the keeper, if that sleeps and wakes first, and itself sleeps longer by a
//! grace. The keeper sleeps until the earliest of what is entrusted, and whoever looks at its own timers looks at all
//! meanwhile. A keeper that is kept busy makes those timers late by its poll, by the grace at most: then their owner wakes,
//! finds the seat free or a timer due, and sees to them itself again. The longer the keeper does well, the longer the grace.
//!
//! The announcement and the last check are `idle.rs`'s; what is checked there is listed in `reason_to_stay`, and everything
//! that can appear from another thread has to be in that list.

use super::look::Look;
use super::slot::{Bed, Slot};
use super::worker::Worker;
use super::{Core, Keeper};
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::platform::clock::real_now;
use crate::reactor::Reactor;
use crate::time::timers::{COARSE_TICK, NEVER};
use core::task::Waker;
use core::time::Duration;
use crossbeam_utils::CachePadded;
use std::io;
use weftwork_sync::primitive::{MutexGuard, Shared, atomic::Ordering};

impl Worker {
    /// Nothing of its own is ready: finds something, or sleeps until there may be.
    #[inline(never)]
    pub(crate) fn find_or_sleep(&self) {
        self.find();
        self.end_search_that_found();
    }

    fn find(&self) {
        self.tidy();
        let fired = self.fire_timers(Look::Near);
        if self.take_injected() || fired {
            return;
        }
        if self.look_for_deferred() || (self.core.config.multi && self.search()) {
            return;
        }
        self.sleep();
    }

    /// Looks for work at the peers, unless enough workers do.
    fn search(&self) -> bool {
        if !self.searching.get() {
            if !self.core.idle.begin_search() {
                return false;
            }
            self.searching.set(true);
        }
        // The search ends when the work that was found is run.
        if self.steal() {
            self.patience.borrow_mut().expect();
            return true;
        }
        if self.take_injected() || self.fire_timers(Look::Everywhere) {
            return true;
        }
        let mut patience = self.patience.borrow_mut();
        let arrived = patience.wait(|| self.core.has_visible_work() || self.slot().wants_attention());
        drop(patience);
        if arrived && (self.steal() || self.take_injected()) {
            return true;
        }
        self.searching.set(false);
        self.core.idle.end_search();
        false
    }

    fn sleep(&self) {
        let core = &*self.core;
        let slot = self.slot();
        if self.searching.replace(false) {
            // Claimed, and there was nothing: publishers must not go on relying on this worker.
            core.idle.end_search();
        }
        self.own(|local| local.current = None);
        // What was looked at on the way here may have run foreign code, and that may have woken a task.
        if self.has_own_work() || self.try_all() {
            return;
        }
        let seat = core.keeper.seat.try_lock();
        let mut deadline = slot.timers.next_due();
        let mut grace = 0;
        if seat.is_some() {
            deadline = deadline.min(core.outside_timers.next_due()).min(core.keeper.earliest_entrusted(&core.slots));
            core.keeper.deadline.store(deadline, Ordering::Relaxed);
            core.keeper.slot.store(self.index + 1, Ordering::Relaxed);
        } else if self.may_entrust(deadline) {
            grace = SHORTEST_GRACE << self.trust.get();
            core.keeper.entrust(slot);
        }
        let in_reactor = seat.is_some() && core.reactor.is_some();
        slot.make_bed(if in_reactor { Bed::Reactor } else { Bed::Parker });
        let stay = core.idle.announce(self.index, || self.reason_to_stay(deadline, seat.is_some()));
        let mut ready = self.ready.take();
        let mut turned = Ok(());
        let mut asleep = None;
        if !stay {
            slot.counters.parks.bump();
            slot.place.note();
            let timeout = core.config.clock.until(deadline, |due| self.gather.until(due).saturating_add(grace));
            let timeout = match &core.jumps {
                None => timeout,
                Some(jumps) => self.lie_down(jumps, timeout, in_reactor, &mut ready),
            };
            asleep = Some(self.patience.borrow().sleep());
            match &core.reactor {
                Some(reactor) if in_reactor => turned = turn(reactor, timeout, &mut ready),
                _ => {
                    let _ = slot.parker.park_for(timeout);
                }
            }
            if let Some(jumps) = &core.jumps {
                jumps.rise(self.index);
            }
        }
        if seat.is_some() {
            core.keeper.slot.store(0, Ordering::Relaxed);
        }
        slot.place.give_back();
        // Whoever claimed this worker has counted it as searching.
        let claimed = !core.idle.retract(self.index);
        if grace > 0 {
            core.keeper.give_back(slot);
            if !stay {
                self.judge_keeper(claimed);
            }
        }
        if let Some(asleep) = asleep {
            self.patience.borrow_mut().woke(&asleep, claimed);
        }
        if claimed {
            self.searching.set(true);
            self.note_wake_cost();
        } else if stay && core.config.multi && core.idle.begin_search() {
            // Whoever published the reason to stay may have relied on the search that ended just before: the hand-over that
            // follows a search's find is owed to it.
            self.searching.set(true);
        }
        drop(seat);
        core.watchdog.stir(core, self.index);
        self.wake_all(&mut ready);
        self.ready.set(ready);
        self.see_to(turned, deadline);
    }

    /// Whether the keeper is there for a timer that is due at that time, so soon that it is worth it.
    fn may_entrust(&self, due: u64) -> bool {
        let (core, keeper) = (&*self.core, &self.core.keeper);
        // Hints: what has changed meanwhile costs the grace, which is why there is one.
        due != NEVER
            && core.config.clock.is_real()
            && keeper.slot.load(Ordering::Relaxed) != 0
            && keeper.deadline.load(Ordering::Relaxed) <= due
            && due.saturating_sub(real_now()) < SOON
    }

    /// A sleep past this worker's own timers is over: did the keeper fire them, but for the last that it may be about to?
    fn judge_keeper(&self, claimed: bool) {
        let trust = &self.trust;
        if self.slot().timers.next_due().saturating_add(SOON) <= real_now() {
            trust.set(0);
        } else if !claimed {
            trust.set((trust.get() + 1).min(MOST_TRUST));
        }
    }

    /// What another thread may have left since this worker last looked.
    fn reason_to_stay(&self, deadline: u64, keeper: bool) -> bool {
        let core = &*self.core;
        let slot = self.slot();
        core.is_stopping()
            || slot.wants_attention()
            || slot.timers.next_due() < deadline
            || (keeper && core.outside_timers.next_due() < deadline)
            || core.has_visible_work()
            || core.spares.wants_to_leave(core, self.index)
    }

    /// The reactor may be broken: somebody closed the poller's descriptor, or it never worked. Nothing here can mend that;
    /// it is reported, and timers and tasks go on, without burning the processor.
    fn see_to(&self, turned: io::Result<()>, deadline: u64) {
        let Err(error) = turned else { return };
        let text = error.to_string();
        self.foreign(|| self.core.report(&Unhandled::elsewhere(UnhandledKind::ReactorFailed, Some(&text))));
        let pause = self.core.config.clock.until(deadline, |due| due).unwrap_or(WITHOUT_REACTOR).min(WITHOUT_REACTOR);
        let _ = self.slot().parker.park_for(Some(pause));
    }

    /// Notes how long it took from being claimed to running again.
    fn note_wake_cost(&self) {
        let took = real_now().saturating_sub(self.slot().claimed_at.get());
        let cost = &self.core.stats.wake_cost;
        cost.set((cost.get() * 7 + took.min(MOST_WAKE_COST)) / 8);
    }

    /// Looks for events without waiting, if nobody is in the reactor.
    pub(crate) fn turn_without_waiting(&self, reactor: &Shared<Reactor>) {
        let Some(seat) = self.core.keeper.seat.try_lock() else { return };
        let mut ready = self.ready.take();
        let turned = turn(reactor, Some(Duration::ZERO), &mut ready);
        drop::<MutexGuard<'_, ()>>(seat);
        self.wake_all(&mut ready);
        self.ready.set(ready);
        self.see_to(turned, 0);
    }
}

impl Core {
    /// The watchdog looks, and workers move. What a wake-up costs is learned from those that happen, and where they look dear
    /// none happens: a few that fell into a busy moment would keep everything on one worker from then on. So what is not
    /// confirmed is forgotten, some of it at each look, until one is tried again.
    pub(super) fn forget_wake_cost(&self) {
        let cost = &self.stats.wake_cost;
        let known = cost.get();
        cost.set(known - known.saturating_sub(WAKE_COST) / FORGOTTEN);
    }
}

/// One turn of the reactor; `ready` are the wakers of whatever became ready.
pub(super) fn turn(reactor: &Reactor, timeout: Option<Duration>, ready: &mut Vec<Waker>) -> io::Result<()> {
    let Some(mut turn) = reactor.try_enter() else { return Ok(()) };
    turn.run(timeout, ready).map(drop)
}

impl Keeper {
    /// The worker at that slot sleeps, and leaves its timers to the keeper.
    fn entrust(&self, slot: &Slot) {
        slot.entrusted.set(1);
        self.entrusted.add(1);
    }

    /// It is up again.
    fn give_back(&self, slot: &Slot) {
        slot.entrusted.set(0);
        self.entrusted.add(1_u64.wrapping_neg());
    }

    /// Whether somebody has entrusted timers; a hint: one that is missed by it waits for its owner's grace.
    #[inline]
    pub(super) fn is_trusted(&self) -> bool {
        self.entrusted.get() > 0
    }

    /// When the first of the timers is due that were entrusted.
    fn earliest_entrusted(&self, slots: &[CachePadded<Slot>]) -> u64 {
        if !self.is_trusted() {
            return NEVER;
        }
        let entrusted = slots.iter().filter(|slot| slot.entrusted.get() > 0);
        entrusted.map(|slot| slot.timers.next_due()).min().unwrap_or(NEVER)
    }
}

/// Nanoseconds: a timer that is due later is worth a wake-up of its own. Dense ones are due within the tick of long waits.
const SOON: u64 = 2 * COARSE_TICK;
/// Nanoseconds by which a worker oversleeps timers that it has entrusted, at first: 2 ms.
const SHORTEST_GRACE: u64 = 1 << 21;
/// How often the grace doubles: up to 4 ms, as long as a poll of the keeper may last before it is overdue.
const MOST_TRUST: u32 = 1;
/// How long a worker sleeps at most while the reactor is broken.
const WITHOUT_REACTOR: Duration = Duration::from_millis(10);
/// What a wake-up is taken to cost until one was seen, and after all were forgotten, in nanoseconds.
pub(crate) const WAKE_COST: u64 = 10_000;
/// The part of what a wake-up is known to cost beyond that which is forgotten at a time: half in three looks, 15 ms at most.
const FORGOTTEN: u64 = 4;
/// A wake-up that took longer says more about the system's load than about its cost.
const MOST_WAKE_COST: u64 = 200_000;

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;
    use crate::runtime::{Builder, Runtime};

    #[test]
    fn what_wake_ups_have_cost_is_forgotten_down_to_what_is_assumed_of_unseen_ones() {
        let core = Builder::new_multi_thread().worker_threads(2).assemble().unwrap();
        // Ends it, in whatever way this test ends.
        let _runtime = Runtime::from_core(core.clone());
        let cost = &core.stats.wake_cost;
        assert_eq!(cost.get(), WAKE_COST);
        core.forget_wake_cost();
        assert_eq!(cost.get(), WAKE_COST);
        cost.set(MOST_WAKE_COST);
        (0..3).for_each(|_| core.forget_wake_cost());
        assert!(cost.get() < MOST_WAKE_COST / 2);
        (0..60).for_each(|_| core.forget_wake_cost());
        assert!(cost.get() < WAKE_COST + FORGOTTEN);
        cost.set(WAKE_COST / 2);
        core.forget_wake_cost();
        assert_eq!(cost.get(), WAKE_COST / 2, "a wake-up that was cheap is remembered");
    }
}
