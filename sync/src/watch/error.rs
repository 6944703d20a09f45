//! Why nothing was sent, or nothing will come.

use core::fmt;

/// Nobody receives; the value comes back.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::watch::channel(0);
/// drop(receiver);
/// assert_eq!(sender.send(1).map_err(|error| error.into_inner()), Err(1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendError<T>(pub T);

impl<T> SendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    /// ```
    /// let (sender, _) = weftwork_sync::watch::channel(0);
    /// assert_eq!(sender.send(1).map_err(|error| error.into_inner()), Err(1));
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
        f.write_str(
            "nobody watches: all receivers were dropped; send_replace keeps the value for those who subscribe later",
        )
    }
}

impl<T> std::error::Error for SendError<T> {}

/// All senders are gone: the value will not change any more.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, mut receiver) = weftwork_sync::watch::channel(0);
/// drop(sender);
/// assert!(receiver.changed().await.is_err());
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecvError(pub(super) ());

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the value will not change any more: all senders were dropped; the last value can still be borrowed",
        )
    }
}

impl std::error::Error for RecvError {}
