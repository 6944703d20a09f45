//! The notification's protocol: one word and a waiter list.
//!
//! # The word
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `PERMIT` | a `notify_one` that found nobody is kept, at most one | set by `notify_one`, taken by a waiter, while `WAITERS` is clear |
//! | `WAITERS` | the list is not empty; excludes `PERMIT` | set by a waiter, cleared by whoever empties the list, both under the list's lock |
//! | the rest | how often `notify_waiters` was called, in units of `ROUND` | `notify_waiters`, by addition alone (tokio 3660) |
//!
//! # Which notification reaches whom
//! 1. A waiter knows the round in which its future was made. If the round has moved on, it was covered by a
//!    `notify_waiters` and completes without touching the permit (tokio 7965), also if it was never polled before.
//! 2. A waiter makes itself wait by the read-modify-write that finds the same round and no permit. So a later
//!    `notify_one` or `notify_waiters` finds `WAITERS` and takes it off the list.
//! 3. `notify_waiters` moves the round on under the list's lock when somebody waits; all those in the list joined it before.
//! 4. A waiter that `notify_one` took off and that is dropped passes the notification on. One that `notify_waiters` took
//!    off passes nothing on, and touches neither the permit nor the list (tokio 3652).
//!
//! The rounds wrap after 2^62 calls (2^30 on 32-bit systems): a future that sleeps through exactly so many would miss them.

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

const PERMIT: usize = 1;
const WAITERS: usize = 2;
const ROUND: usize = 4;

pub(super) struct State {
    word: AtomicUsize,
    list: ListLock<List>,
}

/// What a waiter finds.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Notified,
    Linked,
}

impl State {
    weft_const_fn! {
        pub(super) fn new() -> Self {
            Self { word: AtomicUsize::new(0), list: ListLock::new(List::new()) }
        }
    }

    /// The round that a future made now belongs to.
    pub(super) fn round(&self) -> usize {
        // Ordering: Acquire, so that whoever sees the new round also sees what was done before it.
        round(self.word.load(Ordering::Acquire))
    }

    pub(super) fn notify_one(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & WAITERS == 0 {
            // Ordering: Release pairs with the Acquire of whoever takes the permit. The exchange is made also where a
            // permit is there already: what the caller did has to be published all the same (tokio 7622).
            match self.word.compare_exchange_weak(seen, seen | PERMIT, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
        self.notify_first();
    }

    #[cold]
    fn notify_first(&self) {
        let mut list = self.list.lock();
        let waker = match list.take_front(Outcome::Granted) {
            Some(waker) => {
                if list.is_empty() {
                    // Ordering: Relaxed, orders nothing; the bit is changed under the list's lock.
                    self.word.fetch_and(!WAITERS, Ordering::Relaxed);
                }
                waker
            }
            // The waiters are gone, so WAITERS is clear, and stays clear while the lock is held.
            None => {
                // Ordering: Release as above.
                self.word.fetch_or(PERMIT, Ordering::Release);
                None
            }
        };
        drop(list);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn notify_waiters(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & WAITERS == 0 {
            // Ordering: Release pairs with the Acquire in round() and try_take().
            match self.word.compare_exchange_weak(seen, seen.wrapping_add(ROUND), Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        // Ordering: Release as above.
        self.word.fetch_add(ROUND, Ordering::Release);
        list.take_all(Outcome::Swept, &mut wakers);
        // Ordering: Relaxed, orders nothing; the bit is changed under the list's lock.
        self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        drop(list);
        wakers.wake_all();
    }

    /// Completes at once if the waiter's round is over or there is a permit.
    #[inline]
    pub(super) fn try_take(&self, mine: usize) -> bool {
        // Ordering: Acquire pairs with notify_waiters.
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            if round(seen) != mine {
                return true;
            }
            if seen & PERMIT == 0 {
                return false;
            }
            // Ordering: Acquire pairs with notify_one; on failure with notify_waiters.
            match self.word.compare_exchange_weak(seen, seen & !PERMIT, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }

    /// Takes a notification that is there, or links the waiter; without a context it is only enabled.
    pub(super) fn join(&self, mine: usize, waiter: Pin<&Waiter>, cx: Option<&Context<'_>>) -> Wait {
        if self.try_take(mine) {
            return Wait::Notified;
        }
        let mut waker = cx.map(|cx| cx.waker().clone());
        let mut list = self.list.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        let linked = loop {
            let (next, links) = if round(seen) != mine {
                (seen, false)
            } else if seen & PERMIT != 0 {
                (seen & !PERMIT, false)
            } else {
                (seen | WAITERS, true)
            };
            // Ordering: Acquire as in try_take. The exchange is made also where it changes nothing, so that what was found
            // is the newest there is.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break links,
                Err(now) => seen = now,
            }
        };
        if linked {
            // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
            unsafe { list.push_back(waiter, waker.take(), 0) };
        }
        drop(list);
        drop(waker);
        if linked { Wait::Linked } else { Wait::Notified }
    }

    /// A waiter that has joined looks again.
    ///
    /// # Safety
    /// `join` linked it, and its owner has not taken note of an outcome since.
    pub(super) unsafe fn look(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<()> {
        // SAFETY: by contract.
        unsafe { look_again(&self.list, waiter, cx) }.map(|_| ())
    }

    /// The future of `waiter` is dropped.
    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() == Phase::Idle {
            return;
        }
        let mut list = self.list.lock();
        if let Some(outcome) = waiter.outcome() {
            drop(list);
            if outcome == Outcome::Granted {
                self.notify_one();
            }
            return;
        }
        // SAFETY: neither granted nor swept, so linked; under the lock.
        let old = unsafe { list.unlink(waiter) };
        if list.is_empty() {
            // Ordering: Relaxed, orders nothing; the bit is changed under the list's lock.
            self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        }
        drop(list);
        drop(old);
    }

    /// Whether a permit is kept, and how many wait; for Debug.
    pub(super) fn observe(&self) -> (bool, usize) {
        (self.word.load(Ordering::Relaxed) & PERMIT != 0, self.list.lock().len())
    }
}

fn round(word: usize) -> usize {
    word & !(PERMIT | WAITERS)
}
