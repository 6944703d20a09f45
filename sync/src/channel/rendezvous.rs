//! Sending where there is no room: each value goes from hand to hand.

use super::error::{SendError, SendTimeoutError, TrySendError};
use super::queue::NotPushed;
use super::{Rendezvous, Sender};
use crate::block_on::block_on_for;
use crate::coop;
use crate::waiters::{Phase, Waiter};
use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;

impl<T> Sender<T, Rendezvous> {
    /// Sends a value; waits until a receiver has taken it.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the channel is or gets closed before that.
    ///
    /// # Cancel safety
    /// If the future is dropped before a receiver has taken the value, it was not sent and is dropped with the future;
    /// [`Handover::take_back`] saves it.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, receiver) = weftwork_sync::channel::rendezvous();
    /// let (sent, received) = futures::join!(sender.send(1), receiver.recv());
    /// assert_eq!((sent, received), (Ok(()), Ok(1)));
    /// # });
    /// ```
    pub fn send(&self, value: T) -> Handover<'_, T> {
        Handover { sender: self, stage: Stage::Begin(value), waiter: Waiter::new() }
    }

    /// Hands a value to a receiver that waits for one. If that receiver is dropped before it comes for it, the next one
    /// gets the value.
    ///
    /// # Errors
    /// [`TrySendError`] with the value: `Full` if no receiver waits.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::channel::{self, TrySendError};
    /// let (sender, _receiver) = channel::rendezvous();
    /// assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut value = Some(value);
        match (self.flow.try_send(&mut value), value) {
            (Err(NotPushed::Full), Some(value)) => Err(TrySendError::Full(value)),
            (Err(NotPushed::Closed), Some(value)) => Err(TrySendError::Closed(value)),
            _ => Ok(()),
        }
    }

    /// Sends a value from a thread that runs no tasks; blocks until a receiver has taken it.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that receives may need that thread.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::channel::rendezvous();
    /// std::thread::spawn(move || sender.blocking_send(1));
    /// assert_eq!(receiver.blocking_recv(), Ok(1));
    /// ```
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        crate::block_on(self.send(value))
    }

    /// As [`blocking_send`](Self::blocking_send), for at most `timeout`.
    ///
    /// # Errors
    /// [`SendTimeoutError`] with the value.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let (sender, _receiver) = weftwork_sync::channel::rendezvous();
    /// let late = sender.blocking_send_timeout(1, Duration::from_millis(1));
    /// assert_eq!(late.map_err(|error| error.into_inner()), Err(1));
    /// ```
    pub fn blocking_send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let mut send = pin!(self.send(value));
        match block_on_for(send.as_mut(), timeout) {
            Some(sent) => sent.map_err(|error| SendTimeoutError::Closed(error.0)),
            // None if it was taken just now.
            None => send.take_back().map_or(Ok(()), |value| Err(SendTimeoutError::Timeout(value))),
        }
    }
}

/// Where a [`Handover`] stands. Not pinned.
enum Stage<T> {
    Begin(T),
    /// The value is among the offers, under this number.
    Offered(u64),
    Done,
}

/// The future of [`Sender::send`] where the channel has no buffer.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Handover<'a, T> {
    sender: &'a Sender<T, Rendezvous>,
    stage: Stage<T>,
    waiter: Waiter,
}

impl<'a, T> Handover<'a, T> {
    fn project(self: Pin<&mut Self>) -> (&'a Sender<T, Rendezvous>, &mut Stage<T>, Pin<&Waiter>) {
        // SAFETY: only the waiter is pinned, and it is handed out pinned.
        unsafe {
            let this = self.get_unchecked_mut();
            (this.sender, &mut this.stage, Pin::new_unchecked(&this.waiter))
        }
    }

    /// Gives up and takes the value back; `None` if a receiver has taken it. The future must not be polled afterwards.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    /// let (sender, receiver) = weftwork_sync::channel::rendezvous();
    /// let mut send = pin!(sender.send(1));
    /// assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    /// assert_eq!(send.take_back(), Some(1));
    /// assert!(receiver.try_recv().is_err());
    /// ```
    pub fn take_back(self: Pin<&mut Self>) -> Option<T> {
        let (sender, stage, waiter) = self.project();
        match core::mem::replace(stage, Stage::Done) {
            Stage::Begin(value) => Some(value),
            Stage::Offered(number) => sender.flow().withdraw(number, waiter),
            Stage::Done => None,
        }
    }
}

impl<T> Future for Handover<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (sender, stage, waiter) = self.project();
        let flow = sender.flow();
        let begun = waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a receiver")));
        // While the value is among the offers the stage says so, also if a waker's clone panics in here: the waiter is linked.
        let sent = if let Stage::Offered(number) = *stage {
            // SAFETY: the offer was made, and when its end is told the stage says so.
            let taken = ready!(unsafe { flow.poll_taken(number, waiter, cx) });
            *stage = Stage::Done;
            match taken {
                Err(Some(value)) => Err(SendError(value)),
                _ => Ok(()),
            }
        } else if let Stage::Begin(value) = core::mem::replace(stage, Stage::Done) {
            let mut value = Some(value);
            // SAFETY: idle before it began, and the offer is withdrawn when the future is dropped.
            match (unsafe { flow.offer(&mut value, waiter, cx) }, value) {
                (Ok(number), _) => {
                    *stage = Stage::Offered(number);
                    return Poll::Pending;
                }
                (Err(_closed), Some(value)) => Err(SendError(value)),
                (Err(_closed), None) => Ok(()),
            }
        } else {
            panic!("Handover was polled after it completed: await it once, or fuse it")
        };
        unit.made_progress();
        Poll::Ready(sent)
    }
}

impl<T> Drop for Handover<'_, T> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        drop(unsafe { Pin::new_unchecked(self) }.take_back());
    }
}

impl<T> fmt::Debug for Handover<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
