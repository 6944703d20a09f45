//! One side of a channel: who waits there, and how a waiter joins, leaves and is told.
//!
//! Beside the list stands a word that says how many are in it, written under the list's lock and read without it. A
//! notification is a hint: what it is about is not set aside, and whoever comes first gets it. Why nobody sleeps beside it
//! is argued at the head of `state.rs`.

use crate::WakeBatch;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::primitive::dekker::announce_then_check;
use crate::primitive::{Mutex as ListLock, MutexGuard};
use crate::waiters::{List, Outcome, Phase, Waiter};
use core::pin::Pin;
use core::task::{Context, Waker};

/// In a side's word: there is nobody and never will be.
pub(super) const GONE: usize = usize::MAX;

/// One side's waiters.
pub struct Side {
    waiting: AtomicUsize,
    list: ListLock<List>,
}

impl Side {
    pub(super) fn new() -> Self {
        Self { waiting: AtomicUsize::new(0), list: ListLock::new(List::new()) }
    }

    /// Reads how many wait; to be called where `publish_then_check` says.
    #[inline(always)]
    pub(super) fn waiting(&self) -> usize {
        // Ordering: Relaxed, the fence of the store-load pair stands before it.
        self.waiting.load(Ordering::Relaxed)
    }

    /// Writes down how many wait; the list's lock is held.
    fn note(&self, list: &List) {
        // Ordering: Relaxed; where it has to be seen, announce_then_check puts a fence behind it.
        self.waiting.store(list.len(), Ordering::Relaxed);
    }

    /// Tells the first who waits.
    #[cold]
    pub(super) fn notify(&self) {
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

    /// Tells the first `count` who wait.
    #[cold]
    pub(super) fn notify_many(&self, count: usize) {
        if count == 1 {
            return self.notify();
        }
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        let waiting = list.len();
        for _ in 0..count.min(waiting) {
            wakers.extend(list.take_front(Outcome::Granted).flatten());
        }
        if list.len() != waiting {
            self.note(&list);
        }
        drop(list);
        wakers.wake_all();
    }

    /// Tells everybody.
    pub(super) fn sweep(&self, wakers: &mut WakeBatch) {
        let mut list = self.list.lock();
        // An empty list is not written down, for GONE may be there already.
        if !list.is_empty() {
            list.take_all(Outcome::Swept, wakers);
            self.note(&list);
        }
    }

    /// Writes down that this side is gone for good, and looks whether that leaves something to do.
    pub(super) fn announce_gone(&self, check: impl FnOnce()) {
        // Ordering: Relaxed, announce_then_check puts the fence behind it.
        announce_then_check(|| self.waiting.store(GONE, Ordering::Relaxed), check);
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

impl Side {
    /// Joins the list (or stays in it) with the context's waker, then tries once more; `Some` is what the try gave and
    /// whether a notification was used up for it, and the waiter has left the list again.
    #[cold]
    pub(super) fn join<R>(
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
    pub(super) fn settle(&self, waiter: Pin<&Waiter>) -> bool {
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
    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
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
