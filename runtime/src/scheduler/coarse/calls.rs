//! Closures that block, on threads of their own, and threads that wait for a future meanwhile.
//!
//! A closure of `to_thread` counts as up from its submission until whoever waits for it has been told. One that waits in
//! `Handle::block_on` lies: it is not up, and whoever wakes it counts it up again. What blocks in any other way (the `blocking_` methods,
//! a lock of the model) is up all the while: time stands still, and if nobody comes, the checker finds all threads blocked.

use super::seat::{self, Place};
use super::{Core, Guard, Hall};
use core::future::Future;
use std::collections::VecDeque;
use weftwork_blocking::{BlockingExecutor, BlockingHandle, JobOptions, SpawnError, run_on_with};
use weftwork_sync::primitive::{Condvar, Shared, thread};
use weftwork_sync::{Unpark, block_on, block_on_with};

type Call = Box<dyn FnOnce() + Send>;

/// Closures, and the threads that run them.
pub(super) struct Calls {
    waiting: VecDeque<Call>,
    pub(super) threads: Vec<thread::JoinHandle<()>>,
    begun: usize,
    resting: usize,
    most: usize,
    /// Of those who wait for a future, by number, whether each has been told; `None` while it does not lie.
    beds: Vec<Bedding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bedding {
    Polls,
    Lies,
    Told,
}

impl Calls {
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), threads: Vec::new(), begun: 0, resting: 0, most, beds: Vec::new() }
    }
}

/// Hands a closure to the runtime's threads for such.
pub(crate) fn submit<F, T>(core: &Shared<Core>, options: JobOptions, call: F) -> BlockingHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match &core.coarse.0 {
        None => core.pool.submit_with(options, call),
        Some(hall) => run_on_with(&Threads(hall, core), options, call),
    }
}

struct Threads<'a>(&'a Shared<Hall>, &'a Shared<Core>);

impl BlockingExecutor for Threads<'_> {
    fn execute(&self, call: Call) -> Result<(), SpawnError> {
        let Self(hall, core) = self;
        let mut desk = hall.desk.lock();
        desk.calls.waiting.push_back(call);
        desk.up += 1;
        if desk.calls.resting >= desk.calls.waiting.len() || desk.calls.begun == desk.calls.most {
            drop(desk);
            hall.calls.notify_one();
            return Ok(());
        }
        let number = desk.calls.begun;
        desk.calls.begun += 1;
        drop(desk);
        let (theirs, core) = ((*hall).clone(), (*core).clone());
        let started = thread::spawn_deep(format!("model-blocking-{number}"), move || theirs.serve(&core, number));
        let thread = started.map_err(SpawnError::NoThread)?;
        hall.desk.lock().calls.threads.push(thread);
        Ok(())
    }
}

impl Hall {
    /// A thread runs closures until the run is over.
    fn serve(&self, core: &Shared<Core>, number: usize) {
        let place = Place::Caller(number);
        seat::sit(core, place, || {
            let mut desk = self.desk.lock();
            loop {
                if let Some(call) = desk.calls.waiting.pop_front() {
                    drop(desk);
                    self.record.calls(place, true);
                    call();
                    self.record.calls(place, false);
                    desk = self.goes(core, self.desk.lock());
                } else if desk.over {
                    return;
                } else {
                    desk.calls.resting += 1;
                    desk = self.calls.wait(desk);
                    desk.calls.resting -= 1;
                }
            }
        });
    }

    /// Somebody is up no more.
    fn goes<'a>(&'a self, core: &Core, mut desk: Guard<'a>) -> Guard<'a> {
        desk.up -= 1;
        loop {
            desk = match self.move_time(core, desk) {
                Ok(moved) => moved,
                Err(desk) => return desk,
            };
        }
    }
}

/// Where a thread lies that waits for a future.
struct Bed {
    hall: Shared<Hall>,
    number: usize,
    bell: Condvar,
}

impl Unpark for Bed {
    fn unpark(&self) {
        let mut desk = self.hall.desk.lock();
        let before = core::mem::replace(&mut desk.calls.beds[self.number], Bedding::Told);
        if before == Bedding::Lies {
            desk.up += 1;
            drop(desk);
            self.bell.notify_one();
        }
    }
}

impl Bed {
    fn park(&self, core: &Core) {
        let mut desk = self.hall.desk.lock();
        if desk.calls.beds[self.number] == Bedding::Polls {
            desk.calls.beds[self.number] = Bedding::Lies;
            desk.up -= 1;
        }
        while desk.calls.beds[self.number] == Bedding::Lies {
            desk = self.hall.move_time(core, desk).unwrap_or_else(|desk| self.bell.wait(desk));
        }
        desk.calls.beds[self.number] = Bedding::Polls;
    }
}

/// Runs a future to its end on a thread that is no worker.
pub(in crate::scheduler) fn wait_for<F: Future>(core: &Core, future: F) -> F::Output {
    let Some(hall) = &core.coarse.0 else { return block_on(future) };
    let counted = seat::place().is_none().then(|| Running::begin(hall.clone()));
    let mut desk = hall.desk.lock();
    let number = desk.calls.beds.len();
    desk.calls.beds.push(Bedding::Polls);
    drop(desk);
    let bed = Shared::new(Bed { hall: hall.clone(), number, bell: Condvar::new() });
    let out = block_on_with(future, &bed, || bed.park(core));
    if let Some(counted) = counted {
        counted.end(core);
    }
    out
}

/// A thread that is not the runtime's, and may make something happen in it.
pub(crate) struct Running(Shared<Hall>);

impl Running {
    fn begin(hall: Shared<Hall>) -> Self {
        hall.desk.lock().up += 1;
        Self(hall)
    }

    /// A thread begins; none, outside of an execution.
    pub(crate) fn of(core: &Core) -> Option<Self> {
        core.coarse.0.clone().map(Self::begin)
    }

    /// It will do nothing any more.
    pub(crate) fn end(self, core: &Core) {
        drop(self.0.goes(core, self.0.desk.lock()));
    }
}
