//! What a shutdown that ran out of time leaves behind, by name.

use crate::running::JobInfo;
use core::fmt;
use std::error::Error;

/// The jobs that a pool still has to finish although the time given to its shutdown is over.
///
/// They go on; their threads leave when they end. Counterpart: the warning of asyncio's `shutdown_default_executor`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StillRunning {
    pub(crate) jobs: Vec<JobInfo>,
}

impl StillRunning {
    /// The jobs, in no particular order. Empty if every job has ended and only threads are still on their way out.
    pub fn jobs(&self) -> &[JobInfo] {
        &self.jobs
    }
}

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.jobs.len() {
            0 => return f.write_str("threads of the blocking pool are still on their way out"),
            1 => f.write_str("1 blocking job is still running: ")?,
            n => write!(f, "{n} blocking jobs are still running: ")?,
        }
        for (i, job) in self.jobs.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{job}")?;
        }
        f.write_str("; let long jobs ask is_cancelled(), or submit them as ShutdownPolicy::Abandon")
    }
}

impl Error for StillRunning {}
