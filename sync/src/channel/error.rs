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
