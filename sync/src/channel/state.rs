//! What senders and receivers of a buffered channel share: the queue, who waits on either side, and how many handles there
//! are. One text for both queues; to the one that has room for any number nobody ever waits to send.
//!
//! # Waiting
//! Nobody who finds room or an item touches a list, unless the word of the other [`Side`] says that somebody waits there. A
//! notification is a hint, so a receiver or a sender can be dropped at any moment and nothing is lost with it. A waiter that
//! comes too late goes back to the front.
//!
//! # Why nobody sleeps beside an item (a place)
//! Said for receivers; senders are the mirror image, with places for items.
//! 1. Waiting against pushing: a waiter raises the word and then looks at the queue
//!    ([`announce_then_check`](crate::primitive::dekker::announce_then_check), in `side.rs`); a sender makes its item visible
//!    and then reads the word ([`publish_then_check`](crate::primitive::dekker::publish_then_check), in the queue). One of the
//!    two sees the other.
//! 2. Every push that sees a waiter takes one more off the list, whether or not those before it have come yet, so a waiter
//!    that is notified and then not polled for long keeps nothing from the others (async-channel 45).
//! 3. A notified waiter can find nothing because the item before its own is not visible yet. When it is, its sender takes
//!    care of the waiters as in 1; and a receiver that was notified and got an item looks, after that, whether more items
//!    are there and somebody waits, and passes the notification on. It needs no fence for that look: being notified, it sees
//!    what its notifier saw, and whoever began to wait after that sees the notifier's item.
//! 4. A notified waiter that is dropped passes the notification on.
//! 5. Closing sets the bit in the queue and then takes everybody off both lists under their locks; who joins later sees the
//!    bit. A receiver that joined again because an item was still on its way, or a permit was out, is told by that item's
//!    sender, and passes the news on when it finds the channel closed.
//! 6. A permit that is given back makes room as a pop does, and tells senders. If the channel is closed and it was the last
//!    one, it is what receivers still waited for: all of them are told (tokio 2854, 3215, 8075, 8260).
//!
//! # The end of the receivers
//! The last receiver to go closes the channel and drops what is in it, so that nobody waits for what a lost message holds.
//! A sender that had claimed a place, or holds a permit for one, and fills it later finds `GONE` in the receivers' word (a
//! store-load pair again) and drops the rest itself.

use super::flow::{Flow, Handles};
use super::queue::{NotPopped, NotPushed, Queue};
use super::ring::Ring;
use super::side::{GONE, Side};
use super::turn::Turn;
use crate::WakeBatch;
use crate::waiters::Waiter;
use core::pin::Pin;
use core::task::{Context, Poll};

pub struct Channel<Q> {
    queue: Q,
    senders: Side,
    receivers: Side,
    handles: Handles,
    /// Of those who gather several permits one by one: two at once could each wait for what the other has.
    gathering: Turn,
}

/// What a look at the lists shows to somebody who has just taken or given.
#[derive(Clone, Copy)]
struct After {
    /// Waiters of the other side, who may want what was just given.
    others: usize,
    /// Waiters of the same side, for whom there may be more.
    ours: usize,
}

impl<Q: Queue> Channel<Q> {
    pub(super) fn new(queue: Q) -> Self {
        Self { queue, senders: Side::new(), receivers: Side::new(), handles: Handles::new(), gathering: Turn::new() }
    }

    /// Pushes without waiting.
    #[inline]
    pub(super) fn try_push(&self, item: &mut Option<Q::Item>) -> Result<(), NotPushed> {
        let receivers = self.queue.push(item, || self.receivers.waiting())?;
        if receivers != 0 {
            self.pushed_beside(receivers);
        }
        Ok(())
    }

    #[cold]
    fn pushed_beside(&self, receivers: usize) {
        if receivers == GONE { self.drain() } else { self.receivers.notify() }
    }

    /// Pushes, or leaves `waiter` in the senders' list.
    #[inline]
    pub(super) fn poll_push(
        &self,
        item: &mut Option<Q::Item>,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), NotPushed>> {
        let look = || After { others: self.receivers.waiting(), ours: self.senders.waiting() };
        let first = self.queue.push(item, look).map(|after| ((), after));
        self.settle_send(waiter, cx, first, || self.queue.push(item, look).map(|after| ((), after)))
    }

    /// What comes of a sender's first try: it is done, or tries again with `waiter` in the senders' list and waits there.
    #[inline]
    fn settle_send<R>(
        &self,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
        first: Result<(R, After), NotPushed>,
        retry: impl FnOnce() -> Result<(R, After), NotPushed>,
    ) -> Poll<Result<R, NotPushed>> {
        let (tried, notified) = match first {
            Err(NotPushed::Full) => {
                match self.senders.join(waiter, cx, retry, |tried| !matches!(tried, Err(NotPushed::Full))) {
                    Some(tried) => tried,
                    None => return Poll::Pending,
                }
            }
            tried => (tried, self.senders.settle(waiter)),
        };
        Poll::Ready(tried.map(|(out, after)| {
            if after.others != 0 {
                self.pushed_beside(after.others);
            }
            // Rule 3. A closed channel has nobody left in this list to tell.
            if notified && after.ours != 0 && self.queue.room() != 0 {
                self.senders.notify();
            }
            out
        }))
    }

