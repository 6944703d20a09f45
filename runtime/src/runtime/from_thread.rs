//! Calling into a runtime from threads that are none of its workers.

use super::Handle;
use super::drive::assert_outside;
use crate::task::{self, JoinError, JoinHandle};
use crate::time::{Elapsed, timeout};
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::time::Duration;

impl Handle {
    /// Runs a future as a task of this runtime, and waits for it on the calling thread: a plain one, or one inside of
    /// [`to_thread`](crate::to_thread()).
    ///
    /// [`block_on`](Self::block_on) is for futures that borrow or stay on their thread; this one is for futures that belong to the
    /// runtime: they run on its workers, are seen and cancelled as its tasks, and spawn where they are. On a current-thread runtime
    /// somebody else has to drive it.
    ///
    /// Inside of a call whose caller is gone, so that `is_cancelled()` is true there, the task is cancelled, and its clean-up awaited.
    ///
    /// # Errors
    /// The task was cancelled, by the end of the runtime for instance, or panicked.
    ///
    /// # Panics
    /// On a worker, because it would block it; and in a forked child.
    ///
    /// asyncio's counterpart is `run_coroutine_threadsafe(...).result()`, trio's is `from_thread.run`.
    ///
    /// ```
    /// let answer = weftwork::run(async {
    ///     weftwork::to_thread(|| {
    ///         let handle = weftwork::Handle::current();
    ///         handle.block_on_from_thread(async { 6 * 7 }).unwrap()
    ///     })
    ///     .await
    ///     .unwrap()
    /// });
    /// assert_eq!(answer, 42);
    /// ```
    #[doc(alias("run_coroutine_threadsafe", "from_thread"))]
    #[track_caller]
    pub fn block_on_from_thread<F>(&self, future: F) -> Result<F::Output, JoinError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        assert_outside();
        let task = task::spawn_on(self.core(), future, Location::caller(), ());
        self.block_on(while_wanted(task))
    }

    /// As [`block_on_from_thread`](Self::block_on_from_thread), for so long at most, by the runtime's clock: then the task is cancelled,
    /// and its clean-up awaited. A value that is ready by then wins.
    ///
    /// # Errors
    /// As above, or the time is over.
    ///
    /// # Panics
    /// As above.
    ///
    /// ```
    /// use weftwork::runtime::FromThreadError;
    /// use weftwork::time::Duration;
    ///
    /// let runtime = weftwork::Runtime::new().unwrap();
    /// let never = std::future::pending::<()>();
    /// let ended = runtime.handle().block_on_from_thread_timeout(Duration::from_millis(1), never);
    /// assert!(matches!(ended, Err(FromThreadError::Elapsed(_))));
    /// ```
    #[track_caller]
    pub fn block_on_from_thread_timeout<F>(&self, limit: Duration, future: F) -> Result<F::Output, FromThreadError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        assert_outside();
        let task = task::spawn_on(self.core(), future, Location::caller(), ());
        match self.block_on(timeout(limit, while_wanted(task))) {
            Ok(joined) => joined.map_err(FromThreadError::Ended),
            Err(elapsed) => Err(FromThreadError::Elapsed(elapsed)),
        }
    }
}

/// Waits for a task on a thread that is inside of a call, perhaps: if the caller of that goes, nobody wants the task any more.
async fn while_wanted<T>(mut task: JoinHandle<T>) -> Result<T, JoinError> {
    let mut wanted = true;
    poll_fn(|cx| {
        // A value that is there wins.
        let polled = Pin::new(&mut task).poll(cx);
        if polled.is_pending() && wanted && weftwork_blocking::poll_cancelled(cx.waker()) {
            wanted = false;
            task.cancel_because_dropped();
        }
        polled
    })
    .await
}

/// Why a call from a thread gave no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum FromThreadError {
    /// The time was over; the task has been cancelled and has ended.
    Elapsed(Elapsed),
    /// The task was cancelled by something else, or panicked.
    Ended(JoinError),
}

impl fmt::Display for FromThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(elapsed) => elapsed.fmt(f),
            Self::Ended(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FromThreadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Elapsed(elapsed) => Some(elapsed),
            Self::Ended(error) => Some(error),
        }
    }
}
