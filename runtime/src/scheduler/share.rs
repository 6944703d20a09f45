//! When a worker gives tasks of its own to its peers, and wakes one for them: a question of speed, not of promises.
//!
//! Waking a sleeping core costs its waker 2 to 3 us and the sleeper 1 to 25, so a queue that would be empty by then is not
//! worth it. How long the queue would take is estimated from the mean length of recent polls, read from the clock once per
//! [`SAMPLE`] polls; what a wake-up costs is learned from those that happened. Between samples a push looks at one number: the
//! length from which the queue is worth a wake-up. A poll much longer than the mean is the watchdog's case. Peers that are
//! awake and search are fed at once.
//!
//! Tasks that never ran are estimated by themselves: who spawned them, and waits for them, tells nothing of their length. Where most
//! of the work is tasks that spawn tasks, one of them is worth more than its own poll, and is moved whatever its length: what it
//! spawns is then at home with its new worker. Tasks that spawn nothing are worth only themselves, and what they own was
//! allocated where they came from.
//!
//! A peer that searches takes half of a long queue of tasks that never ran itself (`look.rs`), if they are worth moving and so
//! offered.
//!
//! Tasks that yield come back, so how long one poll takes does not say what it is worth to move them: it is paid once. They
//! are expected to go on for as long as they have: once most polls have ended in a yield for longer than a wake-up is
//! worth, they are shared whatever the length of their polls and of the queue, while somebody sleeps or searches. A task whose
//! budget was spent does not count: it was busy with others, and is better left beside them.
//!
//! A stretch in which the queue grew by more tasks than were polled says how long it takes to spawn them, not to run
//! them, and is not counted. A sample during which tasks moved is believed only if it says that polls are shorter than they
//! were, or longer than moving could make them.

use super::slot::Local;
use super::worker::Worker;
use core::cell::Cell;
use weftwork_sync::coop;
use weftwork_sync::primitive::atomic::Ordering;

/// Nanoseconds of [`SAMPLE`] polls from which on the injector is looked at between two of them, not only every `ROUND` steps.
const SLOW: u64 = 100_000;
/// Polls per reading of the clock.
pub(super) const SAMPLE: u32 = 32;
/// Nanoseconds of polls that say enough, however few they were.
const LONG: u64 = 200_000;
/// A peer is woken when the queue would take this many times the cost of a wake-up.
const WORTH: u64 = 2;
/// Nanoseconds that a task costs the two workers when it moves: its cell changes caches, and so does its end. Shorter ones
/// are not worth moving while they remain that short.
const MOVE: u64 = 120;
/// The same for a task that never ran: who runs it also frees what it owns, and that goes back to the other worker.
const MOVE_NEW: u64 = 2 * MOVE;
/// Tasks spawned per so many polls from which on tasks are said to spawn tasks.
const SPAWNING: u64 = 4;
/// Nanoseconds of a mean poll that moving tasks does not account for, whatever it cost the caches.
const MOVED: u64 = 100 * MOVE;

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
    /// Tasks of peers that may not have been polled yet.
    stolen: Cell<usize>,
    /// Polls of this stretch that ended in a yield.
    yields: Cell<u32>,
    /// What the thread's count of spent budgets was.
    refused: Cell<u32>,
    /// Nanoseconds for which most polls have ended in a yield of their own accord.
    yielding: Cell<u64>,
    /// Tasks that this worker had spawned when the stretch began, whether it spawned many in the one before, and whether it did in
    /// the last two: a single task that spawns thousands makes one such stretch, and says nothing of what those do.
    spawns: Cell<u64>,
    spawned: Cell<bool>,
    spawning: Cell<bool>,
}

/// A mean of poll lengths.
#[derive(Debug, Default)]
struct Mean {
    /// Nanoseconds: the smaller one of the last two samples, because one during which the thread was kept off the processor
    /// says nothing. 0 until there were two, or one of long polls, which is not kept waiting for another.
    mean: Cell<u64>,
    last: Cell<u64>,
    /// Nanoseconds and polls of stretches that no sample contains yet, and whether tasks moved in any of them.
    time: Cell<u64>,
    polls: Cell<u64>,
    moved: Cell<bool>,
}

impl Mean {
    fn learn(&self, time: u64, polls: u32, moved: bool) {
        let (time, polls) = (self.time.get() + time, self.polls.get() + u64::from(polls));
        let moved = self.moved.get() || moved;
        let enough = polls >= u64::from(SAMPLE) || time >= LONG;
        if enough {
            self.believe(time / polls, moved);
        }
        self.time.set(if enough { 0 } else { time });
        self.polls.set(if enough { 0 } else { polls });
        self.moved.set(!enough && moved);
    }

