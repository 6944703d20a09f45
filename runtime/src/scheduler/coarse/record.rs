//! What the execution that runs now has done so far: what is told if it fails.
//!
//! It stands outside of the model, so that writing it down is no operation that would be searched, and so that it is there when the
//! execution is not. One thread of the system runs an execution, so nobody ever waits for its lock.
#![allow(clippy::disallowed_types, reason = "it stands outside of the model")]

use super::seat::Place;
use crate::task::cell::{self, Header};
use crate::task::{Runnable, TaskId};
use core::fmt;
use core::panic::Location;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Steps that are kept of one execution, the first ones.
const KEPT: usize = 10_000;

/// The steps of one execution, and how many there were of everything.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Steps>>);

#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    tasks: Vec<Known>,
    most_tasks: usize,
    executions: u64,
}

/// A task, by the number of its appearance.
struct Known {
    id: TaskId,
    name: Option<String>,
    at: &'static Location<'static>,
}

enum Step {
    Polls(Place, usize),
    Leaves(Place, usize),
    Jumps(u64),
    Calls(Place),
    Returns(Place),
    Over,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another execution begins.
    pub(crate) fn begin(&self) {
        let mut now = self.lock();
        now.steps.clear();
        now.tasks.clear();
        now.executions += 1;
    }

    /// Executions that have begun.
    pub(crate) fn executions(&self) -> u64 {
        self.lock().executions
    }

    /// The most tasks that one of them had, the body among them.
    pub(crate) fn most_tasks(&self) -> usize {
        self.lock().most_tasks
    }

    fn step(&self, step: Step) {
        let mut now = self.lock();
        if now.steps.len() < KEPT {
            now.steps.push(step);
        }
    }

    /// A worker begins to poll; the answer is what [`leaves`](Self::leaves) asks for.
    pub(super) fn polls(&self, place: Place, task: &Runnable) -> usize {
        let header: &Header = task.header();
        let mut now = self.lock();
        let known = now.tasks.iter().position(|known| known.id == header.spec.id);
        let number = known.unwrap_or_else(|| {
            // SAFETY: the task is incomplete and so alive while its Runnable exists.
            let name = unsafe { cell::name(task.as_ptr()) }.map(str::to_owned);
            now.tasks.push(Known { id: header.spec.id, name, at: header.spec.location });
            now.most_tasks = now.most_tasks.max(now.tasks.len());
            now.tasks.len() - 1
        });
        drop(now);
        self.step(Step::Polls(place, number));
        number
    }

    /// The poll is over.
    pub(super) fn leaves(&self, place: Place, task: usize) {
        self.step(Step::Leaves(place, task));
    }

    /// The time moves.
    pub(super) fn jumps(&self, nanos: u64) {
        self.step(Step::Jumps(nanos));
    }

    /// A closure begins or ends on a thread for closures that block.
    pub(super) fn calls(&self, place: Place, begins: bool) {
        self.step(if begins { Step::Calls(place) } else { Step::Returns(place) });
    }

    /// The body has ended; what is left is cancelled.
    pub(super) fn over(&self) {
        self.step(Step::Over);
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.lock();
        let named = |number: usize| Named(number, &now.tasks[number]);
        for step in &now.steps {
            match step {
                Step::Polls(place, task) => writeln!(f, "  {place} polls {}", named(*task))?,
                Step::Leaves(place, task) => writeln!(f, "  {place} leaves task {task}")?,
                Step::Jumps(nanos) => writeln!(f, "  the time is {:?}", Duration::from_nanos(*nanos))?,
                Step::Calls(place) => writeln!(f, "  {place} begins a closure")?,
                Step::Returns(place) => writeln!(f, "  {place} has ended it")?,
                Step::Over => writeln!(f, "  the body has ended, what is left is cancelled")?,
            }
        }
        if now.steps.len() == KEPT { writeln!(f, "  and so on") } else { Ok(()) }
    }
}

struct Named<'a>(usize, &'a Known);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.0)?;
        if let Some(name) = &self.1.name {
            write!(f, " {name:?}")?;
        }
        write!(f, ", spawned at {}", self.1.at)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("executions", &self.executions()).finish_non_exhaustive()
    }
}
