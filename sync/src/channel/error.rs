//! Why nothing was sent or received.

use core::fmt;

/// The channel is closed; holds the value that was not sent.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(1);
/// drop(receiver);
/// assert_eq!(sender.send(7).await.map_err(|error| error.into_inner()), Err(7));
/// # });
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendError<T>(pub(super) T);

impl<T> SendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// drop(receiver);
    /// let error = sender.send('a').await.expect_err("nobody receives");
    /// assert_eq!(error.into_inner(), 'a');
    /// # });
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel is closed, nobody receives any more: stop sending; into_inner gives the value back")
    }
}

impl<T> std::error::Error for SendError<T> {}

/// Why [`try_send`](super::Sender::try_send) sent nothing; holds the value.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, TrySendError};
/// let (sender, _receiver) = channel::bounded(1);
/// assert_eq!(sender.try_send('a'), Ok(()));
/// assert_eq!(sender.try_send('b'), Err(TrySendError::Full('b')));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// The channel is closed.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::channel::{self, TrySendError};
    /// let (sender, _receiver) = channel::bounded(1);
    /// sender.close();
    /// assert_eq!(sender.try_send('a').map_err(TrySendError::into_inner), Err('a'));
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the channel is full: await send, or drop the value and count it",
            Self::Closed(_) => "the channel is closed, nobody receives any more: stop sending",
        })
    }
}

impl<T> std::error::Error for TrySendError<T> {}

/// The channel is closed and every value in it was received.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
/// drop(sender);
/// assert!(receiver.recv().await.is_err());
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecvError(pub(super) ());

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel is closed and empty: every sender is gone or it was closed; end the loop")
    }
}

impl std::error::Error for RecvError {}

/// Why [`try_recv`](super::Receiver::try_recv) received nothing.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, TryRecvError};
/// let (sender, receiver) = channel::bounded::<u8>(1);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is nothing now.
    Empty,
    /// The channel is closed and every value in it was received.
    Closed,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the channel is empty: await recv, or try again later",
            Self::Closed => "the channel is closed and empty: every sender is gone or it was closed; end the loop",
        })
    }
}

impl std::error::Error for TryRecvError {}

/// Why [`reserve_many`](super::Sender::reserve_many) reserved nothing.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// use weftwork_sync::channel::{self, ReserveError};
/// let (sender, _receiver) = channel::bounded::<u8>(4);
/// let error = sender.reserve_many(5).await.expect_err("there are four places");
/// assert!(matches!(error, ReserveError::TooMany { capacity: 4, .. }));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReserveError {
    /// The channel is closed.
    Closed,
    /// The channel never has room for so many.
    #[non_exhaustive]
    TooMany {
        /// How many values fit.
        capacity: usize,
    },
}

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the channel is closed, nobody receives any more: stop sending"),
            Self::TooMany { capacity } => {
                write!(f, "the channel never has room for so many values: reserve {capacity} at most, or send in parts")
            }
        }
    }
}

impl std::error::Error for ReserveError {}

/// Why nothing was sent in time; holds the value.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use weftwork_sync::channel::{self, SendTimeoutError};
/// let (sender, _receiver) = channel::bounded(1);
/// assert!(sender.try_send(1).is_ok());
/// let late = sender.blocking_send_timeout(2, Duration::from_millis(1));
/// assert_eq!(late, Err(SendTimeoutError::Timeout(2)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// The time ran out.
    Timeout(T),
    /// The channel is closed.
    Closed(T),
}

impl<T> SendTimeoutError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// drop(receiver);
    /// let error = sender.blocking_send_timeout('a', Duration::ZERO).expect_err("nobody receives");
    /// assert_eq!(error.into_inner(), 'a');
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "the time ran out before there was room: try again, or drop the value and count it",
            Self::Closed(_) => "the channel is closed, nobody receives any more: stop sending",
        })
    }
}

impl<T> std::error::Error for SendTimeoutError<T> {}

/// Why nothing was received in time.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use weftwork_sync::channel::{self, RecvTimeoutError};
/// let (sender, receiver) = channel::bounded::<u8>(1);
/// assert_eq!(receiver.blocking_recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
/// drop(sender);
/// assert_eq!(receiver.blocking_recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Closed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// The time ran out.
    Timeout,
    /// The channel is closed and every value in it was received.
    Closed,
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the time ran out before a value came: try again, or give up",
            Self::Closed => "the channel is closed and empty: every sender is gone or it was closed; end the loop",
        })
    }
}

impl std::error::Error for RecvTimeoutError {}
