//! How a run ends that has no value, and what Ctrl-C has to do with that.

use super::BuildError;
use crate::task::{CancelCause, CancelKind, JoinError};
use core::fmt;
use std::io;

/// What the first Ctrl-C (`SIGINT`) does to a run.
///
/// Whatever is said here: a program that asks for Ctrl-C itself, by `signal::ctrl_c` or a listener for `SIGINT`, has it to
/// itself from then on, and a handler of somebody else's that was there before the run is left alone, as is a signal that is ignored.
///
/// There is no policy on systems other than Unix, and without the feature `signal`.
///
/// asyncio's `Runner` does what [`CancelMain`](Self::CancelMain) does; tokio has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnCtrlC {
    /// The main future is cancelled with the cause `Interrupt`, and everything cleans up; a second one, or one that comes while the rest
    /// is cleaning up, ends the process with 130 at once, also where every worker is blocked. When the run is over, Ctrl-C does what it
    /// did before.
    CancelMain,
    /// What the system does: the process ends, and nothing cleans up.
    #[default]
    LeaveAlone,
}

/// Why a run gave no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The runtime could not be built.
    Build(BuildError),
    /// Ctrl-C cancelled the main future; everything has cleaned up.
    Interrupted,
    /// Something else cancelled the main future: a handle to its own scope.
    Cancelled(CancelCause),
}

impl RunError {
    /// # Panics
    /// If the main future did.
    pub(super) fn of_main(error: JoinError) -> Self {
        match error {
            JoinError::Cancelled(cause) if cause.kind == CancelKind::Interrupt => Self::Interrupted,
            JoinError::Cancelled(cause) => Self::Cancelled(cause),
            JoinError::Panicked(panic) => panic.resume(),
            failed @ JoinError::Failed(_) => panic!("the main future did not finish: {failed}"),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => write!(f, "{error}"),
            Self::Interrupted => f.write_str("interrupted by Ctrl-C"),
            Self::Cancelled(cause) => write!(f, "the main future was {cause}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => error.source(),
            Self::Interrupted | Self::Cancelled(_) => None,
        }
    }
}

impl From<BuildError> for RunError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<RunError> for io::Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Build(error) => error.into(),
            RunError::Interrupted => Self::new(io::ErrorKind::Interrupted, error),
            RunError::Cancelled(_) => Self::other(error),
        }
    }
}
