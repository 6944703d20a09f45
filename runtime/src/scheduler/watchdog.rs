//! Bounded delay (promise P3): one thread that looks whether workers move.
//!
//! Each worker counts an epoch up as a poll begins and ends. The watchdog samples the epochs once per period; one that is
//! odd and the same for [`OVERDUE`] belongs to a worker that has been inside one poll for at least that long. No clock is read
//! by the workers for that. The period is 1 ms and doubles to 5 ms while nothing is overdue.
//!
//! | it sees | it does |
//! |---|---|
//! | an overdue poll | takes the worker's LIFO slot, shared queue and [`RESCUED`] of the private one, and injects them; at each look |
//! | few long polls of a worker while another sleeps | has the worker find out how long its polls are, and share |
//! | due timers of a worker that is overdue, old tasks in the injector, a reactor with nobody in it | nudges a worker, waking one if need be |
//! | every worker overdue, or one overdue for longer than [`Limits::spare_after`] | starts a spare worker |
//! | a poll longer than [`Limits::report_after`] | has it reported, from the blocking pool |
//! | the overdue worker back | tells its spare to leave |
//!
//! It runs no foreign code and waits for nobody: timers are fired by workers it nudges, hooks run on the pool.
//!
//! It sleeps for good when every worker does. The pair that keeps that from being a lost wake-up: the watchdog
//! *announces* that it is asleep, then *checks* the epochs once more; a worker that leaves its bed *publishes* that by its
//! bed and its epoch and then *checks* whether the watchdog sleeps. While a worker is up the watchdog stays awake, whether its
//! epoch moves or not: it may have been kept off the processor between stirring and a poll that blocks.
//!
//! Being woken costs the worker that does it a system call and the machine a switch, a look one switch. So it stays awake for
//! a while after the last movement if it has been woken soon after it went to sleep lately, and does not where wake-ups are
//! far apart: a lone one costs one look.

use super::Core;
use super::share::SAMPLE;
use super::shutdown::Left;
use super::spares::Spares;
use super::worker::Worker;
use crate::context;
use crate::observe::events;
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::platform::clock::{nanoseconds, real_now};
use crate::task::{TaskId, cell};
use core::panic::Location;
use core::time::Duration;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::dekker::{announce_then_check, publish_then_check};
use weftwork_sync::primitive::{Parker, Shared, contain, thread};

/// A poll is overdue when it has been watched for this long. A shorter one ends before those behind it could have begun
/// elsewhere, and taking thousands of them from a worker that has just spawned them costs more than it saves.
const OVERDUE: Duration = Duration::from_millis(4);
/// The shortest period.
const SHORT: Duration = Duration::from_millis(1);
/// The longest, while nothing is overdue. An overdue poll is found at the second sample that is this far from the one before,
/// so two of these are the bound of 10 ms that promise P3 gives.
const LONG: Duration = Duration::from_millis(5);
/// Private tasks taken from an overdue worker at each look, which is one per millisecond as long as it is overdue: more than
/// that is seldom run elsewhere until the next, and most of those workers come back. Taking all of a million keeps this thread
/// from looking for as long as that lasts.
const RESCUED: usize = 1024;
/// Steps of an epoch, two a poll, between two looks at it, from which on its worker reads the clock often enough by itself.
const MANY: u32 = 2 * SAMPLE;
/// A sleep shorter than this was not worth it: two looks of the longest period would have cost no more.
const SHORT_SLEEP: Duration = Duration::from_millis(10);
/// How long it stays awake after the last movement, when the sleep before was too short, and when many were.
const QUIET: core::ops::RangeInclusive<Duration> = Duration::from_millis(2)..=SHORT_SLEEP;

/// What the watchdog may do and when.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Whether there is one.
    pub(crate) enabled: bool,
    /// A poll longer than this is reported.
    pub(crate) report_after: Duration,
    /// A worker blocked for this long gets a spare although others still run.
    pub(crate) spare_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { enabled: true, report_after: Duration::from_millis(100), spare_after: Duration::from_millis(20) }
    }
}

