//! What is told of a task: to whoever lists those of a group or a runtime, to hooks, and when a shutdown leaves some behind.

use super::TaskId;
use super::cell::{self, Header};
use super::watched::Watched;
use crate::context;
use crate::scope::frame;
use crate::scope::root::Root;
use core::fmt;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;
use weftwork_sync::coop::Wait;

/// What is known of a task, as it was when somebody looked.
///
/// What a task waits for, who spawned it and how long it was busy are known in the debug mode of its runtime only
/// ([`runtime::Builder::debug`](crate::runtime::Builder::debug)).
///
/// `Display` gives a line: `task 7 "fetch" waits for a timer, spawned at src/main.rs:10:5`. asyncio's counterparts are the `repr` of a
/// `Task` and its `get_name` and `get_stack`; tokio's is `TaskMeta`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its identifier.
    pub id: TaskId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// What it does.
    pub state: TaskState,
    /// How often it was polled.
    pub polls: u32,
    /// The task that spawned it; in debug mode, and if it was a task.
    pub spawned_by: Option<TaskId>,
    /// What it waited for when it was polled last: the leaf of this library that was polled last; in debug mode.
    pub waits_for: Option<Wait>,
    /// How long its polls took, all in all; in debug mode.
    pub busy: Option<Duration>,
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// A thread is inside of its poll.
    Running,
    /// It will be polled when its turn comes.
    Ready,
    /// It waits until somebody wakes it.
    Waiting,
    /// It was cancelled, and has not ended yet.
    Cancelling,
    /// It has ended.
    Finished,
}

/// The task that the calling code is part of; `None` outside of tasks.
///
/// asyncio's counterpart is `asyncio.current_task`, tokio's is `tokio::task::try_id`.
///
/// ```
/// weftwork::run(async {
///     let name = async { weftwork::task::current().unwrap().name };
///     let task = weftwork::task::Builder::new().name("fetch").spawn(name).unwrap();
///     assert_eq!(task.await.unwrap().as_deref(), Some("fetch"));
/// });
/// assert!(weftwork::task::current().is_none());
/// ```
#[doc(alias("current_task", "try_id"))]
pub fn current() -> Option<TaskInfo> {
    // SAFETY: the thread is inside of it.
    frame::task().map(|task| unsafe { TaskInfo::of(task.into()) })
}

impl TaskInfo {
    /// # Safety
    /// The task is alive for as long as this is called.
    pub(crate) unsafe fn of(task: NonNull<Header>) -> Self {
        // SAFETY: as the caller promises.
        let (header, name) = unsafe { (task.as_ref(), cell::name(task)) };
        let spec = &header.spec;
        let watched = header.root_if_any().and_then(Root::watched);
        let measured = watched.filter(|watched| watched.measured);
        Self {
            id: spec.id,
            name: name.map(str::to_owned),
            spawned_at: spec.location,
            state: state(header),
            polls: header.polls.get(),
            spawned_by: watched.and_then(|watched| watched.spawned_by),
            waits_for: measured.and_then(Watched::wait),
            busy: measured.map(Watched::busy),
        }
    }

    /// A thread was seen to be inside of it.
    pub(crate) fn runs(&mut self) {
        if self.state == TaskState::Ready {
            self.state = TaskState::Running;
        }
    }
}

fn state(header: &Header) -> TaskState {
    let state = &header.state;
    if state.is_complete() {
        TaskState::Finished
    } else if state.is_cancelled() {
        TaskState::Cancelling
    } else if context::current_task() == Some(header.spec.id) {
        TaskState::Running
    } else if state.is_held() {
        TaskState::Ready
    } else {
        TaskState::Waiting
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        match (self.state, self.waits_for) {
            (TaskState::Running, _) => f.write_str(" is running")?,
            (TaskState::Ready, _) => f.write_str(" is ready")?,
            (TaskState::Waiting, Some(wait)) => write!(f, " waits for {wait}")?,
            (TaskState::Waiting, None) => f.write_str(" waits")?,
            (TaskState::Cancelling, Some(wait)) => write!(f, " is being cancelled, waits for {wait}")?,
            (TaskState::Cancelling, None) => f.write_str(" is being cancelled")?,
            (TaskState::Finished, _) => f.write_str(" has ended")?,
        }
        write!(f, ", spawned at {}", self.spawned_at)?;
        if let Some(busy) = self.busy {
            write!(f, ", {} polls took {busy:?}", self.polls)?;
        }
        Ok(())
    }
}
