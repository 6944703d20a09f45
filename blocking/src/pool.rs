//! The pool as its users hold it.

use crate::builder::Builder;
use crate::clock::Deadline;
use crate::error::SpawnError;
use crate::executor::{BlockingExecutor, run_on_with};
use crate::handle::{self, BlockingHandle};
use crate::job::Job;
use crate::metrics::PoolMetrics;
use crate::options::JobOptions;
use crate::shutdown::StillRunning;
use crate::worker::Core;
use core::fmt;
use std::time::Duration;
use weftwork_sync::primitive::{ParkResult, Parker, Shared};

/// A pool of threads for work that blocks: it grows when jobs wait, and shrinks when threads do.
///
/// A clone is another handle of the same pool. When the last one is dropped the pool shuts down without waiting: queued
/// jobs are dropped (but for [`MustRun`](crate::ShutdownPolicy::MustRun)), running ones end, the threads leave.
///
/// Counterparts: asyncio's `ThreadPoolExecutor`, the pool behind tokio's `spawn_blocking`.
///
/// ```
/// use weftwork_blocking::ThreadPool;
///
/// let pool = ThreadPool::new(4);
/// let jobs: Vec<_> = (0..10).map(|n| pool.submit(move || n * n)).collect();
/// let squares: Vec<u64> = jobs.into_iter().map(|job| job.wait().unwrap()).collect();
/// assert_eq!(squares[9], 81);
/// ```
#[doc(alias("ThreadPoolExecutor", "spawn_blocking"))]
#[derive(Clone)]
pub struct ThreadPool {
    owner: Shared<Owner>,
}

/// What the users' handles share: when the last is gone, the pool closes. Its threads hold the core alone.
struct Owner(Shared<Core>);

impl Drop for Owner {
    fn drop(&mut self) {
        Core::close(&self.0);
    }
}

impl ThreadPool {
    /// A pool of at most `max_threads` threads, with the other settings of [`Builder::new`].
    pub fn new(max_threads: usize) -> Self {
        Self::builder().max_threads(max_threads).build()
    }

    /// Settings for a pool.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn from_core(core: Shared<Core>) -> Self {
        Self { owner: Shared::new(Owner(core)) }
    }

    fn core(&self) -> &Shared<Core> {
        &self.owner.0
    }

    /// Runs `f` on a thread of the pool. A refusal comes out of the handle.
    ///
    /// Never blocks, but may start a thread (some 20 us). Jobs begin in the order of their submission. May be called from
    /// inside a job; a job that waits for another one of its own pool needs a pool that may still grow.
    ///
    /// ```
    /// # let pool = weftwork_blocking::ThreadPool::new(1);
    /// let handle = pool.submit(|| std::fs::read_to_string("/no/such/file").is_err());
    /// assert!(handle.wait().unwrap());
    /// ```
    #[doc(alias("to_thread", "spawn_blocking", "run_in_executor"))]
    pub fn submit<F, T>(&self, f: F) -> BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        run_on_with(self, JobOptions::new(), f)
    }

    /// [`submit`](Self::submit) with a name and a shutdown policy.
    pub fn submit_with<F, T>(&self, options: JobOptions, f: F) -> BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        run_on_with(self, options, f)
    }

    /// Ends the pool: accepts nothing more, drops what has not begun, and waits, at most for `timeout` (`None`: without
    /// limit), until its threads have left. What becomes of each job is its [`ShutdownPolicy`](crate::ShutdownPolicy)'s
    /// matter.
    ///
    /// Blocks the calling thread. Called from inside one of the pool's jobs it does not wait for that job. Calling it
    /// again waits again.
    ///
    /// # Errors
    /// [`StillRunning`] with the names of the jobs that had not ended in time. They run on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use weftwork_blocking::{JobOptions, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (release, released) = std::sync::mpsc::channel::<()>();
    /// let (started, has_started) = std::sync::mpsc::channel();
    /// let _job = pool.submit_with(JobOptions::new().name("compact the log"), move || {
    ///     started.send(()).unwrap();
    ///     released.recv()
    /// });
    /// has_started.recv().unwrap();
    /// let late = pool.shutdown(Some(Duration::from_millis(1))).unwrap_err();
    /// assert_eq!(late.jobs()[0].name(), "compact the log");
    /// release.send(()).unwrap();
    /// pool.shutdown(None).unwrap();
    /// ```
    #[doc(alias("shutdown_default_executor", "shutdown_timeout"))]
    pub fn shutdown(&self, timeout: Option<Duration>) -> Result<(), StillRunning> {
        let deadline = Deadline::after(timeout);
        Core::close(self.core());
        let own = Core::own_seat(self.core());
        let parker = Shared::new(Parker::new());
        let mut timed_out = false;
        loop {
            let Some(jobs) = self.core().roster.remaining(own, &parker) else { return Ok(()) };
            if timed_out {
                return Err(StillRunning { jobs });
            }
            timed_out = parker.park_for(deadline.left()) == ParkResult::TimedOut;
        }
    }

    /// Lets the threads that are idle now leave as if [`keep_alive`](Builder::keep_alive) had passed. The pool stays
    /// usable; it starts threads again when it needs them.
    pub fn expire_idle(&self) {
        self.core().roster.expire_idle();
    }

    /// The thread that waits for a period to pass, if there is one, goes on as if it had: growth by age without a clock.
    #[doc(hidden)]
    pub fn expire_period(&self) -> bool {
        self.core().roster.expire_period()
    }

    /// What the pool does at this moment.
    pub fn metrics(&self) -> PoolMetrics {
        PoolMetrics::new(self.core().roster.figures())
    }

    /// Threads at most.
    pub fn max_threads(&self) -> usize {
        self.core().roster.limits().cap
    }
}

impl BlockingExecutor for ThreadPool {
    fn execute(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        let (job, handle) = handle::job(JobOptions::new(), job);
        drop(handle);
        self.execute_job(job)
    }

    fn execute_job(&self, job: Job) -> Result<(), SpawnError> {
        Core::submit(self.core(), job)
    }
}

impl Default for ThreadPool {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("max_threads", &self.max_threads())
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
