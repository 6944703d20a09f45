//! What a runtime counts: per worker by that worker alone, summed when read.

use crate::scheduler::Core;
use crate::scheduler::slot::Slot;

/// What one worker has counted since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerMetrics {
    /// Polls of tasks.
    pub polls: u64,
    /// Tasks spawned here.
    pub spawns: u64,
    /// Times it went to sleep.
    pub parks: u64,
    /// Peers it woke because its queue was long.
    pub wakes: u64,
    /// Times it tried to steal.
    pub steals: u64,
    /// Tasks it stole.
    pub stolen: u64,
    /// Tasks it took from the injector.
    pub injected: u64,
    /// Timers it fired.
    pub timers_fired: u64,
    /// Timers that are armed with it now.
    pub timers: usize,
    /// Whether it sleeps now.
    pub asleep: bool,
}

/// What a runtime has counted since it was built.
///
/// Reading walks through the workers; nothing of it is on a hot path. tokio's counterpart is `RuntimeMetrics`.
///
/// ```
/// weftwork::run(async {
///     weftwork::spawn(async {}).await.unwrap();
///     assert!(weftwork::Handle::current().metrics().total().polls >= 2);
/// });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Each worker's, spares behind the others.
    pub workers: Vec<WorkerMetrics>,
    /// Tasks that have not completed.
    pub live_tasks: usize,
    /// Tasks that wait in the injector.
    pub injector_len: usize,
    /// Tasks scheduled by threads that are no workers.
    pub remote_schedules: u64,
    /// Sleeping workers that were woken.
    pub worker_wakes: u64,
    /// Turns of the reactor: times it asked the system for events.
    pub reactor_turns: u64,
    /// Events the reactor saw.
    pub reactor_events: u64,
    /// Times a worker was called out of the reactor.
    pub reactor_notifies: u64,
    /// Descriptors registered now.
    pub registered: usize,
    /// Timers armed now.
    pub timers: usize,
    /// Times a blocked worker was robbed of what it held.
    pub rescues: u64,
    /// Tasks taken that way.
    pub rescued_tasks: u64,
    /// Spare workers started.
    pub spares_started: u64,
    /// Spare workers at work now.
    pub spares: usize,
    /// Polls that were reported as too long.
    pub slow_polls: u64,
    /// Times the watchdog looked.
    pub watchdog_ticks: u64,
    /// Threads of the blocking pool.
    pub blocking_threads: usize,
    /// What a wake-up has cost lately, in nanoseconds.
    pub wake_cost_ns: u64,
}

impl Metrics {
    pub(crate) fn of(core: &Core) -> Self {
        let workers: Vec<_> =
            core.slots.iter().enumerate().map(|(index, slot)| worker(slot, core.idle.sleeps(index))).collect();
        let reactor = core.reactor.as_ref();
        let of_reactor = |read: fn(&crate::reactor::Reactor) -> u64| reactor.map_or(0, |reactor| read(reactor));
        Self {
            live_tasks: core.live_tasks(),
            injector_len: core.injector.len(),
            remote_schedules: core.stats.remote_schedules.get(),
            worker_wakes: core.stats.remote_wakes.get(),
            reactor_turns: of_reactor(crate::reactor::Reactor::turns),
            reactor_events: of_reactor(crate::reactor::Reactor::events),
            reactor_notifies: of_reactor(crate::reactor::Reactor::notifies),
            registered: reactor.map_or(0, |reactor| reactor.registered()),
            timers: core.outside_timers.len() + workers.iter().map(|worker| worker.timers).sum::<usize>(),
            rescues: core.stats.rescues.get(),
            rescued_tasks: core.stats.rescued.get(),
            spares_started: core.stats.spares_started.get(),
            spares: core.spares.working(),
            slow_polls: core.stats.slow_polls.get(),
            watchdog_ticks: core.stats.watchdog_ticks.get(),
            blocking_threads: core.pool.metrics().threads(),
            wake_cost_ns: core.stats.wake_cost.get(),
            workers,
        }
    }

    /// The workers' counts added up.
    pub fn total(&self) -> WorkerMetrics {
        self.workers.iter().fold(WorkerMetrics::default(), |sum, worker| WorkerMetrics {
            polls: sum.polls + worker.polls,
            spawns: sum.spawns + worker.spawns,
            parks: sum.parks + worker.parks,
            wakes: sum.wakes + worker.wakes,
            steals: sum.steals + worker.steals,
            stolen: sum.stolen + worker.stolen,
            injected: sum.injected + worker.injected,
            timers_fired: sum.timers_fired + worker.timers_fired,
            timers: sum.timers + worker.timers,
            asleep: false,
        })
    }
}

fn worker(slot: &Slot, asleep: bool) -> WorkerMetrics {
    let counters = &slot.counters;
    WorkerMetrics {
        polls: counters.polls.get(),
        spawns: counters.spawns.get(),
        parks: counters.parks.get(),
        wakes: counters.wakes.get(),
        steals: counters.steals.get(),
        stolen: counters.stolen.get(),
        injected: counters.injected.get(),
        timers_fired: counters.timers.get(),
        timers: slot.timers.len(),
        asleep,
    }
}
