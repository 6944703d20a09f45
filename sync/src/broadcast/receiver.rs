//! The end that receives.

use super::error::{RecvError, TryRecvError};
use super::state::{Channel, Found, look};
use crate::coop;
use crate::primitive::Shared;
use crate::wait_word::{WaitWord, Waiting};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// The end that receives: every value that is sent while it exists, in order, unless it lags behind.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, mut receiver) = weftwork_sync::broadcast::channel(4);
/// assert!(sender.send(1).is_ok());
/// assert_eq!(receiver.recv().await, Ok(1));
/// # });
/// ```
pub struct Receiver<T> {
    channel: Shared<Channel<T>>,
    /// The position of the value that it receives next.
    wanted: usize,
}

impl<T> Receiver<T> {
    /// The caller has counted one receiver, from `wanted` on.
    pub(super) fn of(channel: Shared<Channel<T>>, wanted: usize) -> Self {
        Self { channel, wanted }
    }

    /// Receives a clone of the next value; waits while there is none.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] if values were missed: the next call goes on with the oldest that there is.
    /// [`RecvError::Closed`] if all senders are gone and everything was received.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: a value counts as received only when the future completes.
    ///
    /// # Fairness
    /// All who wait are told at once.
    ///
    /// # Counterparts
    /// tokio's `broadcast::Receiver::recv`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, mut receiver) = weftwork_sync::broadcast::channel(4);
    /// assert!(sender.send("a").is_ok());
    /// assert_eq!(receiver.recv().await, Ok("a"));
    /// # });
    /// ```
    pub fn recv(&mut self) -> Recv<'_, T>
    where
        T: Clone,
    {
        let channel = &*self.channel;
        Recv { channel, wanted: &mut self.wanted, waiting: Waiting::new(&channel.word) }
    }

    /// Receives a clone of the next value if there is one.
    ///
    /// # Errors
    /// [`TryRecvError`]: `Lagged` and `Closed` as for [`recv`](Self::recv), `Empty` if there is nothing yet.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::broadcast::{self, TryRecvError};
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// assert!(sender.send(1).is_ok());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        match self.channel.receive(&mut self.wanted) {
            Found::Value(value) => Ok(value),
            Found::Empty => Err(TryRecvError::Empty),
            Found::Closed => Err(TryRecvError::Closed),
            Found::Lagged(missed) => Err(TryRecvError::Lagged(missed)),
        }
    }

    /// As [`recv`](Self::recv), on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that sends may need that thread.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = weftwork_sync::broadcast::channel(4);
    /// std::thread::spawn(move || sender.send(1));
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    pub fn blocking_recv(&mut self) -> Result<T, RecvError>
    where
        T: Clone,
    {
        crate::block_on(self.recv())
    }

    /// Another receiver, of what is sent from now on: not of what this one has yet to receive.
    ///
    /// # Panics
    /// If there are 2^32 - 1 receivers.
    ///
    /// # Examples
    /// ```
    /// let (sender, first) = weftwork_sync::broadcast::channel(4);
    /// assert!(sender.send(1).is_ok());
    /// assert_eq!((first.len(), first.resubscribe().len()), (1, 0));
    /// ```
    #[must_use = "a receiver that is dropped at once receives nothing"]
    pub fn resubscribe(&self) -> Self {
        let wanted = self.channel.enter();
        Self::of(self.channel.clone(), wanted)
    }

    /// How many values were sent that this has not received. If they are more than the ring has places, the next call will
    /// say by how many it lags.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::broadcast::channel(1);
    /// assert!(sender.send(1).is_ok() && sender.send(2).is_ok());
    /// assert_eq!(receiver.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.channel.unread(self.wanted)
    }

    /// Whether this has received everything that was sent.
    ///
    /// # Examples
    /// ```
    /// let (_sender, receiver) = weftwork_sync::broadcast::channel::<u8>(1);
    /// assert!(receiver.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether all senders are gone. What they have sent can still be received.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::broadcast::channel::<u8>(1);
    /// drop(sender);
    /// assert!(receiver.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        look(self.channel.word.get()).1
    }

    /// Whether both receive from the same channel.
    ///
    /// # Examples
    /// ```
    /// let (_sender, receiver) = weftwork_sync::broadcast::channel::<u8>(1);
    /// assert!(receiver.same_channel(&receiver.resubscribe()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.leave(self.wanted);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Receiver")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Recv<'a, T> {
    channel: &'a Channel<T>,
    wanted: &'a mut usize,
    waiting: Waiting<&'a WaitWord>,
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only `waiting` is pinned, and it is handed out pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let mut waiting = unsafe { Pin::new_unchecked(&mut this.waiting) };
        let unit = ready!(coop::proceed_for(cx, waiting.has_begun(), || coop::Wait::new("a broadcast value")));
        if waiting.has_begun() {
            ready!(waiting.as_mut().poll(cx, |_| true));
        }
        let received = loop {
            match this.channel.receive(this.wanted) {
                Found::Value(value) => break Ok(value),
                Found::Closed => break Err(RecvError::Closed),
                Found::Lagged(missed) => break Err(RecvError::Lagged(missed)),
                Found::Empty => {
                    let wanted = *this.wanted;
                    ready!(waiting.as_mut().poll(cx, |word| {
                        let (next, closed) = look(word);
                        next != wanted || closed
                    }));
                }
            }
        };
        unit.made_progress();
        Poll::Ready(received)
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Recv").field("phase", &self.waiting).finish_non_exhaustive()
    }
}
