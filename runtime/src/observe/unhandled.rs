//! What ended badly and nobody will read.

use crate::observe::events;
use crate::task::{Header, Panic, TaskId, TaskInfo, error::payload_text};
use core::fmt;
use core::panic::Location;
use weftwork_sync::primitive::{Panic as Payload, contain};

/// Something that ended badly and that nobody will read.
///
/// Handed to the hook set with `runtime::Builder::on_unhandled`; without a hook it is a line on stderr, or under the feature
/// `tracing` an event for the subscriber, if one is set. asyncio's counterpart is the context of
/// `loop.call_exception_handler`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unhandled<'a> {
    /// What happened.
    pub kind: UnhandledKind,
    /// The text of the panic, where there is one.
    pub message: Option<&'a str>,
    /// The task, where there is one.
    pub task: Option<TaskId>,
    /// The task's name, where it has one.
    pub name: Option<&'a str>,
    /// Where the task was spawned.
    pub spawned_at: Option<&'static Location<'static>>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledKind {
    /// A task panicked, and its handle is gone.
    TaskPanicked,
    /// A task that concerns nobody else returned an error.
    TaskFailed,
    /// The output of a task panicked when it was dropped.
    OutputDropPanicked,
    /// A waker panicked.
    WakerPanicked,
    /// A closure given to `to_thread` or `run_in_executor` panicked, and its caller is gone.
    BlockingPanicked,
    /// The result of a closure given to `to_thread` panicked when it was dropped unread.
    BlockingResultDropPanicked,
    /// A hook of the runtime panicked.
    HookPanicked,
    /// A poll lasts longer than the bound: the worker inside it is blocked.
    SlowPoll,
    /// Shutdown had to leave a task behind, because a thread is still inside it.
    LeftBehind,
    /// A task had not ended when the grace of its runtime's end was over, and was dropped where it waited.
    CutOff,
    /// A worker panicked outside of every task: a bug in weftwork.
    WorkerPanicked,
    /// A shield, or a clean-up, was dropped before its end: its surroundings were cancelled, and it outlasted the grace of
    /// `CancelScope::cancel_soft`, or nobody polled it any more. The message has its place.
    ShieldPierced,
    /// In debug mode: a task, or a call of `to_thread`, was dropped before it ever ran. The message says why, or what.
    DroppedUnpolled,
    /// In debug mode: something was not closed before it was dropped, or before its runtime ended. The message says what.
    NotClosed,
    /// No spare worker could be started although workers are blocked.
    NoSpare,
    /// The reactor cannot wait for events any more.
    ReactorFailed,
    /// The process forked, and this is the child: the runtime's threads do not exist here.
    Forked,
}

