//! A sender that does not keep its channel open.

use super::flow::Flow;
use super::kind::{Bounded, Kind};
use super::{Sender, ask};
use crate::primitive::Shared;
use core::fmt;

/// A sender that does not keep its channel open: [`upgrade`](Self::upgrade) it in order to send, which works as long as
/// there is a sender. Made by [`Sender::downgrade`].
///
/// For a task that both feeds a channel and waits for its end, and for registries of senders. It keeps the memory of the
/// channel, not what is in it.
///
/// # Counterparts
/// tokio's `mpsc::WeakSender`.
///
/// # Examples
/// ```
/// use weftwork_sync::channel::{self, TryRecvError};
/// let (sender, receiver) = channel::bounded(1);
/// let weak = sender.downgrade();
/// if let Some(sender) = weak.upgrade() {
///     assert!(sender.try_send(1).is_ok());
/// }
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
/// ```
pub struct WeakSender<T, K: Kind = Bounded> {
    pub(super) flow: Shared<K::Flow<T>>,
}

impl<T, K: Kind> WeakSender<T, K> {
    /// A sender, if there is one still. It may be a sender to a channel that was closed.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = weftwork_sync::channel::bounded::<u8>(1);
    /// let weak = sender.downgrade();
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T, K>> {
        self.flow.handles().try_add_sender().then(|| Sender { flow: self.flow.clone() })
    }
}

impl<T, K: Kind> Clone for WeakSender<T, K> {
    fn clone(&self) -> Self {
        Self { flow: self.flow.clone() }
    }
}

impl<T, K: Kind> fmt::Debug for WeakSender<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ask::show(f, "channel::WeakSender", K::NAME, &*self.flow)
    }
}
