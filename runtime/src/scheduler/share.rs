//! When a worker gives tasks of its own to its peers, and wakes one for them: a question of speed, not of promises.
//!
//! Waking a sleeping core costs its waker 2 to 3 us and the sleeper 1 to 25, so a queue that would be empty by then is not
//! worth it. How long the queue would take is estimated from the mean length of recent polls, read from the clock once per
//! [`SAMPLE`] polls; what a wake-up costs is learned from those that happened. Between samples a push looks at one number: the
//! length from which the queue is worth a wake-up. A poll much longer than the mean is the watchdog's case. Peers that are
//! awake and search are fed at once.
//!
//! Tasks that never ran are estimated by themselves: who spawned them, and waits for them, tells nothing of their length.
//!
//! Tasks that yield come back, so how long one poll takes does not say what it is worth to move them: it is paid once. They
//! are expected to go on for as long as they have: once most polls have ended in a yield for longer than a wake-up is
//! worth, they are shared however short their polls are, while somebody sleeps or searches.
//!
//! A stretch in which the queue grew by more tasks than were polled says how long it takes to spawn them, not to run
//! them, and is not counted; nor is one in which tasks moved, unless its polls were shorter than the mean.

use super::slot::Local;
use super::worker::Worker;
use core::cell::Cell;
use weftwork_sync::primitive::atomic::Ordering;

/// Polls per reading of the clock.
pub(super) const SAMPLE: u32 = 32;
/// Nanoseconds of polls that say enough, however few they were.
const LONG: u64 = 200_000;
/// A peer is woken when the queue would take this many times the cost of a wake-up.
const WORTH: u64 = 2;
/// Nanoseconds that a task costs the two workers when it moves: its cell changes caches, and so does its end. Shorter ones
/// are not worth moving while they remain that short.
const MOVE: u64 = 120;

/// What a worker knows of the length of its polls. A stretch is a time in which it did nothing but poll.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Of tasks that never ran before, learned where most polls were such.
    new: Mean,
    /// Of the others.
    old: Mean,
    /// When the stretch began, at which step, and with how long a queue.
    since: Cell<u64>,
    at_step: Cell<u32>,
    backlog: Cell<usize>,
    /// Tasks polled for the first time since then.
    firsts: Cell<u32>,
    /// Tasks moved in this stretch, and will have when the next begins. Polls are slower then, and if that were learned, moving
    /// tasks would look the better the more it costs.
    moved: Cell<bool>,
    stole: Cell<bool>,
    /// Polls of this stretch that ended in a yield.
    yields: Cell<u32>,
    /// Nanoseconds for which most have.
    yielding: Cell<u64>,
}

/// A mean of poll lengths.
#[derive(Debug, Default)]
struct Mean {
    /// Nanoseconds: the smaller one of the last two samples, because one during which the thread was kept off the processor
    /// says nothing. 0 until there were two.
    mean: Cell<u64>,
    last: Cell<u64>,
    /// Nanoseconds and polls of stretches that no sample contains yet.
    time: Cell<u64>,
    polls: Cell<u64>,
}

impl Mean {
    fn learn(&self, time: u64, polls: u32) {
        let (time, polls) = (self.time.get() + time, self.polls.get() + u64::from(polls));
        let enough = polls >= u64::from(SAMPLE) || time >= LONG;
        if enough {
            let mean = time / polls;
            self.mean.set(mean.min(self.last.replace(mean)));
        }
        self.time.set(if enough { 0 } else { time });
        self.polls.set(if enough { 0 } else { polls });
    }
}

impl Pace {
    /// A task is polled, for the first time or again.
    #[inline(always)]
    pub(super) fn count(&self, first: bool) {
        // It wraps where nobody asks, on a worker without peers.
        self.firsts.set(self.firsts.get().wrapping_add(u32::from(first)));
    }

    /// A task comes back to the queue from the poll that ended.
    #[inline(always)]
    pub(super) fn yielded(&self) {
        self.yields.set(self.yields.get().wrapping_add(1));
    }

    fn begin(&self, now: u64, step: u32, backlog: usize) {
        self.since.set(now);
        self.at_step.set(step);
        self.backlog.set(backlog);
        self.firsts.set(0);
        self.yields.set(0);
        self.moved.set(self.stole.take());
    }

    /// The next stretch is about tasks of a peer.
    pub(super) fn stole(&self) {
        self.stole.set(true);
    }

    fn end(&self, now: u64, step: u32, backlog: usize) {
        let polls = step.wrapping_sub(self.at_step.get());
        let time = now.saturating_sub(self.since.get());
        let yielding = if self.yields.get() * 2 > polls { self.yielding.get().saturating_add(time) } else { 0 };
        self.yielding.set(yielding);
        if polls == 0 || backlog > self.backlog.get() + polls as usize {
            return;
        }
        let mean = if self.firsts.get() * 2 > polls { &self.new } else { &self.old };
        // Polls that are short although tasks moved are short: otherwise a worker whose peers are always there to take tasks
        // would never learn that it has to stop.
        if !self.moved.get() || time / u64::from(polls) < mean.mean.get() {
            mean.learn(time, polls);
        }
    }
}