/// What workers see of the watchdog.
#[derive(Debug)]
pub(crate) struct Watchdog {
    asleep: AtomicBool,
    bell: Parker,
}

impl Watchdog {
    pub(crate) fn new() -> Self {
        Self { asleep: AtomicBool::new(false), bell: Parker::new() }
    }

    /// A worker left its bed: the watchdog has to be awake from here on.
    #[inline]
    pub(crate) fn stir(&self, core: &Core, worker: usize) {
        if !core.config.watchdog.enabled {
            return;
        }
        let published = || {
            // Two, so that it stays even: what is published is that this worker is up.
            core.slots[worker].count_epoch();
            core.slots[worker].count_epoch();
        };
        if publish_then_check(published, || self.asleep.load(Ordering::Relaxed)) {
            self.wake();
        }
    }

    /// Looks at once: a worker is about to block, or the runtime ends.
    pub(crate) fn wake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
        self.bell.unpark();
    }
}

/// What the watchdog remembers of a worker.
#[derive(Debug, Clone)]
struct Seen {
    epoch: u32,
    /// How long the watchdog has watched this epoch, in nanoseconds. Time in which the watchdog itself did not run counts
    /// as two periods at most: then the whole process stood still, and that is nobody's poll.
    age: u64,
    reported: bool,
    spare: Option<usize>,
}

/// Starts the watchdog's thread.
///
/// # Errors
/// The system refused the thread.
pub(crate) fn start(core: &Shared<Core>) -> std::io::Result<()> {
    if !core.config.watchdog.enabled {
        return Ok(());
    }
    let theirs = core.clone();
    core.exits.enter();
    let started = thread::spawn(format!("{}-watchdog", core.config.thread_name), move || {
        let _left = Left(theirs.exits.clone());
        // Dropped before that.
        let theirs = theirs;
        if let Err(payload) = events::watchdog(|| contain(|| Rounds::new(&theirs).run())) {
            theirs.report_panic(UnhandledKind::WorkerPanicked, payload);
        }
    });
    if started.is_err() {
        core.exits.leave();
    }
    started.map(drop)
}

