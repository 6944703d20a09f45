//! What a worker does about what lies elsewhere: tasks that completed on other threads, the injector, timers, the reactor,
//! and the queues of its peers.

use super::queue::{self, SHARED_CAPACITY};
use super::slot::{Local, Slot};
use super::worker::{ROUND, Worker};
use crate::context;
use crate::observe::unhandled::UnhandledKind;
use crate::task::Runnable;
use crate::time::timers::NEVER;
use weftwork_sync::primitive::atomic::Ordering;
use weftwork_sync::primitive::contain;

/// Tasks taken from a peer at once, and from the injector where there are few.
const BATCH: usize = 16;
/// A private queue from this length on is halved by a peer with nothing to do: that takes a barrier on all threads, some 5 us.
const LONG: u64 = 128;
/// Tasks taken from a private queue at once; its owner waits for that if it comes by, some 10 us.
const MOST: usize = 8192;
/// How often that is tried, if its owner is just inside.
const TRIES: usize = 4;

/// How far a worker looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// At its own timers, those of the threads that are no workers, and what others have entrusted.
    Near,
    /// At everybody's.
    Everywhere,
}

impl Worker {
    /// Looks at what lies elsewhere while own tasks are ready.
    pub(super) fn look_around(&self, look: Look) {
        self.tidy();
        self.take_injected();
        self.fire_timers(look);
        if let Some(reactor) = self.core.reactor.as_ref().filter(|reactor| reactor.registered() > 0) {
            self.turn_without_waiting(reactor);
        }
        let steps = self.steps.get();
        let few = look == Look::Everywhere && steps.wrapping_sub(self.looked_at.replace(steps)) < ROUND;
        if few {
            self.try_all();
        } else {
            self.try_due();
        }
    }

    /// Lets go of tasks of this worker that completed elsewhere.
    pub(crate) fn tidy(&self) {
        let slot = self.slot();
        if !slot.finished.is_empty() {
            let completed = self.own(|local| slot.finished.drain(&mut local.owned));
            self.foreign(|| drop(completed));
        }
    }

    /// Takes tasks from the injector; `true` if there were any.
    pub(crate) fn take_injected(&self) -> bool {
        let injector = &self.core.injector;
        if injector.is_empty() {
            return false;
        }
        let mut taken = 0;
        if self.core.config.multi {
            let left = self.own(|local| {
                let before = local.shared.len();
                let room = SHARED_CAPACITY - before;
                if room > 1 {
                    // One is handed out, the rest lies behind what is shared already.
                    // As many as are this worker's part, where there are many: those that it polls again and again do not keep out
                    // what comes once.
                    let batch = BATCH.max(injector.len() / self.core.config.workers.max(1));
                    let first = injector.steal_into(&mut local.shared, batch.min(room));
                    // Thieves may have taken from it meanwhile, so this counts what is left of them at least.
                    taken = local.shared.len().saturating_sub(before) + usize::from(first.is_some());
                    if let Some(first) = first {
                        local.private.push_back(first);
                    }
                }
                local.published = local.shared.len() > 0;
                local.published
            });
            self.slot().has_work.store(left, Ordering::Relaxed);
        } else {
            // Those that are there now: while others come faster than they are taken, none would ever run.
            for task in (0..injector.len()).map_while(|_| injector.pop()) {
                self.own(|local| local.private.push_back(task));
                taken += 1;
            }
        }
        self.slot().counters.injected.bump_by(taken as u64);
        taken > 0
    }

    /// Fires due timers; `true` if any fired.
    pub(crate) fn fire_timers(&self, look: Look) -> bool {
        let core = &*self.core;
        let mine = &self.slot().timers;
        let others = match look {
            Look::Near if !core.keeper.is_trusted() => &[][..],
            Look::Near | Look::Everywhere => &core.slots[..],
        };
        let armed = || {
            let all = others.iter().map(|slot| &slot.timers).chain([mine, &core.outside_timers]);
            all.filter(|timers| timers.next_due() != NEVER)
        };
        if armed().next().is_none() {
            return false;
        }
        let now = core.config.clock.now();
        if armed().all(|timers| timers.next_due() > now) {
            return false;
        }
        let mut fired = 0;
        let mut ready = self.ready.take();
        // Where one is fired, so is what could wait in the others: else each of them would have wake-ups of its own.
        for timers in armed().filter(|timers| timers.may_fire(now)) {
            loop {
                let more = timers.fire(now, &mut ready);
                fired += ready.len();
                self.wake_all(&mut ready);
                if !more {
                    break;
                }
            }
        }
        self.ready.set(ready);
        if fired > 0 {
            self.gather.fired(now, fired);
        }
        self.slot().counters.timers.bump_by(fired as u64);
        fired > 0
    }

