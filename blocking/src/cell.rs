//! One job's cell: its closure before it runs, its result afterwards, and whoever waits for that.
//!
//! ```text
//!              begin                    complete
//!   Pending ----------> Running ------------------------> Finished ----> Taken
//!      |                   ^                  |                    take
//!      +-------------------+                  +--> (result dropped here, if nobody will read it)
//!        withdraw (the closure is dropped, then complete with the reason)
//! ```
//!
//! `begin` and `withdraw` both leave Pending under the lock, so exactly one of them gets the closure: a job runs or is
//! withdrawn, never both, never twice. `begin` belongs to the thread that took the job from the queue; `withdraw` to
//! cancellation, to an abandoned handle and to a pool that is shut down.
//!
//! Races:
//! 1. cancel against start: one of the two finds Pending; the other sees that and does nothing. A cancel that comes second
//!    only raises the flag that the closure can ask for.
//! 2. completion against registration of a waiter: both under the lock. If the waiter came first, completion takes it and
//!    calls it; if completion came first, the waiter finds Finished and does not wait.
//! 3. completion against the handle's drop: if the drop came first, completion finds the reader gone and drops the result
//!    on its own thread; else the drop finds Finished and drops it on the reader's.
//!
//! Wakers are foreign code and so are closures and results: all are cloned, called and dropped after the lock is
//! released. A lock of its own per job is never contended in practice and costs less than the wake-up it stands beside.

use crate::clock::Deadline;
use crate::error::{OffloadError, PanicPayload};
use crate::options::Description;
use crate::running;
use core::fmt;
use core::mem;
use core::task::{Poll, Waker};
use weftwork_sync::primitive::{Mutex, MutexGuard, ParkResult, Parker, Shared, contain};

/// A closure that waits to be run.
pub(crate) type Work<T> = Box<dyn FnOnce() -> T + Send>;

enum Stage<T> {
    Pending(Work<T>),
    Running,
    Finished(Result<T, OffloadError>),
    Taken,
}

enum Waiter {
    Task(Waker),
    Thread(Shared<Parker>),
}

struct Slot<T> {
    stage: Stage<T>,
    waiter: Option<Waiter>,
    reader_gone: bool,
}

pub(crate) struct JobCell<T> {
    description: Description,
    slot: Mutex<Slot<T>>,
}

/// What can be seen of a job from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Pending,
    Running,
    Finished,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Finished => "finished",
        })
    }
}

impl<T> JobCell<T> {
    pub(crate) fn new(description: Description, work: Work<T>) -> Self {
        let slot = Slot { stage: Stage::Pending(work), waiter: None, reader_gone: false };
        Self { description, slot: Mutex::new(slot) }
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    pub(crate) fn progress(&self) -> Progress {
        match self.slot.lock().stage {
            Stage::Pending(_) => Progress::Pending,
            Stage::Running => Progress::Running,
            Stage::Finished(_) | Stage::Taken => Progress::Finished,
        }
    }

    /// Runs the job in the calling thread, unless it was withdrawn. Panics end here.
    pub(crate) fn run(&self) {
        let Some(work) = self.leave_pending() else { return };
        let outcome = running::during(&self.description, || contain(work));
        self.complete(outcome.map_err(|panic| OffloadError::Panicked(PanicPayload::new(panic))));
    }

    /// Drops the closure of a job that has not begun and gives `reason` as its result; `false` if it has begun.
    pub(crate) fn withdraw(&self, reason: OffloadError) -> bool {
        let Some(work) = self.leave_pending() else { return false };
        // What the closure captured is foreign code; a panic in its destructor becomes the result rather than vanish.
        self.complete(match contain(|| drop(work)) {
            Ok(()) => Err(reason),
            Err(panic) => Err(OffloadError::Panicked(PanicPayload::new(panic))),
        });
        true
    }

    /// Gives a job that was dropped unrun a better reason than that, before anybody has read it.
    pub(crate) fn restate(&self, reason: OffloadError) {
        let mut slot = self.slot.lock();
        if let Stage::Finished(outcome @ Err(OffloadError::ShutDown)) = &mut slot.stage {
            *outcome = Err(reason);
        }
    }

    /// The only way out of Pending: whoever gets the closure owes a call of `complete`.
    fn leave_pending(&self) -> Option<Work<T>> {
        let mut slot = self.slot.lock();
        if !matches!(slot.stage, Stage::Pending(_)) {
            return None;
        }
        match mem::replace(&mut slot.stage, Stage::Running) {
            Stage::Pending(work) => Some(work),
            _ => None,
        }
    }

    fn complete(&self, outcome: Result<T, OffloadError>) {
        let mut slot = self.slot.lock();
        if slot.reader_gone {
            // Race 3.
            slot.stage = Stage::Taken;
            drop(slot);
            bury(outcome);
            return;
        }
        slot.stage = Stage::Finished(outcome);
        // Race 2.
        let waiter = slot.waiter.take();
        drop(slot);
        match waiter {
            None => {}
            Some(Waiter::Thread(parker)) => {
                parker.unpark();
            }
            Some(Waiter::Task(waker)) => bury(contain(|| waker.wake())),
        }
    }

    /// The result, once; until then `waker` is called when it is there.
    ///
    /// # Panics
    /// If the result was taken before.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Result<T, OffloadError>> {
        let slot = match Slot::take(self.slot.lock()) {
            Ok(outcome) => return Poll::Ready(outcome),
            Err(slot) => slot,
        };
        if matches!(&slot.waiter, Some(Waiter::Task(known)) if known.will_wake(waker)) {
            return Poll::Pending;
        }
        drop(slot);
        let mine = Waiter::Task(waker.clone());
        // Race 2: it may have finished while the waker was cloned.
        let mut slot = match Slot::take(self.slot.lock()) {
            Ok(outcome) => return Poll::Ready(outcome),
            Err(slot) => slot,
        };
        let before = slot.waiter.replace(mine);
        drop(slot);
        drop(before);
        Poll::Pending
    }

