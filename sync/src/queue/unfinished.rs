//! How many items were put and are not done yet, and who waits until there are none.
//!
//! # The word
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `WAITERS` | the list is not empty | set by a waiter, cleared by whoever empties the list, both under the list's lock |
//! | the rest | items that are not done, in units of `ONE` | raised by whoever puts one, lowered by whoever is done with one |
//!
//! # Why a join returns when it should
//! 1. Waiting against the last item: a waiter sets `WAITERS` with the read-modify-write that finds items, so whoever is done with the
//!    last one finds the bit with its own, or the waiter finds none left.
//! 2. The last item against a new one: the step from one item to none is made under the list's lock if somebody waits, in one with
//!    emptying the list. So exactly those are told who waited before that step; who waits for the new item joins the list after.
//! 3. Those who are told have nothing to pass on: a join that is dropped concerns nobody else.

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

const WAITERS: usize = 1;
const ONE: usize = 2;

pub(super) struct Unfinished {
    word: AtomicUsize,
    list: ListLock<List>,
}

impl Unfinished {
    weft_const_fn! {
        pub(super) fn new() -> Self {
            Self { word: AtomicUsize::new(0), list: ListLock::new(List::new()) }
        }
    }

    /// One more item.
    pub(super) fn begin(&self) {
        // Ordering: Relaxed: the queue's lock, which is held, orders this before the item is taken and done with.
        self.word.fetch_add(ONE, Ordering::Relaxed);
    }

    /// One item less; `false` if there was none.
    pub(super) fn done(&self) -> bool {
        let mut wakers = WakeBatch::new();
        let less = self.done_with(1, &mut wakers);
        wakers.wake_all();
        less == 1
    }

    /// So many items less, or as many as there are; how many that was. The wakers are those of joins.
    pub(super) fn done_with(&self, items: usize, wakers: &mut WakeBatch) -> usize {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let less = items.min(seen / ONE);
            if less == 0 {
                return 0;
            }
            if seen & WAITERS != 0 && seen / ONE == less {
                return self.done_with_last(items, wakers);
            }
            // Ordering: Release pairs with the Acquire of a join: what was done with the item is seen by who waited for that.
            match self.word.compare_exchange_weak(seen, seen - less * ONE, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return less,
                Err(now) => seen = now,
            }
        }
    }

    #[cold]
    fn done_with_last(&self, items: usize, wakers: &mut WakeBatch) -> usize {
        let mut list = self.list.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        let less = loop {
            let less = items.min(seen / ONE);
            let left = seen - less * ONE;
            // The bit goes with the last item.
            let next = if left / ONE == 0 { 0 } else { left };
            // Ordering: Release as in done_with; Acquire: what was done with the other items is handed on by the waiters' phases.
            match self.word.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break less,
                Err(now) => seen = now,
            }
        };
        if seen / ONE == less {
            list.take_all(Outcome::Swept, wakers);
        }
        less
    }

    pub(super) fn count(&self) -> usize {
        // Ordering: Acquire as in wait, for who concludes from 0 that all is done.
        self.word.load(Ordering::Acquire) / ONE
    }

    /// Completes when there are no items, or leaves `waiter` in the list.
    pub(super) fn poll_none(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let begun = waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("the items of a queue to be done")));
        if begun {
            // SAFETY: it has begun, so `wait` linked it, and an outcome is taken note of here or in `leave`.
            ready!(unsafe { look_again(&self.list, waiter, cx) });
        } else if self.count() > 0 {
            ready!(self.wait(waiter, cx));
        }
        unit.made_progress();
        Poll::Ready(())
    }

    #[cold]
    fn wait(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut list = self.list.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let none = seen / ONE == 0;
            let next = if none { seen } else { seen | WAITERS };
            // Ordering: Acquire pairs with the Release of whoever was done with an item. The exchange is made also where it changes
            // nothing, so that what was found is the newest there is.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if none => {
                    drop(list);
                    return Poll::Ready(());
                }
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
        unsafe { list.push_back(waiter, Some(waker), 0) };
        Poll::Pending
    }

    /// The future of `waiter` is dropped.
    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() == Phase::Idle {
            return;
        }
        let mut list = self.list.lock();
        if waiter.outcome().is_some() {
            return;
        }
        // SAFETY: not swept, so linked; under the lock.
        let old = unsafe { list.unlink(waiter) };
        if list.is_empty() {
            // Ordering: Relaxed, orders nothing; the bit is changed under the list's lock.
            self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        }
        drop(list);
        drop(old);
    }
}
