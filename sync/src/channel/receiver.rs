//! The end that receives.

use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::flow::Flow;
use super::futures::{Recv, RecvMany, poll_recv};
use super::kind::{Bounded, Kind};
use super::queue::NotPopped;
use crate::block_on::block_on_for;
use crate::primitive::Shared;
use crate::waiters::Waiter;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;

/// The end that receives. Clone it for more receivers; dropping the last one closes the channel and drops what is in it.
///
/// It is a stream, too, with the feature `stream`, which is on by default.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(1);
/// let other = receiver.clone();
/// assert!(sender.send(1).await.is_ok());
/// assert_eq!(other.recv().await, Ok(1));
/// # });
/// ```
pub struct Receiver<T, K: Kind = Bounded> {
    flow: Shared<K::Flow<T>>,
    /// Where [`poll_recv`](Self::poll_recv) waits, made when it does so first.
    seat: Option<Pin<Box<Waiter>>>,
}

impl<T, K: Kind> Receiver<T, K> {
    pub(super) fn new(flow: Shared<K::Flow<T>>) -> Self {
        Self { flow, seat: None }
    }

    /// Receives a value; waits while the channel is empty.
    ///
    /// # Errors
    /// [`RecvError`] if the channel is closed and everything that was sent has been received.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: a value is taken only when the future completes.
    ///
    /// # Counterparts
    /// asyncio's `Queue.get`, tokio's `mpsc::Receiver::recv`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// sender.send("a").await.expect("the receiver is alive");
    /// drop(sender);
    /// assert_eq!(receiver.recv().await, Ok("a"));
    /// assert!(receiver.recv().await.is_err());
    /// # });
    /// ```
    #[doc(alias = "get")]
    pub fn recv(&self) -> Recv<'_, T, K> {
        Recv::new(self)
    }

    /// Receives a value if there is one.
    ///
    /// # Errors
    /// [`TryRecvError`]: `Empty` also while another thread is in the middle of sending the value that comes next, `Closed`
    /// if the channel is closed and everything that was sent has been received.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.try_send(1).is_ok());
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    #[inline]
    #[doc(alias = "get_nowait")]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.flow.try_pop().map_err(|why| match why {
            NotPopped::Empty => TryRecvError::Empty,
            NotPopped::Closed => TryRecvError::Closed,
        })
    }

    /// Receives up to `limit` values at once and appends them to `into`; waits while the channel is empty. Says how many, at
    /// least one unless `limit` is 0, for which it does not wait.
    ///
    /// It costs little more than receiving one value, and one unit of the poll budget.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: values are taken only when the future completes.
    ///
    /// # Counterparts
    /// tokio's `mpsc::Receiver::recv_many`, which says 0 at the end.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(8);
    /// for number in 0..5 {
    ///     sender.send(number).await.expect("the receiver is alive");
    /// }
    /// let mut batch = Vec::new();
    /// assert_eq!(receiver.recv_many(&mut batch, 3).await, Ok(3));
    /// assert_eq!(batch, [0, 1, 2]);
    /// # });
    /// ```
    pub fn recv_many<'a>(&'a self, into: &'a mut Vec<T>, limit: usize) -> RecvMany<'a, T, K> {
        RecvMany::new(self, into, limit)
    }

    /// Receives up to `limit` values if there are any, appends them to `into`, and says how many.
    ///
    /// # Errors
    /// As [`try_recv`](Self::try_recv).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::channel::{self, TryRecvError};
    /// let (sender, receiver) = channel::bounded(2);
    /// assert!(sender.try_send('a').is_ok());
    /// let mut batch = Vec::new();
    /// assert_eq!(receiver.try_recv_many(&mut batch, 10), Ok(1));
    /// assert_eq!(receiver.try_recv_many(&mut batch, 10), Err(TryRecvError::Empty));
    /// assert_eq!(batch, ['a']);
    /// ```
    pub fn try_recv_many(&self, into: &mut Vec<T>, limit: usize) -> Result<usize, TryRecvError> {
        if limit == 0 {
            return Ok(0);
        }
        self.flow.try_pop_many(limit, into).map_err(|why| match why {
            NotPopped::Empty => TryRecvError::Empty,
            NotPopped::Closed => TryRecvError::Closed,
        })
    }

    /// Receives a value on a thread that runs no tasks; blocks while the channel is empty.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that sends may need that thread.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// std::thread::spawn(move || sender.blocking_send(1));
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    pub fn blocking_recv(&self) -> Result<T, RecvError> {
        match self.try_recv() {
            Ok(value) => Ok(value),
            Err(TryRecvError::Closed) => Err(RecvError(())),
            Err(TryRecvError::Empty) => crate::block_on(self.recv()),
        }
    }

    /// As [`blocking_recv`](Self::blocking_recv), for at most `timeout`.
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(receiver.blocking_recv_timeout(Duration::ZERO).is_err());
    /// assert!(sender.try_send(1).is_ok());
    /// assert_eq!(receiver.blocking_recv_timeout(Duration::from_secs(1)), Ok(1));
    /// ```
    pub fn blocking_recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match block_on_for(pin!(self.recv()), timeout) {
            Some(received) => received.map_err(|RecvError(())| RecvTimeoutError::Closed),
            None => Err(RecvTimeoutError::Timeout),
        }
    }

    /// [`recv`](Self::recv) for futures written by hand: a value, the end, or `Pending` with the context's waker kept. Only
    /// the waker of the last call is kept. The first call that has to wait allocates.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Counterparts
    /// tokio's `mpsc::Receiver::poll_recv`.
    ///
    /// # Examples
    /// ```
    /// use std::future::poll_fn;
    /// # weftwork_sync::block_on(async {
    /// let (sender, mut receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.try_send(1).is_ok());
    /// assert_eq!(poll_fn(|cx| receiver.poll_recv(cx)).await, Ok(1));
    /// # });
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let seat = self.seat.get_or_insert_with(|| Box::pin(Waiter::new()));
        poll_recv(&*self.flow, seat.as_ref(), cx)
    }

    /// All values until the channel is closed and empty, one after the other, on a thread that runs no tasks: blocks while
    /// the channel is empty.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// std::thread::spawn(move || (0..3).try_for_each(|n| sender.blocking_send(n)));
    /// assert_eq!(receiver.blocking_iter().sum::<i32>(), 3);
    /// ```
    #[doc(alias = "iter")]
    pub fn blocking_iter(&self) -> BlockingIter<'_, T, K> {
        BlockingIter { receiver: self }
    }

    /// Closes the channel: nothing more can be sent but by permits that are out, what was sent can be received. `false` if it
    /// was closed before.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(receiver.close());
    /// assert!(sender.try_send(1).is_err());
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) -> bool {
        self.flow.close()
    }

    /// Whether both receive from the same channel.
    ///
    /// # Examples
    /// ```
    /// let (_sender, receiver) = weftwork_sync::channel::bounded::<u8>(1);
    /// assert!(receiver.same_channel(&receiver.clone()));
    /// assert!(!receiver.same_channel(&weftwork_sync::channel::bounded(1).1));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.flow, &other.flow)
    }

    #[inline]
    pub(super) fn flow(&self) -> &K::Flow<T> {
        &self.flow
    }
}

/// Nothing in it is pinned.
impl<T, K: Kind> Unpin for Receiver<T, K> {}

impl<T, K: Kind> Clone for Receiver<T, K> {
    fn clone(&self) -> Self {
        self.flow.handles().add_receiver();
        Self::new(self.flow.clone())
    }
}

impl<T, K: Kind> Drop for Receiver<T, K> {
    fn drop(&mut self) {
        if let Some(seat) = &self.seat {
            self.flow.leave_receivers(seat.as_ref());
        }
        if self.flow.handles().drop_receiver() {
            self.flow.receivers_gone();
        }
    }
}

/// The iterator of [`Receiver::blocking_iter`].
#[derive(Debug)]
pub struct BlockingIter<'a, T, K: Kind = Bounded> {
    receiver: &'a Receiver<T, K>,
}

impl<T, K: Kind> Iterator for BlockingIter<'_, T, K> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.blocking_recv().ok()
    }
}
