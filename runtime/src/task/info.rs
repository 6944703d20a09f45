//! What is told of a task: to whoever lists those of a group, and when a shutdown leaves some behind.

use super::TaskId;
use super::cell::{self, Header};
use core::fmt;
use core::panic::Location;
use core::ptr::NonNull;

/// What is known of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its identifier.
    pub id: TaskId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
}

impl TaskInfo {
    /// # Safety
    /// The task is alive for as long as this is called.
    pub(crate) unsafe fn of(task: NonNull<Header>) -> Self {
        // SAFETY: as the caller promises.
        let (spec, name) = unsafe { (task.as_ref().spec, cell::name(task)) };
        Self { id: spec.id, name: name.map(str::to_owned), spawned_at: spec.location }
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, " spawned at {}", self.spawned_at)
    }
}
