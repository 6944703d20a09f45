//! The coarse scheduler: what stands in for this folder where users' own code is searched by a model checker.
//!
//! A search visits every order of what threads do to what they share, so whatever the scheduler shares is paid for by each model. What
//! ships has queues, slots, sleepers and a watchdog, and is searched by models of its own; a user's model is to search the user's
//! protocol. So here all of that is one desk behind one lock. Above it everything is what ships: task cells and handles, scopes, groups,
//! timers, and every primitive of weftwork-sync.
//!
//! ```text
//!            push: nobody sleeps                  next
//!   task -----------------------------> ready ----------> worker
//!     |                                                      ^
//!     +--- push: a worker sleeps, it is given the task ------+
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `coarse.rs` | the desk, and the workers at it |
//! | `coarse/calls.rs` | closures that block, and threads that wait for a future |
//! | `coarse/seat.rs` | what the calling thread is |
//! | `coarse/run.rs` | one execution, from the first poll of the body to the end of its last task |
//! | `coarse/record.rs` | what is told of an execution that fails |
//! | `coarse_none.rs` | the same doors where there is no model |
//!
//! All changes are made under the lock:
//! 1. A task that becomes ready is given to a worker that sleeps, if there is one that may run it; so a worker that sleeps has nothing it
//!    could run, and two never run for the same task. Giving it to one of them loses no order: whoever has it may be kept waiting.
//! 2. `up` counts who may still make something happen: workers that do not sleep, closures that wait or run and do not lie in a wait of
//!    ours, threads of the model. Whoever gives a sleeper something counts it up in the same section, so `up` is zero only when nothing
//!    can happen by itself any more. Whoever brings it there moves the time on and fires what is due, counted as up meanwhile.
//! 3. Without a timer nothing will ever happen again: the body waits for ever, and the execution fails. While what the body left behind is
//!    being cancelled, worker 0 is told instead, and decides.

use super::Core;
use crate::task::{Runnable, TaskInfo};
use crate::time::timers::NEVER;
use core::ptr::NonNull;
use std::collections::VecDeque;
use weftwork_sync::primitive::{Condvar, Mutex, MutexGuard, Shared, thread};

mod calls;
pub(crate) mod record;
pub(crate) mod run;
mod seat;

pub(super) use calls::wait_for;
pub(crate) use calls::{Running, submit};
use record::Record;
use seat::Place;
pub(crate) use seat::{current_task, hold_current, is_worker, with_core};

/// The coarse scheduler of a core that has one.
#[derive(Default)]
pub(crate) struct Coarse(Option<Shared<Hall>>);

type Guard<'a> = MutexGuard<'a, Desk>;

/// The desk and its bells.
pub(crate) struct Hall {
    desk: Mutex<Desk>,
    /// One for each worker.
    bells: Box<[Condvar]>,
    /// For threads that wait for closures.
    calls: Condvar,
    record: Record,
}

struct Desk {
    /// What no worker has been given.
    ready: VecDeque<Runnable>,
    workers: Box<[Seat]>,
    calls: calls::Calls,
    up: usize,
    /// The body has ended: what cannot end by itself is found by worker 0.
    ending: bool,
    /// Nothing can run, and worker 0 has not seen it.
    quiet: bool,
    /// The workers go home.
    over: bool,
}

#[derive(Default)]
struct Seat {
    sleeps: bool,
    given: Option<Runnable>,
}

impl Coarse {
    /// The scheduler of a model.
    fn new(workers: usize, threads: usize, record: Record) -> Self {
        let desk = Desk {
            ready: VecDeque::new(),
            workers: (0..workers).map(|_| Seat::default()).collect(),
            calls: calls::Calls::new(threads),
            up: workers,
            ending: false,
            quiet: false,
            over: false,
        };
        Self(Some(Shared::new(Hall {
            desk: Mutex::new(desk),
            bells: (0..workers).map(|_| Condvar::new()).collect(),
            calls: Condvar::new(),
            record,
        })))
    }

    /// Takes a task that is ready; it is the caller's again where there is no coarse scheduler.
    pub(super) fn take(&self, task: Runnable) -> Option<Runnable> {
        match &self.0 {
            None => Some(task),
            Some(hall) => {
                hall.push(task);
                None
            }
        }
    }

    fn hall(&self) -> &Shared<Hall> {
        match &self.0 {
            Some(hall) => hall,
            None => unreachable!("only cores with a coarse scheduler are run by one"),
        }
    }
}

/// As [`Coarse::take`], from a thread that works for that core, which therefore lives.
pub(super) fn take_from_inside(core: NonNull<Core>, task: Runnable) -> Option<Runnable> {
    if !seat::is_inside(core) {
        return Some(task);
    }
    // SAFETY: this thread has a share of it until its work is over.
    unsafe { core.as_ref() }.coarse.take(task)
}

