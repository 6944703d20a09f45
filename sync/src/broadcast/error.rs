//! Why nothing was sent or received.

use core::fmt;

/// Nobody receives; the value comes back.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::broadcast::channel(1);
/// drop(receiver);
/// assert_eq!(sender.send('a').map_err(|error| error.into_inner()), Err('a'));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendError<T>(pub T);

impl<T> SendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::broadcast::Sender::new(1);
    /// assert_eq!(sender.send('a').map_err(|error| error.into_inner()), Err('a'));
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody receives: there is no receiver at this moment; subscribe before sending")
    }
}

impl<T> std::error::Error for SendError<T> {}

/// Why no value was received.
///
/// # Examples
/// ```
/// use weftwork_sync::broadcast::{self, RecvError};
/// # weftwork_sync::block_on(async {
/// let (sender, mut receiver) = broadcast::channel(1);
/// assert!(sender.send('a').is_ok() && sender.send('b').is_ok());
/// drop(sender);
/// assert_eq!(receiver.recv().await, Err(RecvError::Lagged(1)));
/// assert_eq!(receiver.recv().await, Ok('b'));
/// assert_eq!(receiver.recv().await, Err(RecvError::Closed));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// All senders are gone, and everything was received.
    Closed,
    /// The receiver was too slow: so many values were overwritten before it received them. It goes on with the oldest that
    /// there is.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("nothing more will come: all senders were dropped"),
            Self::Lagged(missed) => lagged(f, *missed),
        }
    }
}

impl std::error::Error for RecvError {}

/// Why no value was to be had at once.
///
/// # Examples
/// ```
/// use weftwork_sync::broadcast::{self, TryRecvError};
/// let (sender, mut receiver) = broadcast::channel::<u8>(1);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Everything that was sent so far was received.
    Empty,
    /// All senders are gone, and everything was received.
    Closed,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing was sent since: try again later, or await recv"),
            Self::Closed => f.write_str("nothing more will come: all senders were dropped"),
            Self::Lagged(missed) => lagged(f, *missed),
        }
    }
}

impl std::error::Error for TryRecvError {}

fn lagged(f: &mut fmt::Formatter<'_>, missed: u64) -> fmt::Result {
    write!(f, "{missed} values were overwritten before they were received: receive sooner, or make the channel larger")
}
