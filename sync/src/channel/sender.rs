//! The end that sends.

use super::error::{SendError, SendTimeoutError, TrySendError};
use super::flow::Flow;
use super::futures::{Closed, Send};
use super::kind::{Bounded, Kind};
use super::queue::NotPushed;
use super::reserve::{OwnedPermit, Permit, Permits, Reserve, ReserveMany, ReserveOwned};
use super::weak::WeakSender;
use crate::block_on::block_on_for;
use crate::primitive::Shared;
use core::pin::pin;
use core::time::Duration;

/// The end that sends. Clone it for more senders; dropping the last one closes the channel.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::channel::bounded(2);
/// let other = sender.clone();
/// assert!(sender.try_send(1).is_ok() && other.try_send(2).is_ok());
/// drop((sender, other));
/// assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
/// assert!(receiver.is_closed());
/// ```
pub struct Sender<T, K: Kind = Bounded> {
    pub(super) flow: Shared<K::Flow<T>>,
}

impl<T, K: Kind> Sender<T, K> {
    /// Closes the channel: nothing more can be sent but by permits that are out, what was sent can be received. `false` if it
    /// was closed before.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.try_send(1).is_ok());
    /// assert!(sender.close());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert!(receiver.try_recv().is_err());
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) -> bool {
        self.flow.close()
    }

    /// Waits until the channel is closed, by either end or because the last receiver was dropped, so that work for values
    /// that nobody wants can stop.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Counterparts
    /// tokio's `mpsc::Sender::closed`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
    /// drop(receiver);
    /// sender.closed().await;
    /// # });
    /// ```
    pub fn closed(&self) -> Closed<'_, T, K> {
        Closed::new(self)
    }

    /// A sender that does not keep the channel open.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
    /// let weak = sender.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(sender);
    /// assert!(receiver.is_closed() && weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T, K> {
        WeakSender { flow: self.flow.clone() }
    }

    /// Whether both send to the same channel.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = weftwork_sync::channel::bounded::<u8>(1);
    /// assert!(sender.same_channel(&sender.clone()));
    /// assert!(!sender.same_channel(&weftwork_sync::channel::bounded(1).0));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.flow, &other.flow)
    }

    #[inline]
    pub(super) fn flow(&self) -> &K::Flow<T> {
        &self.flow
    }
}

