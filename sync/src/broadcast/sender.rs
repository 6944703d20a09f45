//! The ends that send.

use super::error::SendError;
use super::places;
use super::receiver::Receiver;
use super::state::Channel;
use crate::primitive::{Shared, WeakShared};
use crate::wait_count::{WaitCount, is_zero};
use crate::wait_word::Waiting;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The end that sends. Clone it for more; dropping the last tells the receivers that nothing more will come.
///
/// # Examples
/// ```
/// let (sender, mut first) = weftwork_sync::broadcast::channel(4);
/// let mut second = sender.subscribe();
/// assert_eq!(sender.send(1).map_err(|error| error.into_inner()), Ok(2));
/// assert_eq!((first.try_recv(), second.try_recv()), (Ok(1), Ok(1)));
/// ```
pub struct Sender<T> {
    channel: Shared<Channel<T>>,
}

impl<T> Sender<T> {
    /// The caller has counted one sender.
    pub(super) fn of(channel: Shared<Channel<T>>) -> Self {
        Self { channel }
    }

    /// A sender without a receiver; [`subscribe`](Self::subscribe) makes them.
    ///
    /// # Panics
    /// As [`channel`](super::channel).
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::broadcast::Sender::<u8>::new(4);
    /// assert_eq!(sender.receiver_count(), 0);
    /// ```
    pub fn new(capacity: usize) -> Self {
        Self::of(Shared::new(Channel::new(places(capacity), 0)))
    }

    /// Sends a value to all receivers that there are, without waiting; how many they are. That it was sent does not mean that
    /// they will receive it.
    ///
    /// # Errors
    /// [`SendError`] with the value, if there is no receiver. Another may come later.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::broadcast::channel(4);
    /// assert!(sender.send(1).is_ok());
    /// drop(receiver);
    /// assert!(sender.send(2).is_err());
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.channel.send(value).map_err(SendError)
    }

    /// Another receiver, of what is sent from now on.
    ///
    /// # Panics
    /// If there are 2^32 - 1 receivers.
    ///
    /// # Examples
    /// ```
    /// let (sender, _first) = weftwork_sync::broadcast::channel(4);
    /// assert!(sender.send(1).is_ok());
    /// let mut second = sender.subscribe();
    /// assert!(sender.send(2).is_ok());
    /// assert_eq!(second.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let wanted = self.channel.enter();
        Receiver::of(self.channel.clone(), wanted)
    }

    /// A sender that does not keep the channel open.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::broadcast::channel::<u8>(4);
    /// let weak = sender.downgrade();
    /// drop(sender);
    /// assert!(receiver.is_closed() && weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { channel: Shared::downgrade(&self.channel) }
    }

    /// How many values there are that not all receivers have received; never more than the ring has places.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = weftwork_sync::broadcast::channel(4);
    /// assert!(sender.send(1).is_ok() && sender.send(2).is_ok());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert_eq!(sender.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.channel.len()
    }

    /// Whether all receivers have received everything.
    ///
    /// # Examples
    /// ```
    /// assert!(weftwork_sync::broadcast::Sender::<u8>::new(4).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values a receiver can be behind without missing any.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::broadcast::Sender::<u8>::new(5).capacity(), 8);
    /// ```
    pub fn capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// How many receivers there are at this moment.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = weftwork_sync::broadcast::channel::<u8>(4);
    /// assert_eq!(sender.receiver_count(), 1);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.channel.receivers.get()
    }

    /// How many senders there are at this moment, the weak ones not counted.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::broadcast::Sender::<u8>::new(4).sender_count(), 1);
    /// ```
    #[doc(alias = "strong_count")]
    pub fn sender_count(&self) -> usize {
        self.channel.senders.get()
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::broadcast::channel::<u8>(4);
    /// drop(receiver);
    /// sender.closed().await;
    /// # });
    /// ```
    pub fn closed(&self) -> Closed<'_> {
        Closed { waiting: Waiting::new(&self.channel.receivers) }
    }

    /// Whether both send into the same channel.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::broadcast::Sender::<u8>::new(4);
    /// assert!(sender.same_channel(&sender.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.channel.senders.add();
        Self { channel: self.channel.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.channel.senders.remove() {
            self.channel.close();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Sender")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("receivers", &self.receiver_count())
            .field("senders", &self.sender_count())
            .finish()
    }
}

/// A sender that does not keep the channel open. While other senders do, it can be made one again.
///
/// # Examples
/// ```
/// let (sender, mut receiver) = weftwork_sync::broadcast::channel(4);
/// let weak = sender.downgrade();
/// if let Some(sender) = weak.upgrade() {
///     assert!(sender.send(1).is_ok());
/// }
/// assert_eq!(receiver.try_recv(), Ok(1));
/// ```
pub struct WeakSender<T> {
    channel: WeakShared<Channel<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, unless all were dropped: then the channel is closed for good.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::broadcast::Sender::<u8>::new(4);
    /// assert!(sender.downgrade().upgrade().is_some());
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let channel = self.channel.upgrade()?;
        channel.senders.add_to_some().then(|| Sender::of(channel))
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { channel: self.channel.clone() }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::WeakSender")
    }
}

/// The future of [`Sender::closed`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Closed<'a> {
    waiting: Waiting<&'a WaitCount>,
}

impl Future for Closed<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        waiting.poll_as_leaf(cx, "the end of a broadcast", is_zero)
    }
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Closed").field("phase", &self.waiting).finish_non_exhaustive()
    }
}
