//! What senders and receivers share: the ring, who waits on either side, and how many handles there are.
//!
//! # Waiting
//! Each side has a waiter list and, beside it, a word that says how many are in it, written under the list's lock and read
//! without it. Nobody who finds room or an item touches a list, unless the word of the other side says that somebody waits.
//!
//! A notification is a hint: the slot or the item is not set aside, and whoever comes first gets it. So a receiver or a
//! sender can be dropped at any moment and nothing is lost with it. A waiter that comes too late goes back to the front.
//!
//! # Why nobody sleeps beside an item (a slot)
//! Said for receivers; senders are the mirror image, with slots for items.
//! 1. Waiting against pushing: a waiter raises the word and then looks at the ring ([`announce_then_check`]); a sender
//!    stamps the slot and then reads the word ([`publish_then_check`](crate::primitive::dekker::publish_then_check), in
//!    `ring.rs`). One of the two sees the other.
//! 2. Every push that sees a waiter takes one more off the list, whether or not those before it have come yet, so a waiter
//!    that is notified and then not polled for long keeps nothing from the others (async-channel 45).
//! 3. A notified waiter can find nothing because a slot before its item is not stamped yet. When that slot is stamped, its
//!    sender takes care of the waiters as in 1; and a receiver that was notified and got an item looks, after its own
//!    stamp, whether more items are there and somebody waits, and passes the notification on.
//! 4. A notified waiter that is dropped passes the notification on.
//! 5. Closing sets the bit in the ring and then takes everybody off both lists under their locks; who joins later sees the
//!    bit. A receiver that joined again because an item was still on its way is told by that item's sender, and passes the
//!    news on when it finds the channel closed.
//!
//! # The end of the receivers
//! The last receiver to go closes the channel and drops what is in it, so that nobody waits for what a lost message holds.
//! A sender that had claimed a slot and stamps it later finds `GONE` in the receivers' word (a store-load pair again) and
//! drops the rest itself.

use super::ring::{NotPopped, NotPushed, Ring};
use crate::WakeBatch;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::primitive::dekker::announce_then_check;
use crate::primitive::{Mutex as ListLock, MutexGuard};
use crate::waiters::{List, Outcome, Phase, Waiter};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// In the receivers' word: there are none and never will be.
const GONE: usize = usize::MAX;

/// One side's waiters.
pub(super) struct Side {
    waiting: AtomicUsize,
    list: ListLock<List>,
}

impl Side {
    fn new() -> Self {
        Self { waiting: AtomicUsize::new(0), list: ListLock::new(List::new()) }
    }

    /// Reads how many wait; to be called where `publish_then_check` says.
    #[inline(always)]
    fn waiting(&self) -> usize {
        // Ordering: Relaxed, the fence of the store-load pair stands before it.
        self.waiting.load(Ordering::Relaxed)
    }

    /// Writes down how many wait; the list's lock is held.
    fn note(&self, list: &List) {
        // Ordering: Relaxed; where it has to be seen, announce_then_check puts a fence behind it.
        self.waiting.store(list.len(), Ordering::Relaxed);
    }

    #[cold]
    fn notify(&self) {
        let mut list = self.list.lock();
        let waker = list.take_front(Outcome::Granted);
        if waker.is_some() {
            self.note(&list);
        }
        drop(list);
        if let Some(Some(waker)) = waker {
            waker.wake();
        }
    }

    fn sweep(&self, wakers: &mut WakeBatch) {
        let mut list = self.list.lock();
        // An empty list is not written down, for GONE may be there already.
        if !list.is_empty() {
            list.take_all(Outcome::Swept, wakers);
            self.note(&list);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.lock().len()
    }
}

/// A join that is under way: the lock is held and the waiter is in the list.
struct Joined<'a> {
    side: &'a Side,
    list: MutexGuard<'a, List>,
    waiter: Pin<&'a Waiter>,
}

