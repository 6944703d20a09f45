//! What a closure can learn about its own job while it runs, kept in a thread-local of the thread that runs it.
//!
//! The thread-local holds a bare pointer to the job's description. It is set for exactly as long as [`during`] runs, and
//! whoever calls that owns the job, so the pointer is good whenever it is set.

use crate::error::Cancelled;
use crate::options::Description;
use core::cell::Cell;
use core::fmt;
use core::ptr;
use core::task::Waker;
use weftwork_sync::weft_thread_local;

weft_thread_local! {
    static CURRENT: Cell<*const Description> = Cell::new(ptr::null());
}

/// Runs `f` as the job that `description` describes.
pub(crate) fn during<R>(description: &Description, f: impl FnOnce() -> R) -> R {
    struct Restore(*const Description);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| current.set(self.0));
        }
    }
    // A job may run another one in its own thread (an executor that runs inline), so what was there comes back.
    let _restore = Restore(CURRENT.with(|current| current.replace(description)));
    f()
}

fn current<R>(f: impl FnOnce(&Description) -> R) -> Option<R> {
    let description = CURRENT.with(Cell::get);
    // SAFETY: the pointer is set only while `during` runs in this thread, and its caller lends the description for that
    // long.
    unsafe { description.as_ref() }.map(f)
}

/// Whether whoever submitted the running job has cancelled it or gone away; `false` outside a job.
///
/// A blocking closure cannot be interrupted, so one that runs long asks this now and then and returns early; nobody will
/// look at its result. Costs a thread-local and one atomic load.
///
/// ```
/// use weftwork_blocking::{ThreadPool, is_cancelled};
///
/// let pool = ThreadPool::new(1);
/// let (started, has_started) = std::sync::mpsc::channel();
/// let job = pool.submit(move || {
///     started.send(()).unwrap();
///     while !is_cancelled() {
///         std::thread::yield_now();
///     }
///     "stopped early"
/// });
/// has_started.recv().unwrap();
/// assert!(!job.cancel(), "it runs already, so it is only asked to stop");
/// assert_eq!(job.wait().unwrap(), "stopped early");
/// ```
#[doc(alias = "cancelled")]
pub fn is_cancelled() -> bool {
    current(Description::is_asked_to_stop).unwrap_or(false)
}

/// As [`is_cancelled`], for a closure that waits in a future meanwhile: `waker` is called when that becomes true. The last waker counts.
///
/// ```
/// use std::task::Waker;
///
/// assert!(!weftwork_blocking::poll_cancelled(Waker::noop()), "outside of a job nobody ever cancels");
/// ```
pub fn poll_cancelled(waker: &Waker) -> bool {
    current(|description| description.poll_asked_to_stop(waker)).unwrap_or(false)
}

/// [`is_cancelled`] for use with `?`.
///
/// # Errors
/// [`Cancelled`] if nobody waits for the running job any more.
///
/// ```
/// fn hash_all(files: &[&str]) -> Result<usize, weftwork_blocking::Cancelled> {
///     let mut sum = 0;
///     for file in files {
///         weftwork_blocking::check_cancelled()?;
///         sum += file.len();
///     }
///     Ok(sum)
/// }
/// assert_eq!(hash_all(&["a", "bc"]), Ok(3));
/// ```
pub fn check_cancelled() -> Result<(), Cancelled> {
    if is_cancelled() { Err(Cancelled) } else { Ok(()) }
}

/// The job that the calling thread is inside of, for logs and diagnostics; `None` outside one.
///
/// ```
/// use weftwork_blocking::{JobOptions, ThreadPool, current_job};
///
/// let pool = ThreadPool::new(1);
/// let job = pool.submit_with(JobOptions::new().name("resize photo"), || current_job().unwrap().name().to_owned());
/// assert_eq!(job.wait().unwrap(), "resize photo");
/// assert!(current_job().is_none());
/// ```
pub fn current_job() -> Option<JobInfo> {
    current(Description::info)
}

/// Which job this is.
#[derive(Clone)]
pub struct JobInfo {
    pub(crate) id: u64,
    pub(crate) name: crate::options::Name,
}

impl JobInfo {
    /// A number that no other job of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The name it was submitted with, or else the path of its closure.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl fmt::Debug for JobInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobInfo").field("id", &self.id).field("name", &self.name()).finish()
    }
}

impl fmt::Display for JobInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (job {})", self.name(), self.id)
    }
}
