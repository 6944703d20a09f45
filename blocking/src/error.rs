//! Every way in which blocking work can fail to give its result, and what to do about it.

use core::any::Any;
use core::fmt;
use std::error::Error;
use std::io;

/// Why a job gave no result.
///
/// Counterparts: tokio's `JoinError` of `spawn_blocking`; in asyncio the exception that a `concurrent.futures.Future` holds.
///
/// ```
/// use weftwork_blocking::{OffloadError, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// match pool.submit(|| panic!("no such table")).wait() {
///     Err(OffloadError::Panicked(panic)) => assert_eq!(panic.message(), Some("no such table")),
///     other => unreachable!("{other:?}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum OffloadError {
    /// The closure, or the drop of what it captured, panicked.
    Panicked(PanicPayload),
    /// The system refused a thread and the pool has none alive that could run the job later.
    NoThread(io::Error),
    /// The pool was shut down before the job began, or whoever was to run it dropped it.
    ShutDown,
    /// The job was cancelled before it began.
    Cancelled,
    /// The pool's queue holds as many jobs as its builder allowed.
    QueueFull,
}

impl fmt::Display for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => match panic.message() {
                Some(message) => write!(f, "the blocking job panicked: {message}"),
                None => f.write_str("the blocking job panicked; its payload is not a string"),
            },
            Self::NoThread(error) => write!(
                f,
                "no thread could be started for the blocking job ({error}); raise the limit on threads or memory, or \
                 start fewer with Builder::max_threads"
            ),
            Self::ShutDown => f.write_str(
                "the blocking job did not run because its pool was shut down; keep the pool alive until its jobs are \
                 done, or submit the job as ShutdownPolicy::MustRun",
            ),
            Self::Cancelled => f.write_str("the blocking job was cancelled before it began"),
            Self::QueueFull => f.write_str(
                "the pool's queue is full; wait for earlier jobs before submitting more, or raise \
                 Builder::queue_capacity",
            ),
        }
    }
}

impl Error for OffloadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoThread(error) => Some(error),
            _ => None,
        }
    }
}

/// Why an executor did not take a job.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// The system refused a thread and none is alive.
    NoThread(io::Error),
    /// The executor was shut down.
    ShutDown,
    /// The executor's queue is full.
    QueueFull,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoThread(error) => {
                write!(f, "no thread could be started ({error}); raise the limit on threads or memory")
            }
            Self::ShutDown => f.write_str("the executor was shut down; submit before that, or to another one"),
            Self::QueueFull => {
                f.write_str("the executor's queue is full; wait for earlier jobs before submitting more")
            }
        }
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoThread(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SpawnError> for OffloadError {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::NoThread(error) => Self::NoThread(error),
            SpawnError::ShutDown => Self::ShutDown,
            SpawnError::QueueFull => Self::QueueFull,
        }
    }
}

/// What [`check_cancelled`](crate::check_cancelled) returns when nobody waits for the running job any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whoever submitted this blocking job has cancelled it")
    }
}

impl Error for Cancelled {}

/// What a panic carried.
///
/// It can be shared between threads although payloads need not be: the payload itself is reached only by taking it out.
pub struct PanicPayload {
    payload: Box<dyn Any + Send + 'static>,
    message: Option<Box<str>>,
}

// SAFETY: a shared reference reaches `message` alone, which is plain text; the payload is reached only by value, and it is
// Send.
unsafe impl Sync for PanicPayload {}

impl PanicPayload {
    /// Wraps what `catch_unwind` gave.
    pub fn new(payload: Box<dyn Any + Send + 'static>) -> Self {
        let message = payload
            .downcast_ref::<&'static str>()
            .map(|text| Box::from(*text))
            .or_else(|| payload.downcast_ref::<String>().map(|text| Box::from(text.as_str())));
        Self { payload, message }
    }

    /// The panic's message, if it was raised with one (as `panic!` does).
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The payload, as `std::panic::catch_unwind` gives it.
    pub fn into_payload(self) -> Box<dyn Any + Send + 'static> {
        self.payload
    }

    /// Goes on panicking in the calling thread, without running the panic hook again.
    ///
    /// # Panics
    /// Always; that is its purpose.
    pub fn resume(self) -> ! {
        std::panic::resume_unwind(self.payload)
    }
}

impl fmt::Debug for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicPayload").field("message", &self.message).finish_non_exhaustive()
    }
}