/// The watchdog's own state.
pub(crate) struct Rounds<'a> {
    core: &'a Shared<Core>,
    seen: Vec<Seen>,
    period: Duration,
    sampled_at: u64,
    quiet_since: u64,
    /// How long it stays awake while nothing moves.
    patience: Duration,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(core: &'a Shared<Core>) -> Self {
        let now = real_now();
        let seen = Seen { epoch: 0, age: 0, reported: false, spare: None };
        Self {
            core,
            seen: vec![seen; core.slots.len()],
            period: SHORT,
            sampled_at: now,
            quiet_since: now,
            patience: Duration::ZERO,
        }
    }

    fn run(&mut self) {
        let mut slept = false;
        while !self.core.is_stopping() {
            // Who has just been woken looks at once: most often what woke it is over already.
            if !slept {
                let _ = self.core.watchdog.bell.park_for(Some(self.period));
            }
            self.core.stats.watchdog_ticks.add(1);
            let now = real_now();
            let (moved, overdue) = self.sample(now);
            if moved {
                self.core.forget_wake_cost();
            }
            if !overdue.is_empty() {
                self.period = SHORT;
                self.quiet_since = now;
                self.rescue(&overdue);
                self.see_to_spares(&overdue);
                self.report(&overdue);
            } else if moved {
                self.period = (self.period * 2).min(LONG);
                self.quiet_since = now;
            }
            self.see_to_what_lies(&overdue);
            slept = Duration::from_nanos(now.saturating_sub(self.quiet_since)) >= self.patience && self.sleep();
        }
    }

    /// Samples the epochs: whether any moved, and whose poll is overdue.
    fn sample(&mut self, now: u64) -> (bool, Vec<usize>) {
        let elapsed =
            now.saturating_sub(core::mem::replace(&mut self.sampled_at, now)).min(nanoseconds(self.period * 2));
        let (mut moved, mut overdue) = (false, Vec::new());
        let others_sleep = self.core.config.multi && self.core.idle.anybody_sleeps();
        for (index, (slot, seen)) in self.core.slots.iter().zip(&mut self.seen).enumerate() {
            let epoch = slot.epoch.load(Ordering::Relaxed);
            let in_place = slot.yielded_place.load(Ordering::Relaxed);
            if epoch != seen.epoch {
                moved = true;
                if let Some(spare) = seen.spare.take_if(|_| !in_place) {
                    Spares::dismiss(self.core, spare);
                }
                if others_sleep && epoch % 2 == 1 && epoch.wrapping_sub(seen.epoch) < MANY {
                    // None of these polls is overdue, but what lies behind them waits for all of them, and its owner would
                    // look at the clock only after so many.
                    slot.nudged.store(true, Ordering::Relaxed);
                }
                let spare = seen.spare;
                *seen = Seen { epoch, age: 0, reported: false, spare };
            } else if epoch % 2 == 1 || in_place {
                seen.age += elapsed;
            }
            if in_place || seen.age >= nanoseconds(OVERDUE) {
                overdue.push(index);
            }
        }
        (moved, overdue)
    }

    /// Takes what blocked workers hold and puts it where others find it.
    pub(crate) fn rescue(&self, overdue: &[usize]) {
        if !self.core.config.multi {
            return;
        }
        for &index in overdue {
            let slot = &self.core.slots[index];
            self.core.stats.in_rescue.set(1);
            let taken = slot.local.try_take(|local| {
                // Inside, so that it cannot hide what the owner publishes next.
                slot.has_work.store(false, Ordering::Relaxed);
                let deferred = local.deferred.take_all().collect();
                (local.take_some(RESCUED), slot.finished.drain(&mut local.owned), deferred)
            });
            let Some((tasks, completed, deferred)) = taken else { continue };
            // Wakers of our tasks.
            self.core.wake_contained(self.core.end_deferrals(deferred));
            // Destructors are foreign code, and this thread waits for nobody: the pool drops them.
            if !completed.is_empty() {
                let _runs_on = self.core.pool.submit(move || drop(completed));
            }
            if tasks.is_empty() {
                continue;
            }
            self.core.stats.rescues.add(1);
            self.core.stats.rescued.add(tasks.len() as u64);
            for task in tasks {
                self.core.inject(task);
            }
        }
        self.core.stats.in_rescue.set(0);
    }

    /// Keeps the number of workers that are not blocked.
    fn see_to_spares(&mut self, overdue: &[usize]) {
        let core = self.core;
        if !core.config.multi {
            return;
        }
        for &index in overdue {
            let running = core.config.workers + core.spares.working();
            let all_blocked = running <= overdue.len();
            let seen = &mut self.seen[index];
            let age = Duration::from_nanos(seen.age);
            let in_place = core.slots[index].yielded_place.load(Ordering::Relaxed);
            if seen.spare.is_none() && (all_blocked || in_place || age >= core.config.watchdog.spare_after) {
                seen.spare = Spares::hire(core);
            }
        }
    }

    /// Has polls that last too long reported, once each.
    fn report(&mut self, overdue: &[usize]) {
        for &index in overdue {
            let slot = &self.core.slots[index];
            let seen = &mut self.seen[index];
            let age = Duration::from_nanos(seen.age);
            let in_place = slot.yielded_place.load(Ordering::Relaxed);
            if seen.reported || in_place || age < self.core.config.watchdog.report_after {
                continue;
            }
            let Some(current) = slot.local.try_take(|local| local.current) else { continue };
            seen.reported = true;
            self.core.stats.slow_polls.add(1);
            let core = self.core.clone();
            // Formatting and hooks are foreign: they run on the pool. If that has no thread, nobody is told.
            let _runs_on = self.core.pool.submit(move || core.report_slow_poll(current, index, age));
        }
    }

    /// Has somebody look at what nobody looks at.
    fn see_to_what_lies(&self, overdue: &[usize]) {
        let core = self.core;
        let mut now = None;
        let mut due = |timers: &crate::time::timers::Timers| {
            let next = timers.next_due();
            next != crate::time::timers::NEVER && next <= *now.get_or_insert_with(|| core.config.clock.now())
        };
        let lies = !core.injector.is_empty()
            || due(&core.outside_timers)
            || core.slots.iter().any(|slot| due(&slot.timers))
            || core
                .reactor
                .as_ref()
                .is_some_and(|reactor| reactor.registered() > 0 && core.keeper.slot.load(Ordering::Relaxed) == 0);
        if !lies {
            return;
        }
        let moves = |index: &usize| {
            !overdue.contains(index) && !core.idle.sleeps(*index) && core.spares.is_at_work(core, *index)
        };
        let awake: Vec<usize> = (0..core.slots.len()).filter(moves).collect();
        // A worker that sleeps is woken where one is blocked, or where nobody else would look.
        if (!overdue.is_empty() || awake.is_empty()) && core.wake_one() {
            return;
        }
        for index in awake {
            core.slots[index].nudged.store(true, Ordering::Relaxed);
        }
    }

    /// Sleeps until a worker leaves its bed; `false` if one has, or never lay down.
    pub(crate) fn sleep(&mut self) -> bool {
        let (core, seen) = (self.core, &self.seen);
        let watchdog = &core.watchdog;
        let active = announce_then_check(
            || watchdog.asleep.store(true, Ordering::Relaxed),
            || {
                core.is_stopping()
                    // Up, and perhaps about to begin a poll: it stirred before the epochs were last sampled.
                    || (0..core.slots.len()).any(|index| self.is_up(index))
                    || core.slots.iter().zip(seen).any(|(slot, seen)| {
                        let epoch = slot.epoch.load(Ordering::Relaxed);
                        epoch != seen.epoch || epoch % 2 == 1 || slot.yielded_place.load(Ordering::Relaxed)
                    })
            },
        );
        let asleep_at = real_now();
        if !active {
            watchdog.bell.park();
        }
        watchdog.asleep.store(false, Ordering::Relaxed);
        if !active {
            self.period = SHORT;
            let slept = Duration::from_nanos(real_now().saturating_sub(asleep_at));
            self.patience = patience_after(self.patience, slept);
        }
        !active
    }

    /// Whether a worker sits at this slot that is not in its bed; between runs nobody sits in a current-thread runtime.
    fn is_up(&self, index: usize) -> bool {
        let core = self.core;
        let sits = if core.config.multi {
            core.spares.is_at_work(core, index) || core.spares.wants_to_leave(core, index)
        } else {
            // Ordering: Relaxed: whoever drives stirs after it said so, and this is inside the pair.
            core.driven.load(Ordering::Relaxed)
        };
        sits && !core.idle.sleeps(index)
    }
}