impl Worker {
    /// Reads the clock for the mean length of a poll, and thinks about waking a peer. `step` begins now.
    pub(super) fn sample(&self, step: u32) {
        let now = crate::platform::clock::real_now();
        let backlog = self.own(|local| local.private.len());
        self.pace.end(now, step, backlog);
        self.pace.begin(now, step, backlog);
        self.share_at.set(self.least_worth());
        if backlog > 0 {
            self.share(backlog);
        }
    }

    /// There is nothing to poll at this step.
    pub(super) fn stretch_ends(&self, step: u32) {
        if step != self.pace.at_step.get() {
            self.pace.end(crate::platform::clock::real_now(), step, 0);
        }
    }

    /// From the next step on there may be something to poll again.
    pub(super) fn stretch_begins(&self, step: u32) {
        let backlog = self.own(|local| local.private.len());
        self.pace.begin(crate::platform::clock::real_now(), step.wrapping_add(1), backlog);
        self.pace.yielding.set(0);
        self.share_at.set(self.least_worth());
    }

    /// Looks at a queue that grew within one poll: the next sample may come too late.
    #[inline(always)]
    pub(super) fn pushed(&self, backlog: usize) {
        if backlog >= self.share_at.get() {
            self.share(backlog);
        }
    }

    /// Publishes private tasks to thieves if one is there or worth waking.
    #[inline(never)]
    fn share(&self, backlog: usize) {
        let front = self.own(|local| local.private.front().map(|task| task.polls.get() == 0));
        let mean = if front == Some(true) { self.pace.new.mean.get() } else { self.pace.old.mean.get() };
        let worth = self.worth(mean);
        let idle = &self.core.idle;
        let (worth_a_wake, publishes) = if mean >= MOVE {
            // What is worth a wake-up is published even if nobody sleeps: a peer that is about to end its work looks for more
            // first.
            (backlog >= worth, backlog >= worth || idle.searching() > 0)
        } else {
            let lasts = self.pace.yielding.get() >= self.core.stats.wake_cost.get() * WORTH;
            let comes_back = lasts && backlog > 1 && front == Some(false);
            (comes_back, comes_back && (idle.anybody_sleeps() || idle.searching() > 0))
        };
        let published = publishes && self.own(Local::publish);
        if published {
            self.pace.moved.set(true);
        }
        // A searcher that was counted on may have ended its search meanwhile; so it is asked again after publishing, as by
        // somebody who is no worker. Without a wake-up what was published waits for this worker, which loses nothing.
        let wakes = published && idle.publish(|| self.slot().has_work.store(true, Ordering::Relaxed)) && worth_a_wake;
        if wakes {
            self.slot().counters.wakes.bump();
            self.core.wake_one();
        }
        // Where nobody waits for tasks the queue grows by a quarter of what is worth a wake-up before a push looks again.
        let wanted = wakes || (published && idle.searching() > 0);
        self.share_at.set(if wanted { worth } else { backlog.saturating_add(worth / 4) });
    }

    /// How long a queue of such tasks has to be for a wake-up to be worth it.
    fn worth(&self, mean: u64) -> usize {
        let tasks = self.core.stats.wake_cost.get() * WORTH / mean.max(1);
        usize::try_from(tasks).unwrap_or(usize::MAX).max(1)
    }

    /// From which length on a queue may be worth it, whatever tasks it holds.
    fn least_worth(&self) -> usize {
        self.worth(self.pace.new.mean.get().max(self.pace.old.mean.get()))
    }
}

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;

    /// Stretches of a sample's polls, one after the other, each poll of that length.
    fn stretches(pace: &Pace, begun: u64, count: u64, poll: u64, moved: bool) -> u64 {
        let length = poll * u64::from(SAMPLE);
        for n in 0..count {
            pace.begin(begun + n * length, 0, 0);
            pace.moved.set(moved);
            pace.end(begun + (n + 1) * length, SAMPLE, 0);
        }
        pace.old.mean.get()
    }

    #[test]
    fn one_long_sample_says_nothing_and_two_do() {
        let pace = Pace::default();
        assert_eq!(stretches(&pace, 0, 2, 100, false), 100);
        assert_eq!(stretches(&pace, 0, 1, 5_000, false), 100);
        assert_eq!(stretches(&pace, 0, 1, 4_000, false), 4_000);
    }

    #[test]
    fn tasks_that_yield_are_expected_to_go_on_for_as_long_as_they_have() {
        let pace = Pace::default();
        let stretch = |n: u64, yields: u32| {
            pace.begin(n * 1_000, 0, 9);
            (0..yields).for_each(|_| pace.yielded());
            pace.end((n + 1) * 1_000, SAMPLE, 9);
            pace.yielding.get()
        };
        for n in 0..5 {
            assert_eq!(stretch(n, SAMPLE), (n + 1) * 1_000);
        }
        assert_eq!(stretch(5, SAMPLE / 2), 0);
        assert_eq!(stretch(6, SAMPLE), 1_000);
    }

    #[test]
    fn while_tasks_move_polls_look_no_longer_but_may_look_shorter() {
        let pace = Pace::default();
        assert_eq!(stretches(&pace, 0, 2, 1_000, false), 1_000);
        assert_eq!(stretches(&pace, 0, 9, 5_000, true), 1_000);
        assert_eq!(stretches(&pace, 0, 1, 50, true), 50);
    }
}