impl Joined<'_> {
    /// The waiter got what it wanted and leaves.
    fn leave(mut self) {
        // SAFETY: linked by join, and the lock was held since.
        let old = unsafe { self.list.unlink(self.waiter) };
        self.side.note(&self.list);
        drop(self.list);
        drop(old);
    }
}

pub(super) struct Channel<T> {
    pub(super) ring: Ring<T>,
    pub(super) senders: Side,
    pub(super) receivers: Side,
    pub(super) sender_count: AtomicUsize,
    pub(super) receiver_count: AtomicUsize,
}

/// What a look at the ring shows to somebody who came off the other side's list.
#[derive(Clone, Copy)]
struct After {
    /// Waiters of the other side, who may want what was just given.
    others: usize,
    /// Waiters of the same side, for whom there may be more.
    ours: usize,
}

impl<T> Channel<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ring: Ring::new(capacity),
            senders: Side::new(),
            receivers: Side::new(),
            sender_count: AtomicUsize::new(1),
            receiver_count: AtomicUsize::new(1),
        }
    }

    /// Pushes without waiting.
    #[inline]
    pub(super) fn try_push(&self, item: &mut Option<T>) -> Result<(), NotPushed> {
        let receivers = self.ring.push(item, || self.receivers.waiting())?;
        if receivers != 0 {
            self.pushed_beside(receivers);
        }
        Ok(())
    }

    #[cold]
    fn pushed_beside(&self, receivers: usize) {
        if receivers == GONE { self.drain() } else { self.receivers.notify() }
    }

    /// Pops without waiting.
    #[inline]
    pub(super) fn try_pop(&self) -> Result<T, NotPopped> {
        let (item, senders) = self.ring.pop(|| self.senders.waiting())?;
        if senders != 0 {
            self.senders.notify();
        }
        Ok(item)
    }

    /// Pops, or leaves `waiter` in the receivers' list.
    pub(super) fn poll_pop(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<Result<T, NotPopped>> {
        let look = || After { others: self.senders.waiting(), ours: self.receivers.waiting() };
        let (popped, notified) = match self.ring.pop(look) {
            Err(NotPopped::Empty) => {
                let retry = || self.ring.pop(look);
                match self.receivers.join(waiter, cx, retry, |popped| !matches!(popped, Err(NotPopped::Empty))) {
                    Some(popped) => popped,
                    None => return Poll::Pending,
                }
            }
            popped => (popped, self.receivers.settle(waiter)),
        };
        Poll::Ready(match popped {
            Ok((item, after)) => {
                if after.others != 0 {
                    self.senders.notify();
                }
                // Rule 3.
                if notified && after.ours != 0 && (self.ring.len() != 0 || self.ring.is_closed()) {
                    self.receivers.notify();
                }
                Ok(item)
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

    /// Pushes, or leaves `waiter` in the senders' list.
    pub(super) fn poll_push(
        &self,
        item: &mut Option<T>,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), NotPushed>> {
        let look = || After { others: self.receivers.waiting(), ours: self.senders.waiting() };
        let (pushed, notified) = match self.ring.push(item, look) {
            Err(NotPushed::Full) => {
                let retry = || self.ring.push(item, look);
                match self.senders.join(waiter, cx, retry, |pushed| !matches!(pushed, Err(NotPushed::Full))) {
                    Some(pushed) => pushed,
                    None => return Poll::Pending,
                }
            }
            pushed => (pushed, self.senders.settle(waiter)),
        };
        Poll::Ready(pushed.map(|after| {
            if after.others != 0 {
                self.pushed_beside(after.others);
            }
            // Rule 3. A closed channel has nobody left in this list to tell.
            if notified && after.ours != 0 && self.ring.len() < self.ring.capacity() {
                self.senders.notify();
            }
        }))
    }

    /// Takes no more items in and tells everybody who waits.
    #[cold]
    pub(super) fn close(&self) -> bool {
        if !self.ring.close() {
            return false;
        }
        let mut wakers = WakeBatch::new();
        self.senders.sweep(&mut wakers);
        self.receivers.sweep(&mut wakers);
        wakers.wake_all();
        true
    }

    /// The last receiver goes.
    #[cold]
    pub(super) fn receivers_gone(&self) {
        self.close();
        // Ordering: Relaxed, announce_then_check puts the fence behind it.
        announce_then_check(|| self.receivers.waiting.store(GONE, Ordering::Relaxed), || self.drain());
    }

    fn drain(&self) {
        while let Ok((item, ())) = self.ring.pop(|| ()) {
            drop(item);
        }
    }

    /// The future of a receiver is dropped.
    pub(super) fn leave_receivers(&self, waiter: Pin<&Waiter>) {
        self.receivers.leave(waiter);
    }

    /// The future of a sender is dropped.
    pub(super) fn leave_senders(&self, waiter: Pin<&Waiter>) {
        self.senders.leave(waiter);
    }
}

impl Side {
    /// Joins the list (or stays in it) with the context's waker, then tries once more; `Some` is what the try gave and
    /// whether a notification was used up for it, and the waiter has left the list again.
    #[cold]
    fn join<R>(
        &self,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
        retry: impl FnOnce() -> R,
        succeeded: impl FnOnce(&R) -> bool,
    ) -> Option<(R, bool)> {
        // Cloned before the lock. A waiter that is linked may find that it has this waker already, and drops the clone.
        let fresh = cx.waker().clone();
        let mut list = self.list.lock();
        let phase = waiter.phase();
        let old = match phase {
            // SAFETY: linked, under the lock.
            Phase::Waiting | Phase::Woken => unsafe { list.set_waker(waiter, fresh) },
            // Notified and come too late: it keeps its turn.
            Phase::Granted => {
                waiter.finish();
                // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
                unsafe { list.push_front(waiter, Some(fresh), 0) };
                None
            }
            Phase::Idle | Phase::Swept => {
                if phase == Phase::Swept {
                    waiter.finish();
                }
                // SAFETY: as above.
                unsafe { list.push_back(waiter, Some(fresh), 0) };
                None
            }
        };
        let tried = announce_then_check(|| self.note(&list), retry);
        let joined = Joined { side: self, list, waiter };
        let out = if succeeded(&tried) {
            joined.leave();
            Some((tried, phase == Phase::Granted))
        } else {
            drop(joined.list);
            None
        };
        drop(old);
        out
    }

    /// The waiter got what it wanted without joining; if it is in the list, it leaves it. `true` if it had a notification,
    /// also one that came only now, which was meant for something else than what it got.
    #[inline]
    fn settle(&self, waiter: Pin<&Waiter>) -> bool {
        match waiter.phase() {
            Phase::Idle => false,
            Phase::Granted => {
                waiter.finish();
                true
            }
            Phase::Swept => {
                waiter.finish();
                false
            }
            Phase::Waiting | Phase::Woken => {
                self.leave_list(waiter);
                false
            }
        }
    }

    /// The waiter gives up; a notification that it had goes to the next.
    #[inline]
    fn leave(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() != Phase::Idle {
            self.leave_list(waiter);
        }
    }

    #[cold]
    fn leave_list(&self, waiter: Pin<&Waiter>) {
        let mut list = self.list.lock();
        let mut old: Option<Waker> = None;
        let mut pass_on = false;
        match waiter.phase() {
            Phase::Waiting | Phase::Woken => {
                // SAFETY: linked, under the lock.
                old = unsafe { list.unlink(waiter) };
                self.note(&list);
            }
            Phase::Granted => {
                waiter.finish();
                pass_on = true;
            }
            Phase::Swept => waiter.finish(),
            Phase::Idle => {}
        }
        drop(list);
        drop(old);
        if pass_on && self.waiting() != 0 {
            self.notify();
        }
    }
}
