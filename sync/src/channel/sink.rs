//! Senders as sinks.

use super::Sender;
use super::error::SendError;
use super::kind::Unbounded;
use super::reserve::poll_one;
use crate::waiters::Waiter;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_sink::Sink;

/// A sender that is a `futures` sink. Made by [`Sender::into_sink`].
///
/// Being ready is to have room [reserved](Sender::reserve), which is given back when the sink is dropped. Flushing waits for
/// nothing: what was sent is in the channel. Closing drops the sender.
///
/// # Counterparts
/// tokio-util's `PollSender`.
///
/// # Examples
/// ```
/// use futures::{SinkExt, StreamExt, stream};
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::channel::bounded(4);
/// let mut sink = sender.into_sink();
/// sink.send_all(&mut stream::iter([Ok(1), Ok(2)])).await.expect("the receiver is alive");
/// sink.close().await.expect("a sink can always be closed");
/// assert_eq!(receiver.collect::<Vec<_>>().await, [1, 2]);
/// # });
/// ```
pub struct SenderSink<T> {
    /// None once it was closed.
    sender: Option<Sender<T>>,
    /// One place is reserved.
    ready: bool,
    seat: Pin<Box<Waiter>>,
}

impl<T> SenderSink<T> {
    /// Gives back what is reserved and leaves the queue of those who wait.
    fn let_go(&mut self) {
        if let Some(sender) = &self.sender {
            sender.flow().leave_senders(self.seat.as_ref());
            if core::mem::take(&mut self.ready) {
                sender.flow().give_back(1);
            }
        }
    }
}

impl<T> Sender<T> {
    /// The sender as a sink, for code that is written against that trait. Allocates once.
    ///
    /// # Examples
    /// ```
    /// use futures::SinkExt;
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::bounded(1);
    /// sender.into_sink().send("a").await.expect("the receiver is alive");
    /// assert_eq!(receiver.recv().await, Ok("a"));
    /// # });
    /// ```
    pub fn into_sink(self) -> SenderSink<T> {
        SenderSink { sender: Some(self), ready: false, seat: Box::pin(Waiter::new()) }
    }
}

/// The sink was closed, or the channel is.
const CLOSED: SendError<()> = SendError(());

impl<T> Sink<T> for SenderSink<T> {
    type Error = SendError<()>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = &mut *self;
        let Some(sender) = &this.sender else { return Poll::Ready(Err(CLOSED)) };
        if !this.ready {
            ready!(poll_one(sender, this.seat.as_ref(), cx))?;
            this.ready = true;
        }
        Poll::Ready(Ok(()))
    }

    /// # Panics
    /// If it was not ready.
    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        let ready = core::mem::take(&mut self.ready);
        let Some(sender) = &self.sender else { return Err(CLOSED) };
        assert!(
            ready,
            "start_send on a sink that was not ready: await poll_ready before each item, or use SinkExt::send"
        );
        sender.flow().push_reserved(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.let_go();
        self.sender = None;
        Poll::Ready(Ok(()))
    }
}

impl<T> Unpin for SenderSink<T> {}

impl<T> Drop for SenderSink<T> {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl<T> fmt::Debug for SenderSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderSink").field("sender", &self.sender).field("ready", &self.ready).finish()
    }
}

/// Always ready while the channel is open.
impl<T> Sink<T> for Sender<T, Unbounded> {
    type Error = SendError<()>;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(if self.is_closed() { Err(CLOSED) } else { Ok(()) })
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        self.send(item).map_err(|_value| CLOSED)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}
