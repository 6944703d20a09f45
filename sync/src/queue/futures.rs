//! The futures of a queue: a waiter each, and the item that is on its way.

use super::error::{GetError, PutError};
use super::item::Item;
use super::order::Order;
use super::state::{Core, ShutDown, Side, Turn};
use super::unfinished::Unfinished;
use crate::coop;
use crate::waiters::{Phase, Waiter};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// The future of [`Queue::put`](super::Queue::put) and its like.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Put<'a, O: Order> {
    core: &'a Core<O>,
    /// There until it was put, given back or taken back. Not pinned.
    item: Option<O::Item>,
    late: usize,
    waiter: Waiter,
}

impl<'a, O: Order> Put<'a, O> {
    pub(super) fn new(core: &'a Core<O>, item: O::Item) -> Self {
        Self { core, item: Some(item), late: 0, waiter: Waiter::new() }
    }

    /// Gives up and takes the item back; `None` if it was put. The future must not be polled afterwards.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    /// let queue = weftwork_sync::Queue::bounded(1);
    /// assert!(queue.try_put(1).is_ok());
    /// let mut put = pin!(queue.put(2));
    /// assert!(put.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    /// assert_eq!(put.take_back(), Some(2));
    /// ```
    pub fn take_back(self: Pin<&mut Self>) -> Option<O::Item> {
        let (core, item, mut turn) = self.project();
        core.leave(&mut turn);
        item.take()
    }

    fn project(self: Pin<&mut Self>) -> (&'a Core<O>, &mut Option<O::Item>, Turn<'_>) {
        // SAFETY: only the waiter is pinned, and it is handed out pinned.
        unsafe {
            let this = self.get_unchecked_mut();
            let waiter = Pin::new_unchecked(&this.waiter);
            (this.core, &mut this.item, Turn { side: Side::Putters, waiter, late: &mut this.late })
        }
    }
}

impl<O: Order> Future for Put<'_, O> {
    type Output = Result<(), PutError<O::Item>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (core, item, mut turn) = self.project();
        assert!(item.is_some(), "Put was polled after it completed: await it once, or fuse it");
        let begun = turn.waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("room in a queue")));
        // SAFETY: the waiter meets this queue and side alone, and `leave` is called in Drop.
        let put = ready!(unsafe { core.poll(&mut turn, cx, |state, mine| core.put(state, mine, item)) });
        unit.made_progress();
        Poll::Ready(match (put, item.take()) {
            (Err(ShutDown), Some(item)) => Err(PutError(item)),
            _ => Ok(()),
        })
    }
}

impl<O: Order> Drop for Put<'_, O> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        let waiter = unsafe { Pin::new_unchecked(&self.waiter) };
        self.core.leave(&mut Turn { side: Side::Putters, waiter, late: &mut self.late });
    }
}

impl<O: Order> fmt::Debug for Put<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("phase", &self.waiter.phase()).field("late", &self.late).finish_non_exhaustive()
    }
}

/// The future of [`Queue::get`](super::Queue::get) and its like.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Get<'a, O: Order> {
    core: &'a Core<O>,
    late: usize,
    waiter: Waiter,
}

impl<'a, O: Order> Get<'a, O> {
    pub(super) fn new(core: &'a Core<O>) -> Self {
        Self { core, late: 0, waiter: Waiter::new() }
    }
}

impl<'a, O: Order> Future for Get<'a, O> {
    type Output = Result<Item<'a, O::Item>, GetError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the waiter is pinned, and it is used pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
        let core = this.core;
        let unit = ready!(coop::proceed_for(cx, waiter.phase() != Phase::Idle, || coop::Wait::new("an item")));
        let mut turn = Turn { side: Side::Getters, waiter, late: &mut this.late };
        // SAFETY: the waiter meets this queue and side alone, and `leave` is called in Drop.
        let got = ready!(unsafe { core.poll(&mut turn, cx, |state, mine| core.get(state, mine)) });
        unit.made_progress();
        Poll::Ready(match got {
            Ok(item) => Ok(Item::new(item, &core.unfinished)),
            Err(ShutDown) => Err(GetError(())),
        })
    }
}

impl<O: Order> Drop for Get<'_, O> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        let waiter = unsafe { Pin::new_unchecked(&self.waiter) };
        self.core.leave(&mut Turn { side: Side::Getters, waiter, late: &mut self.late });
    }
}

impl<O: Order> fmt::Debug for Get<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("phase", &self.waiter.phase()).field("late", &self.late).finish_non_exhaustive()
    }
}

/// The future of [`Queue::join`](super::Queue::join) and its like.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Join<'a> {
    unfinished: &'a Unfinished,
    waiter: Waiter,
}

impl<'a> Join<'a> {
    pub(super) fn new(unfinished: &'a Unfinished) -> Self {
        Self { unfinished, waiter: Waiter::new() }
    }
}

impl Future for Join<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        this.unfinished.poll_none(waiter, cx)
    }
}

impl Drop for Join<'_> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.unfinished.leave(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl fmt::Debug for Join<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