    /// Blocks the calling thread until there is a result or `deadline` has passed (then `None`).
    ///
    /// # Panics
    /// If the result was taken before.
    pub(crate) fn wait(&self, deadline: Deadline) -> Option<Result<T, OffloadError>> {
        let parker = {
            let mut slot = match Slot::take(self.slot.lock()) {
                Ok(outcome) => return Some(outcome),
                Err(slot) => slot,
            };
            let parker = Shared::new(Parker::new());
            let before = slot.waiter.replace(Waiter::Thread(parker.clone()));
            drop(slot);
            drop(before);
            parker
        };
        loop {
            let parked = parker.park_for(deadline.left());
            let mut slot = match Slot::take(self.slot.lock()) {
                Ok(outcome) => return Some(outcome),
                Err(slot) => slot,
            };
            if parked == ParkResult::TimedOut {
                slot.waiter = None;
                return None;
            }
        }
    }

    /// The handle goes away. What it leaves unread is dropped here if it is there already, else by whoever completes.
    pub(crate) fn leave_unread(&self) {
        let mut slot = self.slot.lock();
        slot.reader_gone = true;
        let waiter = slot.waiter.take();
        let unread = match slot.stage {
            Stage::Finished(_) => Some(mem::replace(&mut slot.stage, Stage::Taken)),
            _ => None,
        };
        drop(slot);
        drop(waiter);
        bury(unread);
    }
}

impl<T> Slot<T> {
    /// The result, or the lock back while there is none.
    ///
    /// # Panics
    /// If it was taken before; by then the lock is free, because a panic hook is foreign code.
    fn take(mut this: MutexGuard<'_, Self>) -> Result<Result<T, OffloadError>, MutexGuard<'_, Self>> {
        match mem::replace(&mut this.stage, Stage::Taken) {
            Stage::Finished(outcome) => Ok(outcome),
            Stage::Taken => {
                drop(this);
                panic!("a BlockingHandle was polled after it gave its result; poll it once, or fuse it")
            }
            waiting => {
                this.stage = waiting;
                Err(this)
            }
        }
    }
}

/// Drops a foreign value where a panic would have nobody to go to. The payload of such a panic is foreign too; if its
/// destructor panics as well, that second payload is leaked rather than dropped.
pub(crate) fn bury<V>(value: V) {
    if let Err(panic) = contain(|| drop(value))
        && let Err(again) = contain(|| drop(panic))
    {
        mem::forget(again);
    }
}