/// How long to stay awake from now on, after such a sleep.
fn patience_after(before: Duration, slept: Duration) -> Duration {
    if slept < SHORT_SLEEP { (before * 2).clamp(*QUIET.start(), *QUIET.end()) } else { Duration::ZERO }
}

impl Core {
    fn report_slow_poll(&self, current: Option<(TaskId, &'static Location<'static>)>, worker: usize, age: Duration) {
        let name = current.and_then(|(id, _)| self.name_of(id));
        let message = format!("worker {worker} has been inside one poll for {age:?} and more");
        self.report(&Unhandled {
            task: current.map(|(id, _)| id),
            name: name.as_deref(),
            spawned_at: current.map(|(_, at)| at),
            ..Unhandled::elsewhere(UnhandledKind::SlowPoll, Some(&message))
        });
    }

    /// The name of an incomplete task, by looking through every list.
    fn name_of(&self, id: TaskId) -> Option<String> {
        let mut found = None;
        let mut look = |owned: &crate::task::owned::OwnedList| {
            owned.for_each(|task| {
                // SAFETY: in a list that nobody changes meanwhile, and so alive.
                let header = unsafe { task.as_ref() };
                if header.spec.id == id {
                    // SAFETY: as above.
                    found = unsafe { cell::name(task) }.map(str::to_owned);
                }
            });
        };
        look(&self.outside.lock().owned);
        for slot in &self.slots {
            slot.local.take(|local| look(&local.owned));
        }
        found
    }
}

