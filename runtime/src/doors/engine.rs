//! A whole `Core` without reactor, driven thread by thread: workers sit and step, others spawn, rescue, shut down.

use super::tasks::Ready;
use super::timers::Armed;
use crate::context;
use crate::platform::clock::ManualTime;
use crate::scheduler::bare::Bare;
use crate::scheduler::coarse::Coarse;
use crate::scheduler::slot::Bed;
use crate::scheduler::wind_down::Stage;
use crate::scheduler::worker::{Step, Worker};
use crate::scheduler::{Core, shutdown, watchdog};
use crate::task::{self, CancelCause, CancelKind, JoinHandle};
use core::future::Future;
use core::panic::Location;
use core::task::Waker;
use weftwork_sync::primitive::Shared;

/// A runtime's core without threads of its own.
#[derive(Clone)]
pub struct Engine {
    pub(super) core: Shared<Core>,
    time: Shared<ManualTime>,
}

/// A seat, and the calling thread in it.
pub struct Seat<'a>(&'a Worker);

impl Engine {
    /// The multi-thread flavour with that many seats.
    pub fn multi_thread(workers: usize) -> Self {
        Self::new(workers, 0, true, false)
    }

    /// As [`multi_thread`](Self::multi_thread), with seats for spares behind those of the workers.
    pub fn with_spares(workers: usize, spares: usize) -> Self {
        Self::new(workers, spares, true, false)
    }

    /// As [`multi_thread`](Self::multi_thread), and its workers see to it that the watchdog is awake.
    pub fn watched(workers: usize) -> Self {
        Self::new(workers, 0, true, true)
    }

    /// The current-thread flavour.
    pub fn current_thread() -> Self {
        Self::new(1, 0, false, false)
    }

    fn new(workers: usize, spares: usize, multi: bool, watched: bool) -> Self {
        let time = Shared::new(ManualTime::default());
        let bare =
            Bare { workers, spares, multi, watched, time: time.clone(), coarse: Coarse::default(), on_unhandled: None };
        let core = bare.core();
        Self { core, time }
    }

