//! A runtime without threads of its own, stepped by whoever sits down at its workers.
//!
//! What runs is what ships: a seat is a worker, a step is its step. Only what other threads would add is missing, the
//! watchdog and the peers, so what a program does here is repeatable to the instruction.

use crate::context;
use crate::runtime::{BuildError, Builder, Handle, Metrics, Runtime};
use crate::scheduler::look::Look;
use crate::scheduler::worker::{Step, Worker};
use core::fmt;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};

/// A multi-thread runtime whose workers are the threads that [`sit`](Self::sit) down at it, and which move when they step.
///
/// It starts no worker and no watchdog, so a poll that blocks is not noticed, and what nobody steps stands still. Threads of
/// the blocking pool start when something is given to it. Dropping it ends the runtime as dropping a
/// [`Runtime`] does.
///
/// For tests that need a certain order of steps, and for measurements that must not depend on other threads.
///
/// ```
/// use weftwork::testing::Stepper;
///
/// let stepper = Stepper::new(1).unwrap();
/// stepper.sit(0, |seat| {
///     let mut handle = weftwork::spawn(async { 6 * 7 });
///     assert!(!handle.is_finished());
///     assert!(seat.step(), "a task was polled");
///     assert_eq!(handle.try_take().unwrap().unwrap(), 42);
/// });
/// ```
pub struct Stepper {
    runtime: Runtime,
    taken: Box<[AtomicBool]>,
}

impl Stepper {
    /// A runtime with that many seats; otherwise as [`Builder::new_multi_thread`] has it.
    ///
    /// # Errors
    /// The system refused the reactor's descriptor.
    ///
    /// # Panics
    /// If `workers` is 0.
    pub fn new(workers: usize) -> Result<Self, BuildError> {
        Self::build(Builder::new_multi_thread().worker_threads(workers))
    }

    /// A runtime as `builder` says, with a seat for each of its workers.
    ///
    /// # Errors
    /// The system refused the reactor's descriptor; or the environment asks for something impossible.
    ///
    /// # Panics
    /// If the builder is that of a current-thread runtime: `block_on` is how its one worker is driven.
    pub fn build(builder: Builder) -> Result<Self, BuildError> {
        let core = builder.assemble()?;
        assert!(
            core.config.multi,
            "a current-thread runtime has no seats: use Builder::new_multi_thread, or drive it with block_on"
        );
        let taken = (0..core.config.workers).map(|_| AtomicBool::new(false)).collect();
        Ok(Self { runtime: Runtime::from_core(core), taken })
    }

    /// Runs `f` with the calling thread as the worker at that seat, counted from 0; what is ready there when it stands up
    /// again goes to whoever sits.
    ///
    /// While it sits it does nothing but what `f` has it do.
    ///
    /// # Panics
    /// If there is no such seat or another thread sits there; and with `f`.
    #[track_caller]
    pub fn sit<R>(&self, seat: usize, f: impl FnOnce(&Seat<'_>) -> R) -> R {
        let Some(taken) = self.taken.get(seat) else {
            panic!("there is no seat {seat}: this runtime has {}, counted from 0", self.taken.len());
        };
        // Ordering: Acquire pairs with the Release of whoever sat here before.
        assert!(!taken.swap(true, Ordering::Acquire), "somebody sits at seat {seat}: choose another, or wait");
        let _free = Free(taken);
        let core = self.runtime.handle().core();
        let worker = Worker::sit(core.clone(), seat);
        context::sit(&worker, || {
            core.watchdog.stir(core, seat);
            let _rise = Rise(&worker);
            f(&Seat(&worker))
        })
    }

    /// A reference to the runtime, with which other threads spawn onto it.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// What the runtime counts.
    pub fn metrics(&self) -> Metrics {
        self.runtime.metrics()
    }
}

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper").field("seats", &self.taken.len()).finish_non_exhaustive()
    }
}

/// Nobody sits there any more.
struct Free<'a>(&'a AtomicBool);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        // Ordering: Release hands what belongs to the seat to whoever sits there next.
        self.0.store(false, Ordering::Release);
    }
}

/// Leaves the seat as a worker does, also by a panic.
struct Rise<'a>(&'a Worker);

impl Drop for Rise<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The calling thread's seat at a [`Stepper`].
///
/// Meanwhile the thread is a worker: [`spawn`](crate::spawn) and everything else that needs a current runtime finds this one.
pub struct Seat<'a>(&'a Worker);

impl Seat<'_> {
    /// One step of a worker: polls the next task, `true`; or, if none is ready at this seat, looks elsewhere and sleeps until
    /// something comes if there is nothing there either, `false`.
    ///
    /// With nobody left to wake it, it sleeps for good: [`run_ready`](Self::run_ready) never sleeps.
    pub fn step(&self) -> bool {
        self.steps(1) == 1
    }

    /// That many steps, one right after the other; how many polled a task.
    pub fn steps(&self, count: usize) -> usize {
        let polled = (0..count).filter(|_| self.0.step() == Step::Polled).count();
        self.pause();
        polled
    }

    /// Steps until nothing is ready, here, in the queue of tasks from outside, by the clock or by the reactor; how many tasks
    /// were polled. It takes nothing from peers and never sleeps.
    pub fn run_ready(&self) -> usize {
        let worker = self.0;
        let mut polled = 0;
        loop {
            while self.is_ready() {
                polled += usize::from(worker.step() == Step::Polled);
            }
            worker.tidy();
            let found = worker.take_injected() | worker.fire_timers(Look::Everywhere);
            if let Some(reactor) = &worker.core.reactor {
                worker.turn_without_waiting(reactor);
            }
            if !found && !self.is_ready() {
                self.pause();
                return polled;
            }
        }
    }

    /// Whether a task is ready at this seat, so that [`step`](Self::step) polls one.
    pub fn is_ready(&self) -> bool {
        self.0.own(|local| local.ready() + local.pinned.len() > 0)
    }

    /// What follows is done by nobody's task, and least of all by the one that was polled last.
    fn pause(&self) {
        self.0.own(|local| local.current = None);
    }

    /// Which seat it is.
    pub fn index(&self) -> usize {
        self.0.index
    }
}

impl fmt::Debug for Seat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("index", &self.0.index).finish_non_exhaustive()
    }
}