    /// Steals from a peer; `true` if it got anything.
    ///
    /// From a long queue it takes half, not a batch: where tasks spawn tasks, what is old is large, and who has half of that is busy
    /// for long with tasks of its own.
    pub(crate) fn steal(&self) -> bool {
        let slots = &self.core.slots;
        let start = self.random() as usize % slots.len();
        for victim in (start..slots.len()).chain(0..start) {
            if victim == self.index {
                continue;
            }
            if slots[victim].offer.get() >= LONG && self.halve(&slots[victim]) {
                return true;
            }
            if !slots[victim].has_work.load(Ordering::Relaxed) {
                continue;
            }
            self.slot().counters.steals.bump();
            // Not inside a section: stealing pins an epoch, and that may run destructors of anybody who uses the same
            // collector, which may spawn. They may block as well: the watchdog sees it like a poll, and wakes another for
            // whoever relies on this search.
            let mut landing = self.landing.borrow_mut();
            let landing = landing.get_or_insert_with(|| queue::shared().0);
            self.slot().count_epoch();
            let stolen = contain(|| slots[victim].thief.steal_into(landing, BATCH));
            self.slot().count_epoch();
            let mut stolen: Vec<Runnable> = match stolen {
                Ok(first) => first.into_iter().collect(),
                Err(payload) => {
                    self.core.report_panic(UnhandledKind::HookPanicked, payload);
                    Vec::new()
                }
            };
            stolen.extend(core::iter::from_fn(|| landing.pop()));
            let taken = stolen.len();
            self.own(|local| stolen.into_iter().for_each(|task| local.private.push_back(task)));
            if taken > 0 {
                self.note_stolen(taken);
                return true;
            }
        }
        false
    }

    /// Takes half of a peer's private tasks; `true` if there were any.
    fn halve(&self, peer: &Slot) -> bool {
        self.slot().counters.steals.bump();
        let mut haul = self.haul.borrow_mut();
        // Before the section, in which the owner may be waiting.
        haul.reserve((peer.offer.get() as usize / 2).min(MOST));
        let halve = |local: &mut Local| {
            let taken = local.private.deal_to(&mut haul);
            peer.offer.set(local.private.len() as u64);
            taken
        };
        let taken = peer.local.take_within(TRIES, halve).unwrap_or(0);
        self.own(|local| {
            if local.private.len() == 0 {
                core::mem::swap(&mut local.private, &mut haul);
            } else {
                core::iter::from_fn(|| haul.pop_front()).for_each(|task| local.private.push_back(task));
            }
        });
        self.note_stolen(taken);
        taken > 0
    }

    fn note_stolen(&self, tasks: usize) {
        self.slot().counters.stolen.bump_by(tasks as u64);
        self.pace.stole(tasks);
    }

    /// xorshift32: which victim comes first has to differ between workers, nothing more.
    pub(crate) fn random(&self) -> u32 {
        let next = context::xorshift(self.random.get());
        self.random.set(next);
        next
    }
}

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;
    use crate::context;
    use crate::runtime::{Builder, Runtime};
    use crate::time::timers::{COARSE_FROM, CROWD};
    use core::task::Waker;

    #[test]
    fn what_could_wait_is_fired_with_what_is_due_in_another_wheel() {
        let core = Builder::new_multi_thread().worker_threads(2).assemble().unwrap();
        // Ends the tasks, in whatever way this test ends.
        let _runtime = Runtime::from_core(core.clone());
        let worker = Worker::sit(core.clone(), 0);
        context::sit(&worker, || {
            let (mine, theirs) = (&core.slots[0].timers, &core.slots[1].timers);
            let now = mine.now();
            let could_wait: Vec<_> = (0..CROWD).map(|_| theirs.arm(now, COARSE_FROM, Waker::noop().clone())).collect();
            let due = mine.arm(now, 1, Waker::noop().clone());
            assert!(worker.fire_timers(Look::Everywhere));
            assert_eq!((mine.len(), theirs.len()), (0, 0));
            drop((could_wait, due));
            worker.leave();
        });
    }
}