/// The hook that reports go to.
pub(crate) type Hook = dyn Fn(&Unhandled<'_>) + Send + Sync;

/// A task and what it is called.
type Which<'a> = (&'a Header, Option<&'a str>);

impl<'a> Unhandled<'a> {
    fn of(kind: UnhandledKind, (task, name): Which<'a>, message: Option<&'a str>) -> Self {
        Self { kind, message, task: Some(task.spec.id), name, spawned_at: Some(task.spec.location) }
    }

    pub(crate) fn of_task(kind: UnhandledKind, task: &'a TaskInfo, message: Option<&'a str>) -> Self {
        Self {
            task: Some(task.id),
            name: task.name.as_deref(),
            spawned_at: Some(task.spawned_at),
            ..Self::elsewhere(kind, message)
        }
    }

    pub(crate) fn task_panicked(task: Which<'a>, panic: &'a Panic) -> Self {
        Self::of(UnhandledKind::TaskPanicked, task, panic.message())
    }

    pub(crate) fn task_failed(task: Which<'a>, error: &'a str) -> Self {
        Self::of(UnhandledKind::TaskFailed, task, Some(error))
    }

    pub(crate) fn drop_panicked(task: Which<'a>, payload: &'a Payload) -> Self {
        Self::of(UnhandledKind::OutputDropPanicked, task, payload_text(payload))
    }

    pub(crate) fn waker_panicked(task: Which<'a>, payload: &'a Payload) -> Self {
        Self::of(UnhandledKind::WakerPanicked, task, payload_text(payload))
    }

    pub(crate) fn dropped_unpolled(task: Which<'a>, why: &'a str) -> Self {
        Self::of(UnhandledKind::DroppedUnpolled, task, Some(why))
    }

    /// Something that concerns no one task.
    pub(crate) fn elsewhere(kind: UnhandledKind, message: Option<&'a str>) -> Self {
        Self { kind, message, task: None, name: None, spawned_at: None }
    }

    /// Tells the hook; without one, or if it panics, the subscriber of `tracing`; without that, stderr.
    pub(crate) fn report(&self, hook: Option<&Hook>) {
        let told = hook.map(|hook| contain(|| hook(self)));
        if !matches!(told, Some(Ok(()))) {
            self.log();
        }
        if let Some(Err(payload)) = told {
            Unhandled::elsewhere(UnhandledKind::HookPanicked, payload_text(&payload)).log();
            crate::task::cell::drop_payload(payload);
        }
    }

    fn log(&self) {
        if !events::unhandled(self) {
            events::stderr(format_args!("{self}"));
        }
    }

    /// What happened, without the one to whom it did.
    pub(crate) fn predicate(&self) -> &'static str {
        match self.kind {
            UnhandledKind::TaskPanicked => "panicked, and nobody holds its handle",
            UnhandledKind::TaskFailed => "returned an error that nobody waits for",
            UnhandledKind::OutputDropPanicked => "had an output that panicked when it was dropped",
            UnhandledKind::WakerPanicked if self.task.is_some() => "woke a waker that panicked",
            UnhandledKind::WakerPanicked => "a waker, or a destructor, panicked outside of every task",
            UnhandledKind::BlockingPanicked => "panicked in to_thread, and its caller is gone",
            UnhandledKind::BlockingResultDropPanicked => "had a result that panicked when it was dropped unread",
            UnhandledKind::HookPanicked => "a hook of the runtime panicked",
            UnhandledKind::SlowPoll => "has blocked its worker: move blocking work to to_thread, or await in between",
            UnhandledKind::LeftBehind => "was left behind by shutdown",
            UnhandledKind::CutOff => {
                "had not cleaned up when the grace of shutdown was over, and was dropped where it waited; \
                 Builder::shutdown_grace sets a longer one"
            }
            UnhandledKind::WorkerPanicked => {
                "a worker panicked outside of every task, which is a bug in weftwork; it goes on"
            }
            UnhandledKind::ShieldPierced if self.task.is_some() => "had a shield dropped before its end",
            UnhandledKind::ShieldPierced => "a shield was dropped before its end",
            UnhandledKind::DroppedUnpolled if self.task.is_some() => "was dropped before it ever ran",
            UnhandledKind::DroppedUnpolled => "was dropped before it was ever awaited, and so never began",
            UnhandledKind::NotClosed if self.task.is_some() => "dropped a resource that was not closed",
            UnhandledKind::NotClosed => "a resource was not closed",
            UnhandledKind::NoSpare => "no spare worker could be started",
            UnhandledKind::ReactorFailed => "the reactor cannot wait for events, sockets will not make progress",
            UnhandledKind::Forked => "the process forked: use the runtime only in the parent",
        }
    }
}

impl fmt::Display for Unhandled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.task {
            write!(f, "task {id}")?;
            if let Some(name) = self.name {
                write!(f, " {name:?}")?;
            }
            if let Some(at) = self.spawned_at {
                write!(f, " (spawned at {at})")?;
            }
            f.write_str(" ")?;
        } else if let Some(name) = self.name {
            write!(f, "{name} ")?;
        }
        f.write_str(self.predicate())?;
        if let Some(message) = self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}
