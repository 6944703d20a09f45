//! How a group failed.

use crate::task::{CancelCause, Panic, TaskId};
use core::fmt;
use core::panic::Location;
use weftwork_sync::primitive::Panic as Payload;

/// Something in a group went wrong.
pub(crate) struct Failure<E> {
    pub(super) task: TaskId,
    pub(super) at: &'static Location<'static>,
    pub(super) what: What<E>,
}

pub(crate) enum What<E> {
    Error(E),
    Panic(Payload),
}

/// An error of one child of a group, or of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildError<E> {
    /// What it returned.
    pub error: E,
    /// Which task: the child, or for the body the one that hosts the group.
    pub task: TaskId,
    /// Where the child was spawned, or the group begun.
    pub at: &'static Location<'static>,
}

/// Why a `try_group` gave no value.
///
/// asyncio's counterpart is the `ExceptionGroup` that `TaskGroup` raises.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupError<E> {
    /// Children, or the body, returned errors: at least one, in the order of spawning, the body's last.
    Failed(Vec<ChildError<E>>),
    /// The group was cancelled before its body had a value.
    Cancelled(CancelCause),
}

impl<E> GroupError<E> {
    /// The error, if there is exactly one.
    ///
    /// # Errors
    /// Gives itself back if there are more, or none.
    pub fn single(self) -> Result<E, Self> {
        match self {
            Self::Failed(mut errors) if errors.len() == 1 => {
                errors.pop().map(|child| child.error).ok_or(Self::Failed(errors))
            }
            other => Err(other),
        }
    }

    /// The first error in the order of spawning, if there is any.
    pub fn first(&self) -> Option<&E> {
        self.iter().next()
    }

    /// All errors, in the order of spawning.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        match self {
            Self::Failed(errors) => errors.iter(),
            Self::Cancelled(_) => [].iter(),
        }
        .map(|child| &child.error)
    }

    /// Those errors for which `is` holds, and the rest: each is empty or has at least one. asyncio's counterpart is
    /// `ExceptionGroup.split`.
    pub fn split(self, mut is: impl FnMut(&E) -> bool) -> (Option<Self>, Option<Self>) {
        match self {
            Self::Failed(errors) => {
                let (yes, no): (Vec<_>, Vec<_>) = errors.into_iter().partition(|child| is(&child.error));
                let some = |errors: Vec<_>| (!errors.is_empty()).then_some(Self::Failed(errors));
                (some(yes), some(no))
            }
            other => (None, Some(other)),
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(cause) => write!(f, "the group was {cause}"),
            Self::Failed(errors) => {
                let tasks = if errors.len() == 1 { "task" } else { "tasks" };
                write!(f, "{} {tasks} of the group failed", errors.len())?;
                for child in errors {
                    // An error that is a group's itself goes on below, one step further in.
                    let text = child.error.to_string().replace('\n', "\n  ");
                    write!(f, "\n- task {} ({}): {text}", child.task, child.at)?;
                }
                Ok(())
            }
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.first().map(|error| error as _)
    }
}

/// The group has ended, or takes no more children because it is being drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed(pub(super) ());

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group has ended or is being drained: spawn from its body or its children while those run")
    }
}

impl std::error::Error for Closed {}

/// Why a child was not [started](super::TryTaskGroup::start).
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError<E> {
    /// It returned this error before it was ready. The group does not have it.
    Failed(E),
    /// It panicked before it was ready. The group does not have that.
    Panicked(Panic),
    /// It ended, and had not said that it was ready.
    NotStarted,
    /// It was cancelled before it was ready.
    Cancelled(CancelCause),
    /// The group has ended, or takes no more children because it is being drained.
    Closed,
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the child failed before it was ready: {error}"),
            Self::Panicked(panic) => {
                write!(f, "the child panicked before it was ready: {}", panic.message().unwrap_or("no text"))
            }
            Self::NotStarted => f.write_str("the child ended without a word that it was ready: call Started::set"),
            Self::Cancelled(cause) => write!(f, "the child was {cause} before it was ready"),
            Self::Closed => Closed(()).fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for StartError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Failed(error) = self { Some(error) } else { None }
    }
}