    /// What comes of a receiver's first try: it is done, or tries again with `waiter` in the receivers' list and waits there.
    /// `freed` is how many places a result made.
    #[inline]
    fn settle_receive<R>(
        &self,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
        first: Result<(R, After), NotPopped>,
        retry: impl FnOnce() -> Result<(R, After), NotPopped>,
        freed: impl FnOnce(&R) -> usize,
    ) -> Poll<Result<R, NotPopped>> {
        let (tried, notified) = match first {
            Err(NotPopped::Empty) => {
                match self.receivers.join(waiter, cx, retry, |tried| !matches!(tried, Err(NotPopped::Empty))) {
                    Some(tried) => tried,
                    None => return Poll::Pending,
                }
            }
            tried => (tried, self.receivers.settle(waiter)),
        };
        Poll::Ready(match tried {
            Ok((out, after)) => {
                if after.others != 0 {
                    self.senders.notify_many(freed(&out));
                }
                // Rule 3.
                if notified && after.ours != 0 && (self.queue.len() != 0 || self.queue.is_closed()) {
                    self.receivers.notify();
                }
                Ok(out)
            }
            Err(why) => {
                // Rule 5.
                if notified && self.receivers.waiting() != 0 {
                    self.receivers.notify();
                }
                Err(why)
            }
        })
    }

    #[inline]
    fn look_as_receiver(&self) -> After {
        After { others: self.senders.waiting(), ours: self.receivers.waiting() }
    }

    fn drain(&self) {
        while let Ok((item, ())) = self.queue.pop(|| ()) {
            drop(item);
        }
    }

    /// The future of a sender is dropped.
    pub(super) fn leave_senders(&self, waiter: Pin<&Waiter>) {
        self.senders.leave(waiter);
    }
}

impl<Q: Queue> Flow for Channel<Q> {
    type Item = Q::Item;

    #[inline]
    fn try_pop(&self) -> Result<Q::Item, NotPopped> {
        let (item, senders) = self.queue.pop(|| self.senders.waiting())?;
        if senders != 0 {
            self.senders.notify();
        }
        Ok(item)
    }

    fn try_pop_many(&self, limit: usize, into: &mut Vec<Q::Item>) -> Result<usize, NotPopped> {
        let (count, senders) = self.queue.pop_many(limit, into, || self.senders.waiting())?;
        if senders != 0 {
            self.senders.notify_many(count);
        }
        Ok(count)
    }

    #[inline]
    fn poll_pop(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<Result<Q::Item, NotPopped>> {
        let first = self.queue.pop(|| self.look_as_receiver());
        self.settle_receive(waiter, cx, first, || self.queue.pop(|| self.look_as_receiver()), |_| 1)
    }

    fn poll_pop_many(
        &self,
        limit: usize,
        into: &mut Vec<Q::Item>,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<usize, NotPopped>> {
        let first = self.queue.pop_many(limit, into, || self.look_as_receiver());
        let retry = || self.queue.pop_many(limit, into, || self.look_as_receiver());
        self.settle_receive(waiter, cx, first, retry, |count| *count)
    }

    fn leave_receivers(&self, waiter: Pin<&Waiter>) {
        self.receivers.leave(waiter);
    }

    #[cold]
    fn close(&self) -> bool {
        if !self.queue.close() {
            return false;
        }
        let mut wakers = WakeBatch::new();
        self.senders.sweep(&mut wakers);
        self.gathering.sweep(&mut wakers);
        self.receivers.sweep(&mut wakers);
        self.handles.sweep(&mut wakers);
        wakers.wake_all();
        true
    }

    #[cold]
    fn receivers_gone(&self) {
        self.close();
        self.receivers.announce_gone(|| self.drain());
    }

    fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    fn len(&self) -> usize {
        self.queue.len()
    }

    fn capacity(&self) -> Option<usize> {
        self.queue.capacity()
    }

    fn is_full(&self) -> bool {
        self.queue.room() == 0
    }

    fn waiting(&self) -> (usize, usize) {
        (self.senders.len() + self.gathering.len(), self.receivers.len())
    }

    fn handles(&self) -> &Handles {
        &self.handles
    }
}

/// Permits, which only a queue with a bound has.
impl<T> Channel<Ring<T>> {
    /// How many items fit.
    pub(super) fn slots(&self) -> usize {
        self.queue.slots()
    }

    /// Reserves up to `most` places without waiting, but not fewer than `least`.
    pub(super) fn try_reserve(&self, least: usize, most: usize) -> Result<usize, NotPushed> {
        self.queue.reserve(least, most)
    }

    /// Reserves between one and `most` places, or leaves `waiter` in the senders' list.
    pub(super) fn poll_reserve(
        &self,
        most: usize,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<usize, NotPushed>> {
        let reserve = || {
            let places = self.queue.reserve(1, most)?;
            // Nothing was given that a receiver could want.
            Ok((places, After { others: 0, ours: self.senders.waiting() }))
        };
        self.settle_send(waiter, cx, reserve(), reserve)
    }

    /// Pushes into a reserved place.
    pub(super) fn push_reserved(&self, item: T) {
        let receivers = self.queue.push_reserved(&mut Some(item), || self.receivers.waiting());
        if receivers != 0 {
            self.pushed_beside(receivers);
        }
    }

    /// Reserved places are given back.
    #[cold]
    pub(super) fn give_back(&self, places: usize) {
        let (ended, senders) = self.queue.give_back(places, || self.senders.waiting());
        if ended {
            // Rule 6.
            let mut wakers = WakeBatch::new();
            self.receivers.sweep(&mut wakers);
            wakers.wake_all();
        } else if senders != 0 {
            self.senders.notify_many(places);
        }
    }

    /// Takes the turn to gather permits, or leaves `waiter` in the list for it; also `Ready` when the channel is closed, and
    /// then without the turn.
    pub(super) fn poll_turn(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<bool> {
        self.gathering.poll_take(waiter, cx, || self.queue.is_closed())
    }

    pub(super) fn give_turn(&self) {
        self.gathering.give();
    }

    /// Who waited for the turn does so no more.
    pub(super) fn leave_turn(&self, waiter: Pin<&Waiter>) {
        self.gathering.leave(waiter);
    }
}
