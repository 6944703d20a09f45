//! How a task that gave no value ended.

use super::TaskId;
use core::fmt;
use core::panic::Location;
use std::borrow::Cow;
use weftwork_sync::primitive::Panic as Payload;

/// Why somebody asked for a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelKind {
    /// `JoinHandle::cancel` or `cancel_with`.
    Explicit,
    /// A deadline passed.
    Deadline,
    /// A sibling in the same group failed.
    Sibling(TaskId),
    /// The group was closed already.
    GroupClosed,
    /// A handle that owned the task was dropped.
    HandleDropped,
    /// The user interrupted the program.
    Interrupt,
    /// The runtime is shutting down.
    Shutdown,
}

/// Who asked for a cancellation, where and why.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelCause {
    /// Why.
    pub kind: CancelKind,
    /// What the canceller had to say.
    pub message: Option<Cow<'static, str>>,
    /// The task that asked, if it was a task.
    pub by: Option<TaskId>,
    /// The place in the source that asked.
    pub at: &'static Location<'static>,
}

impl CancelCause {
    #[track_caller]
    pub(crate) fn new(kind: CancelKind) -> Self {
        Self { kind, message: None, by: crate::context::current_task(), at: Location::caller() }
    }

    /// Somebody asked, without a reason.
    #[track_caller]
    pub(crate) fn explicit() -> Self {
        Self::new(CancelKind::Explicit)
    }

    /// With something to say.
    pub(crate) fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Asked for at another place than where this was made.
    pub(crate) fn from(mut self, by: Option<TaskId>, at: &'static Location<'static>) -> Self {
        (self.by, self.at) = (by, at);
        self
    }
}

impl fmt::Display for CancelCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CancelKind::Explicit => f.write_str("cancelled")?,
            CancelKind::Deadline => f.write_str("cancelled by a deadline")?,
            CancelKind::Sibling(id) => write!(f, "cancelled because its sibling, task {id}, failed")?,
            CancelKind::GroupClosed => f.write_str("cancelled because its group had closed")?,
            CancelKind::HandleDropped => f.write_str("cancelled because its handle was dropped")?,
            CancelKind::Interrupt => f.write_str("cancelled by an interrupt")?,
            CancelKind::Shutdown => f.write_str("cancelled because the runtime shut down")?,
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(by) = self.by {
            write!(f, " (by task {by} at {})", self.at)
        } else {
            write!(f, " (at {})", self.at)
        }
    }
}

impl fmt::Debug for CancelCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelCause")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("by", &self.by)
            .field("at", &format_args!("{}", self.at))
            .finish()
    }
}

/// A panic that ended a task, with what it carried.
///
/// It can be shared between threads although payloads need not be: the payload itself is reached only by taking it out.
pub struct Panic(pub(crate) Payload);

// SAFETY: through a shared reference only `message` looks at the payload: it asks for its type, which touches no data, and
// then reads it as a `&'static str` or a `String`, both of which are Sync.
unsafe impl Sync for Panic {}

impl Panic {
    /// The text of the panic, if it carried one.
    pub fn message(&self) -> Option<&str> {
        payload_text(&self.0)
    }

    /// What the panic carried, for `std::panic::resume_unwind`.
    pub fn into_payload(self) -> Payload {
        self.0
    }

    /// Goes on panicking with the same payload.
    pub fn resume(self) -> ! {
        std::panic::resume_unwind(self.0)
    }
}

/// The text in a panic's payload: `panic!` carries a `&str` or a `String`.
pub(crate) fn payload_text(payload: &Payload) -> Option<&str> {
    payload.downcast_ref::<&'static str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message().unwrap_or("<no text>")).finish()
    }
}

/// Why a task gave no value.
///
/// asyncio's counterparts are `CancelledError` and the exception of the task; tokio's is `JoinError`.
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// It was cancelled; its future was dropped where it waited.
    Cancelled(CancelCause),
    /// It panicked.
    Panicked(Panic),
    /// It returned an error, or panicked, and its group holds that.
    Failed(TaskId),
}

impl JoinError {
    /// Whether the task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// The panic, to look at or to go on with.
    ///
    /// # Errors
    /// Gives the error back if it is not a panic.
    pub fn into_panic(self) -> Result<Panic, Self> {
        match self {
            Self::Panicked(panic) => Ok(panic),
            other => Err(other),
        }
    }

    /// Why the task was cancelled, if it was.
    pub fn cancel_cause(&self) -> Option<&CancelCause> {
        match self {
            Self::Cancelled(cause) => Some(cause),
            _ => None,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(cause) => write!(f, "the task was {cause}"),
            Self::Panicked(panic) => match panic.message() {
                Some(text) => write!(f, "the task panicked: {text}"),
                None => f.write_str("the task panicked with a payload that is not text"),
            },
            Self::Failed(id) => write!(f, "task {id} failed; its group has the error or the panic"),
        }
    }
}

impl std::error::Error for JoinError {}
