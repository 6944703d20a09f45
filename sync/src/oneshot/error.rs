//! Why nothing was received.

use core::fmt;

/// No value will come.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::oneshot::channel::<()>();
/// drop(sender);
/// assert!(receiver.await.is_err());
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecvError(pub(super) ());

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value will come: the sender was dropped without sending (look whether its task ended early or panicked)")
    }
}

impl std::error::Error for RecvError {}

/// Why [`try_recv`](super::Receiver::try_recv) found no value.
///
/// # Examples
/// ```
/// use weftwork_sync::oneshot::{self, TryRecvError};
/// let (sender, mut receiver) = oneshot::channel::<()>();
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// # drop(sender);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Nothing was sent yet.
    Empty,
    /// Nothing will come, or the value was taken already.
    Closed,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no value was sent yet: try again later, or await the receiver",
            Self::Closed => {
                "no value will come: the sender was dropped without sending, or the value was taken already"
            }
        })
    }
}

impl std::error::Error for TryRecvError {}
