//! Pools that are not ours: what they have to offer, and how a closure is run on any of them.

use crate::error::SpawnError;
use crate::handle::{self, BlockingHandle};
use crate::job::Job;
use crate::options::JobOptions;

/// A place where blocking closures run: a [`ThreadPool`](crate::ThreadPool), or somebody else's pool.
///
/// Counterpart: asyncio's `concurrent.futures.Executor`.
///
/// ```
/// use weftwork_blocking::{BlockingExecutor, SpawnError, run_on};
///
/// /// A thread per job.
/// struct Threads;
///
/// impl BlockingExecutor for Threads {
///     fn execute(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
///         std::thread::Builder::new().spawn(job).map(drop).map_err(SpawnError::NoThread)
///     }
/// }
///
/// assert_eq!(run_on(&Threads, || 2 + 2).wait().unwrap(), 4);
/// ```
#[doc(alias("Executor", "ThreadPoolExecutor"))]
pub trait BlockingExecutor {
    /// Runs `job` once, on a thread that may block. It never panics.
    ///
    /// # Errors
    /// [`SpawnError`] if it will not run. An executor that drops the job later, without running it, does no harm: the
    /// job's handle then says that it was shut down.
    fn execute(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError>;

    /// As [`execute`](Self::execute), for executors that can queue a [`Job`] as it is and save the box.
    ///
    /// # Errors
    /// As `execute`.
    fn execute_job(&self, job: Job) -> Result<(), SpawnError> {
        self.execute(Box::new(move || job.run()))
    }
}

impl<E: BlockingExecutor + ?Sized> BlockingExecutor for &E {
    fn execute(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        (**self).execute(job)
    }

    fn execute_job(&self, job: Job) -> Result<(), SpawnError> {
        (**self).execute_job(job)
    }
}

/// Runs `f` on `executor` and returns the handle of its result; a refusal comes out of the handle.
///
/// Counterpart: asyncio's `loop.run_in_executor`.
#[doc(alias = "run_in_executor")]
pub fn run_on<E, F, T>(executor: &E, f: F) -> BlockingHandle<T>
where
    E: BlockingExecutor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    run_on_with(executor, JobOptions::new(), f)
}

/// [`run_on`] with a name and a shutdown policy. Executors that are not ours may know no policies.
pub fn run_on_with<E, F, T>(executor: &E, options: JobOptions, f: F) -> BlockingHandle<T>
where
    E: BlockingExecutor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (job, handle) = handle::job(options, f);
    if let Err(error) = executor.execute_job(job) {
        handle.refused(error.into());
    }
    handle
}
