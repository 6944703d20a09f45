//! An elastic thread pool for blocking work, usable from any executor and from plain threads.
#![warn(missing_debug_implementations)]

mod builder;
mod cell;
#[cfg(not(weftwork_loom))]
mod clock;
#[cfg(weftwork_loom)]
#[path = "clock_loom.rs"]
mod clock;
mod error;
mod executor;
mod handle;
mod job;
mod metrics;
mod options;
mod pool;
mod roster;
mod running;
mod shutdown;
mod worker;

pub use builder::{Builder, Growth};
pub use error::{Cancelled, OffloadError, PanicPayload, SpawnError};
pub use executor::{BlockingExecutor, run_on, run_on_with};
pub use handle::BlockingHandle;
pub use job::Job;
pub use metrics::PoolMetrics;
pub use options::{JobOptions, ShutdownPolicy};
pub use pool::ThreadPool;
pub use running::{JobInfo, check_cancelled, current_job, is_cancelled};
pub use shutdown::StillRunning;