impl Desk {
    /// The worker that a task which has become ready is given to, if one sleeps that may run it. The body stays with worker 0; else the
    /// last one is taken, so that worker 0 is free for the body.
    fn sleeper_for(&self, task: &Runnable) -> Option<usize> {
        let sleeps = |seat: &Seat| seat.sleeps;
        if task.header().spec.pinned {
            return sleeps(&self.workers[0]).then_some(0);
        }
        self.workers.iter().rposition(sleeps)
    }

    /// The oldest task that this worker may run.
    fn next(&mut self, me: usize) -> Option<Runnable> {
        let at = self.ready.iter().position(|task| me == 0 || !task.header().spec.pinned)?;
        self.ready.remove(at)
    }
}

impl Hall {
    /// A task has become ready.
    fn push(&self, task: Runnable) {
        let mut desk = self.desk.lock();
        match desk.sleeper_for(&task) {
            None => desk.ready.push_back(task),
            Some(worker) => {
                desk.workers[worker] = Seat { sleeps: false, given: Some(task) };
                desk.up += 1;
                drop(desk);
                self.bells[worker].notify_one();
            }
        }
    }

    /// What this worker polls next; `None` when it goes home, and for worker 0 when nothing can run any more while the run ends.
    fn next(&self, core: &Core, me: usize) -> Option<Runnable> {
        let mut desk = self.desk.lock();
        if let Some(task) = desk.next(me) {
            return Some(task);
        }
        if desk.over {
            return None;
        }
        desk.workers[me].sleeps = true;
        desk.up -= 1;
        loop {
            if let Some(task) = desk.workers[me].given.take() {
                return Some(task);
            }
            let told = desk.over || (me == 0 && core::mem::take(&mut desk.quiet));
            if told {
                if core::mem::take(&mut desk.workers[me].sleeps) {
                    desk.up += 1;
                }
                return None;
            }
            desk = self.move_time(core, desk).unwrap_or_else(|desk| self.bells[me].wait(desk));
        }
    }

    /// Moves the time to the next timer if nothing can happen by itself.
    ///
    /// # Errors
    /// It can, or somebody else has to see to it first: the caller sleeps.
    fn move_time<'a>(&'a self, core: &Core, mut desk: Guard<'a>) -> Result<Guard<'a>, Guard<'a>> {
        if desk.up > 0 || desk.over || desk.quiet {
            return Err(desk);
        }
        desk.up += 1;
        drop(desk);
        let fired = core.fire_next(&self.record);
        // A closure runs on a pool that is not the runtime's: it is up, and not counted here.
        let held = core.config.clock.holds() > 0;
        desk = self.desk.lock();
        desk.up -= 1;
        if fired || desk.up > 0 {
            return Ok(desk);
        }
        if held {
            return Err(desk);
        }
        if desk.ending {
            desk.quiet = true;
            self.bells[0].notify_one();
            return Ok(desk);
        }
        drop(desk);
        panic!("nothing can run any more, and the body has not ended. Tasks that wait:{}", core.tasks_that_wait());
    }

    /// A worker polls until it is sent home.
    fn work(&self, core: &Shared<Core>, me: usize) {
        seat::sit(core, Place::Worker(me), || {
            while let Some(task) = self.next(core, me) {
                self.poll(me, task);
            }
        });
    }

    fn poll(&self, me: usize, task: Runnable) {
        let number = self.record.polls(Place::Worker(me), &task);
        task.run();
        self.record.leaves(Place::Worker(me), number);
    }

    /// The workers and the threads for closures go home once there is nothing left for them.
    fn close(&self) -> Vec<thread::JoinHandle<()>> {
        let mut desk = self.desk.lock();
        desk.over = true;
        let threads = core::mem::take(&mut desk.calls.threads);
        drop(desk);
        for bell in &self.bells {
            bell.notify_one();
        }
        self.calls.notify_all();
        threads
    }
}

impl Core {
    /// Moves the time to the next timer and fires what is due then; `false` if there is none.
    fn fire_next(&self, record: &Record) -> bool {
        let next = self.outside_timers.earliest();
        if next == NEVER || self.config.clock.holds() > 0 {
            return false;
        }
        let now = self.config.clock.now();
        self.config.clock.move_on(next.saturating_sub(now));
        record.jumps(next.max(now));
        loop {
            let mut due = Vec::new();
            let more = self.outside_timers.fire(next, &mut due);
            self.wake_contained(due);
            if !more {
                return true;
            }
        }
    }

    /// A line for each task that has not ended.
    fn tasks_that_wait(&self) -> String {
        let outside = self.outside.lock();
        let mut lines = Vec::new();
        // SAFETY: in a list that this section holds still, and so alive.
        outside.owned.for_each(|task| lines.push(format!("\n  {}", unsafe { TaskInfo::of(task) })));
        lines.reverse();
        lines.concat()
    }
}

impl core::fmt::Debug for Coarse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Coarse").field(&self.0.is_some()).finish()
    }
}
