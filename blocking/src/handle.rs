//! The reader's end of a job: awaited on any executor, or waited for by a plain thread.

use crate::cell::{JobCell, Progress};
use crate::clock::Deadline;
use crate::error::OffloadError;
use crate::job::Job;
use crate::options::{Description, JobOptions};
use crate::running::JobInfo;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::time::Duration;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;

/// The right to the result of a job that was given to a pool.
///
/// It is a future that any executor can poll, and a plain thread can [`wait`](Self::wait) instead. Dropping it lets the
/// job run on (its result is dropped by the thread that ran it), unless [`abandon_on_drop`](Self::abandon_on_drop) says
/// otherwise.
///
/// Cancel safety: polling loses nothing; the result stays in the handle until it is given.
///
/// Counterparts: asyncio's `concurrent.futures.Future`, tokio's `JoinHandle` of `spawn_blocking`.
///
/// ```
/// let pool = weftwork_blocking::ThreadPool::new(2);
/// let handle = pool.submit(|| 6 * 7);
/// assert_eq!(futures::executor::block_on(handle).unwrap(), 42);
/// ```
#[doc(alias("JoinHandle", "concurrent.futures.Future"))]
#[must_use = "the job runs anyway, but its result, and that it panicked, is seen only through the handle"]
pub struct BlockingHandle<T> {
    cell: Shared<JobCell<T>>,
    abandon: bool,
}

// The result is never pinned: it is moved into the cell and out of it.
impl<T> Unpin for BlockingHandle<T> {}

/// A job and its reader's end. `F`'s path is its name if `options` has none.
pub(crate) fn job<F, T>(options: JobOptions, work: F) -> (Job, BlockingHandle<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let description = Description::new(options, core::any::type_name::<F>());
    let cell = Shared::new(JobCell::new(description, Box::new(work)));
    (Job::new(cell.clone()), BlockingHandle { cell, abandon: false })
}

impl<T> BlockingHandle<T> {
    /// The executor did not take the job, and said why after it had dropped it.
    pub(crate) fn refused(&self, reason: OffloadError) {
        self.cell.restate(reason);
    }

    /// Blocks the calling thread until the job has ended.
    ///
    /// For plain threads: in an async task await the handle, since waiting blocks the executor's thread, and for ever if
    /// the job needs that thread.
    ///
    /// # Errors
    /// [`OffloadError`] if the job panicked, was cancelled, or could not be run.
    ///
    /// # Panics
    /// If the handle already gave its result to a poll.
    #[doc(alias("result", "blocking_recv"))]
    pub fn wait(self) -> Result<T, OffloadError> {
        loop {
            if let Some(outcome) = self.cell.wait(Deadline::after(None)) {
                return outcome;
            }
        }
    }

    /// Blocks the calling thread until the job has ended or `timeout` has passed.
    ///
    /// # Errors
    /// The handle itself if the time ran out; the job goes on and can be waited for again, awaited or cancelled.
    ///
    /// # Panics
    /// If the handle already gave its result to a poll.
    ///
    /// ```
    /// use std::time::Duration;
    /// use weftwork_blocking::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (release, released) = std::sync::mpsc::channel::<()>();
    /// let job = pool.submit(move || released.recv().is_ok());
    /// let job = job.wait_timeout(Duration::from_millis(1)).unwrap_err();
    /// release.send(()).unwrap();
    /// assert!(job.wait().unwrap());
    /// ```
    pub fn wait_timeout(self, timeout: Duration) -> Result<Result<T, OffloadError>, Self> {
        match self.cell.wait(Deadline::after(Some(timeout))) {
            Some(outcome) => Ok(outcome),
            None => Err(self),
        }
    }

    /// Cancels the job; `true` if it had not begun, so that it never will.
    ///
    /// Its closure is then dropped at once, by the calling thread, and the handle gives [`OffloadError::Cancelled`]. A job
    /// that has begun cannot be interrupted: it runs on, its [`is_cancelled`](crate::is_cancelled) says `true` from now
    /// on, and the handle gives whatever it returns.
    ///
    /// ```
    /// use weftwork_blocking::{OffloadError, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (release, released) = std::sync::mpsc::channel::<()>();
    /// let first = pool.submit(move || released.recv().is_ok());
    /// let second = pool.submit(|| unreachable!("it was cancelled while it waited for the only thread"));
    /// assert!(second.cancel());
    /// let outcome: Result<(), _> = second.wait();
    /// assert!(matches!(outcome, Err(OffloadError::Cancelled)));
    /// release.send(()).unwrap();
    /// assert!(first.wait().unwrap());
    /// ```
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> bool {
        self.cell.description().ask_to_stop();
        self.cell.withdraw(OffloadError::Cancelled)
    }

    /// Whether the job has ended, in whatever way.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.cell.progress() == Progress::Finished
    }

    /// Which job this is.
    pub fn info(&self) -> JobInfo {
        self.cell.description().info()
    }

    /// Makes dropping the handle cancel the job: if it has not begun it never will; if it has, it can ask
    /// [`is_cancelled`](crate::is_cancelled), and its result is dropped by the thread that ran it.
    ///
    /// This is how a future that may itself be cancelled holds a job.
    pub fn abandon_on_drop(mut self) -> Self {
        self.abandon = true;
        self
    }
}

impl<T> Future for BlockingHandle<T> {
    type Output = Result<T, OffloadError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The job was submitted before the first poll, so this leaf has always begun.
        let unit = ready!(coop::proceed_for(cx, true, || coop::Wait::new("a blocking call")));
        let outcome = ready!(self.cell.poll(cx.waker()));
        unit.made_progress();
        Poll::Ready(outcome)
    }
}

impl<T> Drop for BlockingHandle<T> {
    fn drop(&mut self) {
        if self.abandon {
            self.cell.description().ask_to_stop();
            self.cell.withdraw(OffloadError::Cancelled);
        }
        self.cell.leave_unread();
    }
}

impl<T> fmt::Debug for BlockingHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description = self.cell.description();
        write!(f, "<BlockingHandle name={:?} state={}>", description.name(), self.cell.progress())
    }
}
