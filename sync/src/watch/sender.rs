//! The end that changes the value.

use super::Ref;
use super::error::SendError;
use super::receiver::Receiver;
use super::state::State;
use crate::primitive::Shared;
use crate::wait_count::{WaitCount, is_zero};
use crate::wait_word::Waiting;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The end that changes the value. Clone it for more; dropping the last tells the receivers that no change will come.
///
/// # Examples
/// ```
/// let (sender, receiver) = weftwork_sync::watch::channel(1);
/// sender.send_modify(|value| *value += 1);
/// assert_eq!(*receiver.borrow(), 2);
/// ```
pub struct Sender<T> {
    state: Shared<State<T>>,
}

impl<T> Sender<T> {
    /// The caller has counted one sender.
    pub(super) fn of(state: Shared<State<T>>) -> Self {
        Self { state }
    }

    /// A sender without a receiver; [`subscribe`](Self::subscribe) makes them.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::watch::Sender::new(1);
    /// assert!(sender.is_closed());
    /// assert_eq!(*sender.subscribe().borrow(), 1);
    /// ```
    pub fn new(value: T) -> Self {
        Self::of(Shared::new(State::new(value, 0)))
    }

    /// Replaces the value and wakes all receivers; the old value is dropped.
    ///
    /// # Errors
    /// [`SendError`] with the value, if there is no receiver: nothing was replaced.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// drop(receiver);
    /// assert!(sender.send(3).is_err());
    /// assert_eq!(*sender.borrow(), 2);
    /// ```
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.state.replace(value));
        Ok(())
    }

    /// Changes the value in place and wakes all receivers, also if there are none at this moment.
    ///
    /// The closure runs under the value's lock: it must not touch this channel. If it panics, what it has done to the value
    /// stays, and nobody is told.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::watch::Sender::new(vec![1]);
    /// sender.send_modify(|list| list.push(2));
    /// assert_eq!(sender.borrow().len(), 2);
    /// ```
    pub fn send_modify(&self, change: impl FnOnce(&mut T)) {
        self.state.modify(|value| {
            change(value);
            true
        });
    }

    /// Changes the value in place and wakes all receivers if the closure says that it did; gives what that said.
    ///
    /// The closure runs under the value's lock, as that of [`send_modify`](Self::send_modify).
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::watch::channel(1);
    /// let raise = |to: u32| sender.send_if_modified(|value| to > std::mem::replace(value, to.max(*value)));
    /// assert!(raise(3));
    /// assert!(!raise(2));
    /// assert_eq!(*receiver.borrow(), 3);
    /// ```
    pub fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        self.state.modify(change)
    }

    /// Replaces the value and wakes all receivers, also if there are none at this moment; gives the old value.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::watch::Sender::new(1);
    /// assert_eq!(sender.send_replace(2), 1);
    /// ```
    pub fn send_replace(&self, value: T) -> T {
        self.state.replace(value)
    }

    /// The newest value. Nobody can change it while it is borrowed.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(*weftwork_sync::watch::Sender::new(1).borrow(), 1);
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref { value: self.state.value.read(), changed: false }
    }

    /// Another receiver, which has seen the value that there is now.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::watch::Sender::new(1);
    /// let receiver = sender.subscribe();
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        self.state.receivers.add();
        Receiver::of(self.state.clone())
    }

    /// Whether there is no receiver at this moment.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::watch::channel(1);
    /// drop(receiver);
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver, so that work for a value that nobody watches can stop.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// weftwork_sync::watch::Sender::new(1).closed().await;
    /// # });
    /// ```
    pub fn closed(&self) -> Closed<'_> {
        Closed { waiting: Waiting::new(&self.state.receivers) }
    }

    /// How many receivers there are at this moment.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::watch::Sender::new(1).receiver_count(), 0);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.state.receivers.get()
    }

    /// How many senders there are at this moment.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::watch::Sender::new(1).sender_count(), 1);
    /// ```
    pub fn sender_count(&self) -> usize {
        self.state.senders.get()
    }

    /// Whether both change the same value.
    ///
    /// # Examples
    /// ```
    /// let sender = weftwork_sync::watch::Sender::new(1);
    /// assert!(sender.same_channel(&sender.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.state, &other.state)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.state.senders.add();
        Self { state: self.state.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.state.senders.remove() {
            self.state.close();
        }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("watch::Sender")
            .field("receivers", &self.receiver_count())
            .field("waiters", &self.state.word.waiting())
            .finish_non_exhaustive()
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
        waiting.poll_as_leaf(cx, "the end of a watch", is_zero)
    }
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("watch::Closed").field("phase", &self.waiting).finish_non_exhaustive()
    }
}
