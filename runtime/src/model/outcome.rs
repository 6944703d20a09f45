//! What came of a search.

use core::fmt;
use core::time::Duration;

/// A search that found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    pub(super) executions: u64,
    pub(super) tasks: usize,
    pub(super) complete: bool,
    pub(super) took: Duration,
}

impl Report {
    /// How many executions there were.
    pub fn executions(&self) -> u64 {
        self.executions
    }

    /// The most tasks that one of them had, the body among them; in a plain build, which does not count them, 0.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// Whether every order within the bound was visited: under loom, unless the time was up first. Drawn orders are never all of them.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, tasks, complete, took } = self;
        let all = if *complete { "every order within the bound" } else { "not every order" };
        write!(f, "{executions} executions of {tasks} tasks in {took:.1?}, {all}")
    }
}

/// An order that fails.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    pub(super) message: String,
    pub(super) execution: u64,
    pub(super) steps: String,
    pub(super) again: Option<String>,
}

impl Failure {
    /// What failed: the text of the panic.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Which execution it was, counted from 1.
    pub fn execution(&self) -> u64 {
        self.execution
    }

    /// The steps that led there, one a line: which worker polled which task, when the time moved, what ran beside it.
    pub fn steps(&self) -> &str {
        &self.steps
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model fails in execution {}: {}", self.execution, self.message)?;
        if !self.steps.is_empty() {
            write!(f, "\nwhat led there:\n{}", self.steps.trim_end())?;
        }
        if let Some(again) = &self.again {
            write!(f, "\n{again}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// What a panic says.
pub(super) fn text(payload: &(dyn core::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".into())
}