impl<T> Sender<T> {
    /// Sends a value; waits while the channel is full.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the channel is or gets closed.
    ///
    /// # Cancel safety
    /// If the future is dropped before it completes, the value was not sent and is dropped with it;
    /// [`Send::take_back`] saves it, and [`reserve`](Self::reserve) waits for room before there is a value to lose.
    ///
    /// # Counterparts
    /// asyncio's `Queue.put`, tokio's `mpsc::Sender::send`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// sender.send("a").await.expect("the receiver is alive");
    /// assert_eq!(receiver.recv().await, Ok("a"));
    /// # });
    /// ```
    #[doc(alias = "put")]
    pub fn send(&self, value: T) -> Send<'_, T> {
        Send::new(self, value)
    }

    /// Sends a value if there is room.
    ///
    /// # Errors
    /// [`TrySendError`] with the value: `Full` also while another thread is in the middle of taking a value out of the
    /// place that comes next, `Closed` if the channel is closed.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::channel::{self, TrySendError};
    /// let (sender, _receiver) = channel::bounded(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// ```
    #[inline]
    #[doc(alias = "put_nowait")]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut item = Some(value);
        let pushed = self.flow.try_push(&mut item);
        match (pushed, item) {
            (Err(NotPushed::Full), Some(value)) => Err(TrySendError::Full(value)),
            (Err(NotPushed::Closed), Some(value)) => Err(TrySendError::Closed(value)),
            _ => Ok(()),
        }
    }

    /// Sends a value from a thread that runs no tasks; blocks while the channel is full.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that receives may need that thread.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.blocking_send(1).is_ok());
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        match self.try_send(value) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(value)) => Err(SendError(value)),
            Err(TrySendError::Full(value)) => crate::block_on(self.send(value)),
        }
    }

    /// As [`blocking_send`](Self::blocking_send), for at most `timeout`.
    ///
    /// # Errors
    /// [`SendTimeoutError`] with the value.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.blocking_send_timeout(1, Duration::from_secs(1)).is_ok());
    /// assert!(sender.blocking_send_timeout(2, Duration::ZERO).is_err());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn blocking_send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let mut send = pin!(self.send(value));
        match block_on_for(send.as_mut(), timeout) {
            Some(sent) => sent.map_err(|error| SendTimeoutError::Closed(error.0)),
            // None if the value went out just now.
            None => send.take_back().map_or(Ok(()), |value| Err(SendTimeoutError::Timeout(value))),
        }
    }

    /// Waits for room for one value and sets it aside: sending by the [`Permit`] waits no more and does not fail.
    ///
    /// # Errors
    /// [`SendError`] if the channel is or gets closed.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing but its turn among those who wait.
    ///
    /// # Counterparts
    /// tokio's `mpsc::Sender::reserve`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(4);
    /// let permit = sender.reserve().await.expect("the receiver is alive");
    /// permit.send(String::from("made only when there is room"));
    /// assert_eq!(receiver.len(), 1);
    /// # });
    /// ```
    pub fn reserve(&self) -> Reserve<'_, T> {
        Reserve::new(self)
    }

    /// Sets room for one value aside if there is some.
    ///
    /// # Errors
    /// [`TrySendError`], as for [`try_send`](Self::try_send).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::channel::{self, TrySendError};
    /// let (sender, receiver) = channel::bounded(1);
    /// let permit = sender.try_reserve().expect("there is room");
    /// assert_eq!(sender.try_reserve().map(drop), Err(TrySendError::Full(())));
    /// permit.send(1);
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        match self.flow.try_reserve(1, 1) {
            Ok(_one) => Ok(Permit::new(self)),
            Err(NotPushed::Full) => Err(TrySendError::Full(())),
            Err(NotPushed::Closed) => Err(TrySendError::Closed(())),
        }
    }

    /// Waits for room for `count` values and sets it aside. What gets free is gathered until there is enough, for one
    /// caller at a time, in the order in which they came.
    ///
    /// # Errors
    /// [`ReserveError`](super::ReserveError) if the channel is or gets closed, or never has room for so many.
    ///
    /// # Cancel safety
    /// Dropping the future gives back what it has gathered; it loses nothing but its turn.
    ///
    /// # Counterparts
    /// tokio's `mpsc::Sender::reserve_many`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(4);
    /// let permits = sender.reserve_many(2).await.expect("the receiver is alive");
    /// for (permit, value) in permits.zip([1, 2]) {
    ///     permit.send(value);
    /// }
    /// assert_eq!(receiver.len(), 2);
    /// # });
    /// ```
    pub fn reserve_many(&self, count: usize) -> ReserveMany<'_, T> {
        ReserveMany::new(self, count)
    }

    /// Sets room for `count` values aside if there is so much.
    ///
    /// # Errors
    /// [`TrySendError`], as for [`try_send`](Self::try_send); also `Full` if `count` exceeds the capacity.
    ///
    /// # Examples
    /// ```
    /// let (sender, _receiver) = weftwork_sync::channel::bounded::<u8>(4);
    /// assert_eq!(sender.try_reserve_many(3).expect("there is room").len(), 3);
    /// assert!(sender.try_reserve_many(5).is_err());
    /// ```
    pub fn try_reserve_many(&self, count: usize) -> Result<Permits<'_, T>, TrySendError<()>> {
        let reserved = match count {
            _ if self.is_closed() => Err(NotPushed::Closed),
            0 => Ok(0),
            _ if count > self.capacity() => Err(NotPushed::Full),
            _ => self.flow.try_reserve(count, count),
        };
        match reserved {
            Ok(count) => Ok(Permits::new(self, count)),
            Err(NotPushed::Full) => Err(TrySendError::Full(())),
            Err(NotPushed::Closed) => Err(TrySendError::Closed(())),
        }
    }

    /// As [`reserve`](Self::reserve), with a permit that holds the sender and so can be kept anywhere.
    ///
    /// # Errors
    /// [`SendError`] if the channel is or gets closed; the sender is dropped.
    ///
    /// # Cancel safety
    /// If the future is dropped, so is the sender in it.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// let permit = sender.clone().reserve_owned().await.expect("the receiver is alive");
    /// std::thread::spawn(move || permit.send(1));
    /// assert_eq!(receiver.recv().await, Ok(1));
    /// # });
    /// ```
    pub fn reserve_owned(self) -> ReserveOwned<T> {
        ReserveOwned::new(self)
    }

    /// As [`try_reserve`](Self::try_reserve), with a permit that holds the sender.
    ///
    /// # Errors
    /// [`TrySendError`] with the sender.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// let permit = sender.try_reserve_owned().expect("there is room");
    /// permit.send(1);
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.flow.try_reserve(1, 1) {
            Ok(_one) => Ok(OwnedPermit::new(self)),
            Err(NotPushed::Full) => Err(TrySendError::Full(self)),
            Err(NotPushed::Closed) => Err(TrySendError::Closed(self)),
        }
    }
}

/// Nothing in it is pinned.
impl<T, K: Kind> Unpin for Sender<T, K> {}

impl<T, K: Kind> Clone for Sender<T, K> {
    fn clone(&self) -> Self {
        self.flow.handles().add_sender();
        Self { flow: self.flow.clone() }
    }
}

impl<T, K: Kind> Drop for Sender<T, K> {
    fn drop(&mut self) {
        if self.flow.handles().drop_sender() {
            self.flow.close();
        }
    }
}
