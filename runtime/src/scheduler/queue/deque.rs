//! The production queues, on `crossbeam_deque`.

use crate::task::Runnable;
use crossbeam_deque::{Steal, Stealer, Worker};
use crossbeam_utils::Backoff;

/// The most that the shared queue holds: crossbeam starts with a buffer of 64 and keeps it up to here.
pub(crate) const SHARED_CAPACITY: usize = 63;

/// The end that the worker pushes to and pops from.
#[derive(Debug)]
pub struct Owner(Worker<Runnable>);

/// The end that others steal from.
#[derive(Debug)]
pub struct Thief(Stealer<Runnable>);

/// The queue of tasks that come from outside of the workers.
#[derive(Debug)]
pub struct Injector(crossbeam_deque::Injector<Runnable>);

/// A first-in first-out queue with its two ends.
pub(crate) fn shared() -> (Owner, Thief) {
    let worker = Worker::new_fifo();
    let stealer = worker.stealer();
    (Owner(worker), Thief(stealer))
}

impl Owner {
    #[inline]
    pub(crate) fn push(&mut self, task: Runnable) {
        self.0.push(task);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Runnable> {
        self.0.pop()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Thief {
    /// Whether there seems to be nothing to steal.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Moves up to half, and `limit` at most, to `to`, but for one that is handed out.
    pub(crate) fn steal_into(&self, to: &mut Owner, limit: usize) -> Option<Runnable> {
        until_settled(|| self.0.steal_batch_with_limit_and_pop(&to.0, limit))
    }
}

impl Injector {
    pub(crate) fn new() -> Self {
        Self(crossbeam_deque::Injector::new())
    }

    pub(crate) fn push(&self, task: Runnable) {
        self.0.push(task);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The oldest task.
    pub(crate) fn pop(&self) -> Option<Runnable> {
        until_settled(|| self.0.steal())
    }

    /// Moves up to `limit` to `to`, but for one that is handed out.
    pub(crate) fn steal_into(&self, to: &mut Owner, limit: usize) -> Option<Runnable> {
        until_settled(|| self.0.steal_batch_with_limit_and_pop(&to.0, limit))
    }
}

/// crossbeam says Retry when it lost a race; somebody else then won it, so this ends.
fn until_settled(mut steal: impl FnMut() -> Steal<Runnable>) -> Option<Runnable> {
    let backoff = Backoff::new();
    loop {
        match steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => backoff.snooze(),
        }
    }
}
