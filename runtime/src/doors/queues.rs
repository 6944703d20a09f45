//! The shared queue's two ends, and the injector.

use super::tasks::Ready;
use crate::scheduler::queue::{self, Injector, Owner, SHARED_CAPACITY, Thief};

/// The owner's end of a shared queue.
pub struct Here(Owner);

/// The thieves' end.
pub struct There(Thief);

/// The queue of what comes from outside.
pub struct Inbox(Injector);

/// How many tasks a shared queue holds.
pub const CAPACITY: usize = SHARED_CAPACITY;

/// A shared queue.
pub fn pair() -> (Here, There) {
    let (owner, thief) = queue::shared();
    (Here(owner), There(thief))
}

impl Here {
    /// Puts a task behind the others.
    pub fn push(&mut self, task: Ready) {
        self.0.push(task.0);
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Ready> {
        self.0.pop().map(Ready)
    }

    /// How many there are, thieves aside.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl There {
    /// Steals up to half into `to`, and hands one out.
    pub fn steal_into(&self, to: &mut Here, limit: usize) -> Option<Ready> {
        self.0.steal_into(&mut to.0, limit).map(Ready)
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Inbox {
    /// An empty one.
    pub fn new() -> Self {
        Self(Injector::new())
    }

    /// Puts a task behind the others.
    pub fn push(&self, task: Ready) {
        self.0.push(task.0);
    }

    /// Takes the oldest.
    pub fn pop(&self) -> Option<Ready> {
        self.0.pop().map(Ready)
    }

    /// Moves some into `to`, and hands one out.
    pub fn steal_into(&self, to: &mut Here, limit: usize) -> Option<Ready> {
        self.0.steal_into(&mut to.0, limit).map(Ready)
    }
}