impl Worker {
    /// The worker is about to block for as long as it likes: what it holds goes to others, at once.
    pub(crate) fn leave_place(&self) {
        self.hand_over();
        self.slot().yielded_place.store(true, Ordering::Relaxed);
        self.core.watchdog.wake();
    }

    /// The worker is back.
    pub(crate) fn retake_place(&self) {
        self.slot().yielded_place.store(false, Ordering::Relaxed);
        self.core.watchdog.wake();
    }
}

/// Runs `f`, which may block, on the worker that calls it; see `weftwork::block_in_place`.
pub(crate) fn in_place<R>(f: impl FnOnce() -> R) -> R {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            context::with_worker(Worker::retake_place);
        }
    }
    let left = context::with_worker(|worker| {
        if worker.core.config.multi {
            worker.leave_place();
        }
        worker.core.config.multi
    });
    if left != Some(true) {
        return f();
    }
    let _back = Back;
    // No worker meanwhile: `f` may itself run a future to its end (tokio issue 5239).
    context::stand_up(f)
}

#[cfg(all(test, not(weftwork_loom), not(weftwork_count)))]
mod tests {
    use super::*;
    use crate::runtime::{Builder, Runtime};
    use crate::scheduler::worker::Step;

    /// Long enough to be known as long by itself, and far from overdue.
    async fn long() {
        let until = real_now() + nanoseconds(Duration::from_micros(300));
        while real_now() < until {
            core::hint::spin_loop();
        }
    }

    #[test]
    fn wake_ups_in_short_order_keep_it_awake_and_lone_ones_do_not() {
        let (short, long) = (SHORT_SLEEP / 2, SHORT_SLEEP);
        let after = |count| (0..count).fold(Duration::ZERO, |patience, _| patience_after(patience, short));
        assert_eq!(after(1), *QUIET.start());
        assert!(after(3) > short, "longer than the pauses");
        assert_eq!(after(20), *QUIET.end());
        assert_eq!(patience_after(after(20), long), Duration::ZERO);
    }

    #[test]
    fn a_few_long_polls_are_enough_to_share_what_waits_behind_them() {
        let core = Builder::new_multi_thread().worker_threads(2).assemble().unwrap();
        // Ends the tasks, in whatever way this test ends.
        let _runtime = Runtime::from_core(core.clone());
        let worker = Worker::sit(core.clone(), 0);
        context::sit(&worker, || {
            let mut rounds = Rounds::new(&core);
            let look = |rounds: &mut Rounds<'_>| {
                // While a poll runs.
                core.slots[0].count_epoch();
                let _ = rounds.sample(real_now());
                core.slots[0].count_epoch();
            };
            for _ in 0..32 {
                crate::spawn(long()).detach();
            }
            assert!(!core.idle.announce(1, || false), "the other worker sleeps");
            for _ in 0..6 {
                assert_eq!(worker.step(), Step::Polled);
                look(&mut rounds);
            }
            assert_eq!(worker.step(), Step::Polled);
            assert!(core.has_visible_work(), "half of the queue is there for others");
            assert!(!core.idle.sleeps(1), "and one of them was woken");
            worker.leave();
        });
    }
}
