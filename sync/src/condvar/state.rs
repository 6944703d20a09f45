//! The condition variable's protocol: one word and a waiter list.
//!
//! # The word
//! Not 0 while the list is not empty; set and cleared under the list's lock. It only spares a notifier the lock where nobody
//! waits.
//!
//! # Which notification reaches whom
//! 1. A waiter joins the list while it still holds the mutex, and only then gives that back. Whoever changes the state under
//!    the mutex after that sees the word set, because the mutex orders the two; so a notification that follows the change
//!    reaches the waiter. One that came before the waiter joined is not kept: the state was changed before, too, and the
//!    waiter looked at it.
//! 2. A waiter that `notify_one` took off and that is dropped before it has its guard again passes the notification on, also
//!    if it waits for the mutex already. One that `notify_all` took off passes nothing on: everybody was told.

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicU32, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

pub(super) struct State {
    waiting: AtomicU32,
    list: ListLock<List>,
}

impl State {
    weft_const_fn! {
        pub(super) fn new() -> Self {
            Self { waiting: AtomicU32::new(0), list: ListLock::new(List::new()) }
        }
    }

    pub(super) fn notify_one(&self) {
        // Ordering: Relaxed, by rule 1 what has to be seen is ordered by the mutex.
        if self.waiting.load(Ordering::Relaxed) != 0 {
            self.notify_first();
        }
    }

    #[cold]
    fn notify_first(&self) {
        let mut list = self.list.lock();
        let waker = list.take_front(Outcome::Granted).flatten();
        self.note(&list);
        drop(list);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn notify_all(&self) {
        // Ordering: as in notify_one.
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        list.take_all(Outcome::Swept, &mut wakers);
        self.note(&list);
        drop(list);
        wakers.wake_all();
    }

    /// Writes down whether anybody waits.
    fn note(&self, list: &List) {
        // Ordering: Relaxed, stored under the list's lock and ordered for notifiers by the mutex.
        self.waiting.store(u32::from(!list.is_empty()), Ordering::Relaxed);
    }

    /// Joins the list. The caller holds the mutex.
    pub(super) fn join(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) {
        let waker = cx.waker().clone();
        let mut list = self.list.lock();
        // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
        unsafe { list.push_back(waiter, Some(waker), 0) };
        self.note(&list);
    }

    /// A waiter that has joined looks again.
    ///
    /// # Safety
    /// `join` linked it, and its owner has not taken note of an outcome since.
    pub(super) unsafe fn look(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<Outcome> {
        // SAFETY: by contract.
        unsafe { look_again(&self.list, waiter, cx) }
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
        self.note(&list);
        drop(list);
        drop(old);
    }

    /// How many wait; for Debug.
    pub(super) fn waiting(&self) -> usize {
        self.list.lock().len()
    }
}
