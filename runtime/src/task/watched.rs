//! What is noted of a task that is watched: in the debug mode of its runtime, or where a hook wants to know of its end.

use super::TaskId;
use core::time::Duration;
use weftwork_sync::coop::Wait;
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::unmodelled::Counter;

/// Made by the spawner; written by the thread inside of the task, read by anybody.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The task that spawned it.
    pub(crate) spawned_by: Option<TaskId>,
    /// Polls are measured.
    pub(crate) measured: bool,
    busy_ns: Counter,
    waits: Mutex<Option<Wait>>,
}

impl Watched {
    pub(crate) fn new(spawned_by: Option<TaskId>, measured: bool) -> Self {
        Self { spawned_by, measured, busy_ns: Counter::new(0), waits: Mutex::new(None) }
    }

    /// A poll took that long, in nanoseconds.
    pub(super) fn took(&self, ns: u64) {
        self.busy_ns.bump_by(ns);
    }

    pub(super) fn waits_for(&self, wait: Option<Wait>) {
        *self.waits.lock() = wait;
    }

    /// How long its polls took, all in all.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.get())
    }

    /// What the leaf waits for that its last poll polled last.
    pub(crate) fn wait(&self) -> Option<Wait> {
        *self.waits.lock()
    }
}