    /// A whole sample is believed or not, never a part of it: the stretches that are shorter than the mean say together that
    /// the short ones among several kinds of polls are short.
    fn believe(&self, sample: u64, moved: bool) {
        let known = self.mean.get();
        // Polls that are short although tasks moved are short: otherwise a worker whose peers are always there to take tasks
        // would never learn that it has to stop. Nor is it moving that makes them that long.
        if !moved || known == 0 || sample < known || sample > MOVED {
            let last = self.last.replace(sample);
            self.mean.set(if last == 0 && sample > MOVED { sample } else { sample.min(last) });
        }
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
        self.refused.set(coop::refused());
        self.moved.set(self.stolen.get() > 0);
    }

    /// The next polls are those of a peer's tasks.
    pub(super) fn stole(&self, tasks: usize) {
        self.stolen.set(self.stolen.get().saturating_add(tasks));
    }

    /// So many tasks were spawned until the stretch ends, at this step.
    fn spawned(&self, spawns: u64, step: u32) {
        let polls = u64::from(step.wrapping_sub(self.at_step.get()));
        let many = polls > 0 && (spawns - self.spawns.replace(spawns)) * SPAWNING >= polls;
        self.spawning.set(self.spawned.replace(many) && many);
    }

    fn end(&self, now: u64, step: u32, backlog: usize) {
        let polls = step.wrapping_sub(self.at_step.get());
        self.stolen.set(self.stolen.get().saturating_sub(polls as usize));
        let time = now.saturating_sub(self.since.get());
        let yields = self.yields.get().saturating_sub(coop::refused().wrapping_sub(self.refused.get()));
        let yielding = if yields * 2 > polls { self.yielding.get().saturating_add(time) } else { 0 };
        self.yielding.set(yielding);
        if polls == 0 || backlog > self.backlog.get() + polls as usize {
            return;
        }
        let mean = if self.firsts.get() * 2 > polls { &self.new } else { &self.old };
        mean.learn(time, polls, self.moved.get());
    }
}

