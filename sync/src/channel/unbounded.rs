//! Sending where there is always room.

use super::error::SendError;
use super::{Sender, Unbounded};

impl<T> Sender<T, Unbounded> {
    /// Sends a value; there is always room, so it does not wait.
    ///
    /// A sender that is faster than the receivers fills the memory. Where that can happen, use a
    /// [bounded](super::bounded) channel.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the channel is closed.
    ///
    /// # Counterparts
    /// asyncio's `Queue.put_nowait` without a `maxsize`, tokio's `mpsc::UnboundedSender::send`.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::unbounded();
    /// assert!(sender.send(1).is_ok());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// drop(receiver);
    /// assert!(sender.send(2).is_err());
    /// ```
    #[inline]
    #[doc(alias("put_nowait", "try_send"))]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut item = Some(value);
        match (self.flow.try_push(&mut item), item) {
            (Err(_closed), Some(value)) => Err(SendError(value)),
            _ => Ok(()),
        }
    }
}