    /// Starts a task from a thread that is no worker.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn_on(&self.core, future, Location::caller(), ())
    }

    /// Starts the thread of a worker: it steps until the runtime stops.
    pub fn start_worker(&self, seat: usize) {
        if let Err(error) = shutdown::start_worker(&self.core, seat) {
            panic!("a model's thread always starts: {error}");
        }
    }

    /// Runs `f` with the calling thread in that seat; it leaves it as a worker does.
    pub fn sit<R>(&self, seat: usize, f: impl FnOnce(&Seat<'_>) -> R) -> R {
        let worker = Worker::sit(self.core.clone(), seat);
        context::sit(&worker, || {
            let out = f(&Seat(&worker));
            worker.leave();
            out
        })
    }

    /// The calling thread is the worker at that seat until the runtime stops, without the bookkeeping of threads.
    pub fn work(&self, seat: usize) {
        self.sit(seat, |seat| {
            while !self.core.is_stopping() {
                seat.step();
            }
        });
    }

    /// Takes what a blocked worker holds, as the watchdog does; `None` if the worker is inside a section.
    pub fn try_rob(&self, seat: usize) -> Option<Vec<Ready>> {
        let slot = &self.core.slots[seat];
        let (tasks, completed) =
            slot.local.try_take(|local| (local.take_all(), slot.finished.drain(&mut local.owned)))?;
        drop(completed);
        Some(tasks.into_iter().map(Ready).collect())
    }

    /// The watchdog goes to sleep for good; back when it has been woken or has seen that a worker is up.
    pub fn watchdog_sleeps(&self) {
        watchdog::Rounds::new(&self.core).sleep();
    }

    /// The watchdog takes what blocked workers hold, and has it run elsewhere.
    pub fn rescue(&self, blocked: &[usize]) {
        watchdog::Rounds::new(&self.core).rescue(blocked);
    }

    /// Puts a task into the injector, and wakes somebody if need be.
    pub fn inject(&self, task: Ready) {
        self.core.inject(task.0);
    }

    /// Tells the workers to stop.
    pub fn stop(&self) {
        self.core.stop();
    }

    /// Ends the runtime.
    pub fn shutdown(&self) {
        assert!(Core::shutdown(&self.core, None).is_ok(), "without a deadline nothing is left behind");
    }

    /// Finishes every task, as shutdown does whose patience with the workers has ended: they may still be at work.
    pub fn finish_tasks(&self) {
        assert!(self.core.finish_tasks(u64::MAX).is_empty(), "without a deadline nothing is left behind");
    }

    /// Has all tasks end, as the end of a run does, without a bound; the calling thread is no worker.
    pub fn wind_down(&self) {
        let cause = CancelCause::new(CancelKind::Shutdown);
        for stage in [Stage::LetGo, Stage::Everybody] {
            while self.core.look_who_is_left(stage, None, &cause) > 0 {
                weftwork_sync::block_on(self.core.wind_down.rung());
            }
        }
    }

    /// Moves the clock on and has everybody look at it.
    pub fn advance(&self, nanos: u64) {
        self.time.advance(nanos);
        self.core.nudge_all();
    }

    /// Makes this the calling thread's runtime while `f` runs.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = context::enter(self.core.clone());
        f()
    }

    /// Tasks that are not complete.
    pub fn live_tasks(&self) -> usize {
        self.core.live_tasks()
    }

    /// The calling thread announces the sleep of that seat as its worker does; whether there is work to stay for.
    pub fn announce(&self, seat: usize) -> bool {
        self.core.idle.announce(seat, || self.core.has_visible_work())
    }

    /// As [`announce`](Self::announce), of a sleep in the reactor.
    pub fn announce_in_reactor(&self, seat: usize) -> bool {
        self.core.slots[seat].make_bed(Bed::Reactor);
        self.announce(seat)
    }

    /// Claims some sleeper as a publisher does; whether it sleeps in the reactor.
    pub fn claim(&self) -> Option<bool> {
        let seat = self.core.idle.claim_any()?;
        Some(self.core.slots[seat].bed() == Bed::Reactor)
    }

    /// Whether there is work that a worker other than its owner could take.
    pub fn has_visible_work(&self) -> bool {
        self.core.has_visible_work()
    }

    /// Ends what [`announce`](Self::announce) began; whether somebody had claimed the sleeper.
    pub fn was_claimed(&self, seat: usize) -> bool {
        !self.core.idle.retract(seat)
    }

    /// Arms a timer from a thread that is no worker, as a sleep does once it has read the clock. Dropped, it is taken out.
    #[must_use]
    pub fn arm_outside(&self, deadline: u64, waker: Waker) -> Option<Armed> {
        let (timer, earliest) = self.core.outside_timers.arm(deadline, 0, waker)?;
        if earliest {
            self.core.outside_timer_armed(deadline);
        }
        Some(Armed(timer))
    }

    /// How many search.
    pub fn searching(&self) -> usize {
        self.core.idle.searching()
    }

    /// Whether somebody sleeps.
    pub fn anybody_sleeps(&self) -> bool {
        self.core.idle.anybody_sleeps()
    }

    /// Tasks in lists, complete ones that nobody drained included.
    pub fn listed(&self) -> usize {
        let inside: usize = self.core.slots.iter().map(|slot| slot.local.take(|local| local.owned.len())).sum();
        inside + self.core.outside.lock().owned.len()
    }
}

impl Seat<'_> {
    /// One step; `true` if it polled a task.
    pub fn step(&self) -> bool {
        self.0.step() == Step::Polled
    }

    /// Starts a task on this worker.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn(future)
    }

    /// Takes the worker's own ready tasks out.
    pub fn take_all(&self) -> Vec<Ready> {
        self.0.own(crate::scheduler::slot::Local::take_all).into_iter().map(Ready).collect()
    }

    /// Puts a task into the worker's own queue.
    pub fn push(&self, task: Ready) {
        self.0.push(task.0);
    }

    /// Publishes private tasks to thieves.
    pub fn publish(&self) {
        if self.0.own(crate::scheduler::slot::Local::publish) {
            self.0.slot().has_work.store(true, weftwork_sync::primitive::atomic::Ordering::Relaxed);
        }
    }

    /// Begins a search, as a worker without work of its own does; `false` if enough search.
    pub fn begin_search(&self) -> bool {
        let begun = self.0.core.idle.begin_search();
        self.0.searching.set(begun);
        begun
    }

    /// Steals from a peer.
    pub fn steal(&self) -> bool {
        self.0.steal()
    }

    /// Takes from the injector.
    pub fn take_injected(&self) -> bool {
        let taken = self.0.take_injected();
        self.0.end_search_that_found();
        taken
    }

    /// Lets go of tasks that completed elsewhere.
    pub fn tidy(&self) {
        self.0.tidy();
    }

    /// How many tasks the worker's list holds.
    pub fn owned(&self) -> usize {
        self.0.own(|local| local.owned.len())
    }
}