impl Worker {
    /// Reads the clock for the mean length of a poll, and thinks about waking a peer. `step` begins now. Whether the polls since the
    /// last time were so long that what lies elsewhere has waited for them.
    pub(super) fn sample(&self, step: u32) -> bool {
        let now = crate::platform::clock::real_now();
        let is_slow = now.saturating_sub(self.pace.since.get()) >= SLOW;
        let backlog = self.own(|local| local.private.len());
        self.pace.spawned(self.slot().counters.spawns.get(), step);
        self.pace.end(now, step, backlog);
        self.pace.begin(now, step, backlog);
        self.share_at.set(self.least_worth());
        let offers = backlog > 0 && self.share(backlog);
        self.slot().offer.set(if offers { backlog as u64 } else { 0 });
        is_slow
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

    /// Publishes private tasks to thieves if one is there or worth waking. Whether half of them may be taken at once: where they are
    /// worth moving and never ran; others may lie here because of whom they talk to.
    #[inline(never)]
    fn share(&self, backlog: usize) -> bool {
        let front = self.own(|local| local.private.front().map(|task| task.polls.get() == 0));
        let (mean, least) =
            if front == Some(true) { (self.pace.new.mean.get(), MOVE_NEW) } else { (self.pace.old.mean.get(), MOVE) };
        let moves = mean >= least || self.pace.spawning.get();
        let worth = self.worth(mean);
        let idle = &self.core.idle;
        let lasts = self.pace.yielding.get() >= self.core.stats.wake_cost.get() * WORTH;
        let comes_back =
            lasts && backlog > 1 && front == Some(false) && (idle.searching() > 0 || idle.anybody_sleeps());
        if comes_back && mean >= MOVE {
            self.hand_half_on();
            return false;
        }
        let worth_a_wake = comes_back || (moves && backlog >= worth);
        // What is worth a wake-up is published even if nobody sleeps: a peer that is about to end its work looks for more first.
        let publishes = worth_a_wake || (moves && idle.searching() > 0);
        let published = publishes && self.own(Local::publish);
        if published {
            self.pace.moved.set(true);
        }
        // A searcher that was counted on may have ended its search meanwhile; so it is asked again after publishing, as by
        // somebody who is no worker. Without a wake-up what was published waits for this worker, which loses nothing.
        let wakes = published && idle.publish(|| self.slot().has_work.store(true, Ordering::Relaxed)) && worth_a_wake;
        if wakes {
            self.slot().counters.wakes.bump();
            self.wake_peer();
        }
        // Where nobody waits for tasks the queue grows by a quarter of what is worth a wake-up before a push looks again.
        let wanted = wakes || (published && idle.searching() > 0);
        self.share_at.set(if wanted { worth } else { backlog.saturating_add(worth / 4) });
        moves && front == Some(true)
    }

    /// Hands half of the private tasks to whoever comes for them, and wakes a peer for that. Not by way of the shared queue:
    /// this worker would be through with a few before a sleeper is awake, and it is long until it shares again.
    #[cold]
    fn hand_half_on(&self) {
        self.pace.moved.set(true);
        let core = &self.core;
        let tasks = self.own(Local::take_half);
        if core.idle.publish(|| tasks.into_iter().for_each(|task| core.injector.push(task))) {
            self.slot().counters.wakes.bump();
            self.wake_peer();
        }
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
    use crate::context;
    use crate::runtime::{Builder, Runtime};
    use crate::scheduler::worker::Step;

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
    fn tasks_are_said_to_spawn_tasks_after_two_stretches_of_it_and_not_for_one_that_spawned_thousands() {
        let pace = Pace::default();
        let (mut spawns, mut step) = (0, 0);
        let mut stretch = |spawned: u64| {
            spawns += spawned;
            step += SAMPLE;
            pace.spawned(spawns, step);
            pace.end(0, step, 0);
            pace.begin(0, step, 0);
            pace.spawning.get()
        };
        assert!(!stretch(10_000));
        assert!(!stretch(0));
        assert!(!stretch(20));
        assert!(stretch(8));
        assert!(!stretch(7));
        assert!(!stretch(8));
    }

    #[test]
    fn while_tasks_move_polls_look_no_longer_but_may_look_shorter() {
        let pace = Pace::default();
        assert_eq!(stretches(&pace, 0, 2, 1_000, false), 1_000);
        assert_eq!(stretches(&pace, 0, 9, 5_000, true), 1_000);
        assert_eq!(stretches(&pace, 0, 1, 50, true), 50);
    }

    #[test]
    fn while_tasks_move_polls_that_no_move_makes_so_long_are_believed() {
        let pace = Pace::default();
        assert_eq!(stretches(&pace, 0, 2, 1_000, false), 1_000);
        assert_eq!(stretches(&pace, 0, 2, 2 * MOVED, true), 2 * MOVED);
    }

    #[test]
    fn short_polls_among_long_ones_do_not_make_all_look_short_while_tasks_move() {
        let pace = Pace::default();
        let mut now = 0;
        for round in 0..1_000 {
            // One that computes and the two around it, or a short one alone.
            let (polls, took) = if round % 2 == 0 { (3, 1_000_000) } else { (1, 500) };
            pace.begin(now, 0, 0);
            pace.moved.set(true);
            now += took;
            pace.end(now, polls, 0);
        }
        assert_eq!(pace.old.mean.get(), 1_000_500 / 4);
    }

    #[test]
    fn the_first_samples_are_believed_whatever_moved_and_of_long_polls_one_is_enough() {
        let pace = Pace::default();
        assert_eq!(stretches(&pace, 0, 1, 1_000, true), 0);
        assert_eq!(stretches(&pace, 0, 1, 1_000, true), 1_000);
        assert_eq!(stretches(&Pace::default(), 0, 1, 2 * MOVED, true), 2 * MOVED);
    }

    #[test]
    fn what_was_offered_to_peers_is_not_taken_back_by_the_next_step_and_is_by_the_one_after() {
        let core = Builder::new_multi_thread().worker_threads(2).assemble().unwrap();
        // Ends the tasks, in whatever way this test ends.
        let _runtime = Runtime::from_core(core.clone());
        let worker = Worker::sit(core.clone(), 0);
        context::sit(&worker, || {
            worker.pace.new.mean.set(2 * MOVED);
            worker.stretch_begins(0);
            for _ in 0..crate::scheduler::slot::LIFO_STREAK {
                crate::spawn(async {}).detach();
                assert_eq!(worker.step(), Step::Polled);
            }
            assert!(!core.idle.announce(1, || false), "the other worker sleeps");
            crate::spawn(async {}).detach();
            crate::spawn(async {}).detach();
            assert!(
                core.has_visible_work() && !core.idle.sleeps(1),
                "the older one is for the other worker, which was woken"
            );
            assert_eq!(worker.step(), Step::Polled);
            assert!(core.has_visible_work(), "the slot has another turn");
            assert_eq!(worker.step(), Step::Polled);
            assert!(!core.has_visible_work(), "nobody came for it");
            worker.leave();
        });
    }
}
