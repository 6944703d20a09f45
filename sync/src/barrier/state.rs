//! The barrier's protocol: a list of those who have arrived, under its lock.
//!
//! # Why there are fewer states than in asyncio
//! asyncio's barrier fills, drains and resets, because each task that was let go comes back under the lock to say that it has
//! left, and those who arrive meanwhile wait for the last. Here the one that completes the number takes everybody off the
//! list in the same section of the lock: the barrier is empty at once, who arrives then belongs to the next round, and
//! nobody comes back. What is left is a list, and whether the barrier is broken.
//!
//! # Rules
//! 1. Taken off as `Granted`: the round is complete, the waiter's note is its index. Taken off as `Swept`: broken or reset.
//! 2. A waiter that leaves before either lowers the number of those who have arrived, as it is the length of the list.
//! 3. A waiter that was granted and is dropped owes nothing: the others have been let go with it.
//!
//! # Races
//! All that changes anything is done under the lock. Taken off against dropped is decided by the phase, see `waiters.rs`.

use crate::primitive::Mutex as ListLock;
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

pub(super) struct Arrivals {
    parties: usize,
    inner: ListLock<Inner>,
}

struct Inner {
    list: List,
    broken: bool,
}

impl AsMut<List> for Inner {
    fn as_mut(&mut self) -> &mut List {
        &mut self.list
    }
}

/// The wait ended because the barrier is broken, or was reset.
pub(super) struct Broken;

impl Arrivals {
    weft_const_fn! {
        pub(super) fn new(parties: usize) -> Self {
            Self { parties, inner: ListLock::new(Inner { list: List::new(), broken: false }) }
        }
    }

    /// Arrives, and waits for the rest; gives the index in the round.
    pub(super) fn poll(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<Result<usize, Broken>> {
        let begun = waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a barrier")));
        let arrived = if begun {
            // SAFETY: it has begun, so `arrive` linked it, and an outcome is taken note of here or in `leave`.
            match ready!(unsafe { look_again(&self.inner, waiter, cx) }) {
                Outcome::Granted => Ok(waiter.note()),
                Outcome::Swept => Err(Broken),
            }
        } else {
            ready!(self.arrive(waiter, cx))
        };
        unit.made_progress();
        Poll::Ready(arrived)
    }

    fn arrive(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<Result<usize, Broken>> {
        let waker = cx.waker().clone();
        let mut wakers = WakeBatch::new();
        let mut inner = self.inner.lock();
        let arrived = if inner.broken {
            Poll::Ready(Err(Broken))
        } else if inner.list.len() + 1 < self.parties {
            // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
            unsafe { inner.list.push_back(waiter, Some(waker), 0) };
            return Poll::Pending;
        } else {
            let mut index = 0;
            while inner.list.front_tag(|note| *note = index).is_some() {
                wakers.extend(inner.list.take_front(Outcome::Granted).flatten());
                index += 1;
            }
            Poll::Ready(Ok(index))
        };
        drop(inner);
        drop(waker);
        wakers.wake_all();
        arrived
    }

    /// The future of `waiter` is dropped.
    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() == Phase::Idle || waiter.outcome().is_some() {
            return;
        }
        let mut inner = self.inner.lock();
        if waiter.outcome().is_some() {
            drop(inner);
            return;
        }
        // SAFETY: neither granted nor swept, so linked; under the lock.
        let old = unsafe { inner.list.unlink(waiter) };
        drop(inner);
        drop(old);
    }

    /// Sends all who wait away, and leaves the barrier broken or as new.
    pub(super) fn sweep(&self, broken: bool) {
        let mut wakers = WakeBatch::new();
        let mut inner = self.inner.lock();
        inner.broken = broken;
        inner.list.take_all(Outcome::Swept, &mut wakers);
        drop(inner);
        wakers.wake_all();
    }

    pub(super) fn parties(&self) -> usize {
        self.parties
    }

    pub(super) fn waiting(&self) -> usize {
        self.inner.lock().list.len()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.inner.lock().broken
    }
}
