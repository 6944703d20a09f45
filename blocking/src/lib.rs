//! An elastic thread pool for blocking work, usable from any executor and from plain threads.
//!
//! An async task must not block: while it does, everything else on its thread stands still. Work that blocks (files, name
//! lookups, C libraries, long computations) is given to a [`ThreadPool`] instead, and its [`BlockingHandle`] is awaited:
//!
//! ```
//! use weftwork_blocking::ThreadPool;
//!
//! let pool = ThreadPool::new(8);
//! let sum = async {
//!     let a = pool.submit(|| (1..=10).sum::<u32>());
//!     let b = pool.submit(|| (11..=20).sum::<u32>());
//!     a.await.unwrap() + b.await.unwrap()
//! };
//! assert_eq!(futures::executor::block_on(sum), 210);
//! ```
//!
//! # From a plain thread
//! [`BlockingHandle::wait`] and [`wait_timeout`](BlockingHandle::wait_timeout) block until the job has ended. `Debug` shows
//! how far it is: `state=pending`, `running` or `finished`.
//!
//! # Cancellation
//! A job that has not begun can be [cancelled](BlockingHandle::cancel) and then never runs. One that has begun cannot be
//! interrupted, since nothing can interrupt a thread safely; its closure can ask [`is_cancelled`] and return early.
//! Dropping a handle lets the job run on, or cancels it where [`abandon_on_drop`](BlockingHandle::abandon_on_drop) says so.
//!
//! # How many threads
//! None while there is nothing to do. [`Growth`] tells when a thread is added, [`Builder::keep_alive`] when one leaves,
//! [`Builder::max_threads`] how many there are at most. The queue is unbounded, because a bound turns into an error that
//! every submission has to handle; [`Builder::queue_capacity`] sets one where memory matters more, and
//! [`ThreadPool::metrics`] shows its length either way.
//!
//! Work that computes rather than waits wants as many threads as there are cores: give it a pool of its own,
//! `ThreadPool::new(cores)`, so that it does not hold up what only waits for a disk.
//!
//! # What goes wrong
//! Everything comes out of the handle as an [`OffloadError`]: a panic of the closure, a system that refuses threads (an
//! error only if no thread is alive), a pool that was shut down. A panic never reaches the pool: not a closure's, not a
//! destructor's, not a waker's, not a hook's.
//!
//! # The end
//! [`ThreadPool::shutdown`] waits for what has begun and names what does not end in time. What becomes of each job is its
//! [`ShutdownPolicy`]'s matter. Dropping the last handle of a pool is a shutdown that waits for nobody.
//!
//! # Inside
//! | file | holds |
//! |---|---|
//! | `roster.rs` | the protocol: who is here, who is needed; wake, start or leave it |
//! | `books.rs` | what the roster remembers, and the invariant |
//! | `cell.rs` | one job: its closure, its result, its waiter |
//! | `job.rs` | a job as a queue sees it |
//! | `worker.rs` | a thread of the pool, from start to stop |
//! | `handle.rs`, `pool.rs`, `builder.rs`, `executor.rs` | the public face |
//! | `running.rs`, `options.rs`, `shutdown.rs`, `metrics.rs`, `error.rs` | what is known of jobs and pools, and said |
//! | `clock.rs`, `clock_modelled.rs` | the one place that reads a clock, and its stand-in for models |
#![warn(missing_debug_implementations)]

mod books;
mod builder;
mod cell;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
mod clock;
#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[path = "clock_modelled.rs"]
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
pub use running::{JobInfo, check_cancelled, current_job, is_cancelled, poll_cancelled};
pub use shutdown::StillRunning;
