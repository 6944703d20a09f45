//! The futures of sending and receiving: a waiter each, and the value that is on its way.

use super::error::{RecvError, SendError};
use super::flow::Flow;
use super::kind::{Bounded, Kind};
use super::queue::{NotPopped, NotPushed};
use super::{Receiver, Sender};
use crate::coop;
use crate::waiters::{Phase, Waiter};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// The future of [`Sender::send`] where the channel has a bound.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Send<'a, T> {
    sender: &'a Sender<T>,
    /// There until it was sent, given back or taken back. Not pinned.
    value: Option<T>,
    waiter: Waiter,
}

impl<'a, T> Send<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, value: T) -> Self {
        Self { sender, value: Some(value), waiter: Waiter::new() }
    }

    /// Gives up and takes the value back; `None` if it was sent. The future must not be polled afterwards.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    /// let (sender, _receiver) = weftwork_sync::channel::bounded(1);
    /// assert!(sender.try_send(1).is_ok());
    /// let mut send = pin!(sender.send(2));
    /// assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    /// assert_eq!(send.take_back(), Some(2));
    /// ```
    pub fn take_back(self: Pin<&mut Self>) -> Option<T> {
        let (sender, value, waiter) = self.project();
        sender.flow().leave_senders(waiter);
        value.take()
    }

    fn project(self: Pin<&mut Self>) -> (&'a Sender<T>, &mut Option<T>, Pin<&Waiter>) {
        // SAFETY: only the waiter is pinned, and it is handed out pinned.
        unsafe {
            let this = self.get_unchecked_mut();
            (this.sender, &mut this.value, Pin::new_unchecked(&this.waiter))
        }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (sender, value, waiter) = self.project();
        assert!(value.is_some(), "Send was polled after it completed: await it once, or fuse it");
        let unit =
            ready!(coop::proceed_for(cx, waiter.phase() != Phase::Idle, || coop::Wait::new("room in a channel")));
        let pushed = ready!(sender.flow().poll_push(value, waiter, cx));
        unit.made_progress();
        Poll::Ready(match (pushed, value.take()) {
            (Err(NotPushed::Full | NotPushed::Closed), Some(value)) => Err(SendError(value)),
            _ => Ok(()),
        })
    }
}

impl<T> Drop for Send<'_, T> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.sender.flow().leave_senders(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<T> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Recv<'a, T, K: Kind = Bounded> {
    receiver: &'a Receiver<T, K>,
    waiter: Waiter,
}

impl<'a, T, K: Kind> Recv<'a, T, K> {
    pub(super) fn new(receiver: &'a Receiver<T, K>) -> Self {
        Self { receiver, waiter: Waiter::new() }
    }
}

impl<T, K: Kind> Future for Recv<'_, T, K> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        poll_recv(this.receiver.flow(), waiter, cx)
    }
}

/// What [`Recv`] does, for whoever keeps a waiter elsewhere.
#[inline]
pub(super) fn poll_recv<F: Flow>(
    flow: &F,
    waiter: Pin<&Waiter>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Item, RecvError>> {
    let unit = ready!(coop::proceed_for(cx, waiter.phase() != Phase::Idle, || coop::Wait::new("a message")));
    let popped = ready!(flow.poll_pop(waiter, cx));
    unit.made_progress();
    Poll::Ready(popped.map_err(|_: NotPopped| RecvError(())))
}

impl<T, K: Kind> Drop for Recv<'_, T, K> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.receiver.flow().leave_receivers(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<T, K: Kind> fmt::Debug for Recv<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv_many`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvMany<'a, T, K: Kind = Bounded> {
    receiver: &'a Receiver<T, K>,
    into: &'a mut Vec<T>,
    limit: usize,
    waiter: Waiter,
}

impl<'a, T, K: Kind> RecvMany<'a, T, K> {
    pub(super) fn new(receiver: &'a Receiver<T, K>, into: &'a mut Vec<T>, limit: usize) -> Self {
        Self { receiver, into, limit, waiter: Waiter::new() }
    }
}

impl<T, K: Kind> Future for RecvMany<'_, T, K> {
    type Output = Result<usize, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the waiter is pinned, and it is handed on pinned.
        let (receiver, into, limit, waiter) = unsafe {
            let this = self.get_unchecked_mut();
            (this.receiver, &mut *this.into, this.limit, Pin::new_unchecked(&this.waiter))
        };
        if limit == 0 {
            return Poll::Ready(Ok(0));
        }
        let unit = ready!(coop::proceed_for(cx, waiter.phase() != Phase::Idle, || coop::Wait::new("messages")));
        let popped = ready!(receiver.flow().poll_pop_many(limit, into, waiter, cx));
        unit.made_progress();
        Poll::Ready(popped.map_err(|_: NotPopped| RecvError(())))
    }
}

impl<T, K: Kind> Drop for RecvMany<'_, T, K> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.receiver.flow().leave_receivers(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<T, K: Kind> fmt::Debug for RecvMany<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvMany")
            .field("limit", &self.limit)
            .field("phase", &self.waiter.phase())
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::closed`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Closed<'a, T, K: Kind = Bounded> {
    sender: &'a Sender<T, K>,
    waiter: Waiter,
}

impl<'a, T, K: Kind> Closed<'a, T, K> {
    pub(super) fn new(sender: &'a Sender<T, K>) -> Self {
        Self { sender, waiter: Waiter::new() }
    }
}

impl<T, K: Kind> Future for Closed<'_, T, K> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        let wait = || coop::Wait::new("the end of a channel");
        let unit = ready!(coop::proceed_for(cx, waiter.phase() != Phase::Idle, wait));
        let flow = this.sender.flow();
        ready!(flow.handles().poll_closed(waiter, cx, || flow.is_closed()));
        unit.made_progress();
        Poll::Ready(())
    }
}

impl<T, K: Kind> Drop for Closed<'_, T, K> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.sender.flow().handles().leave(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<T, K: Kind> fmt::Debug for Closed<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
