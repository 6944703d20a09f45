//! What a limiter knows: how many tokens there are, how many are out, for whom, and who waits. All of it under one lock.
//!
//! There is no word beside the lock, as the semaphore has: a total that may shrink below what is out, and borrowers that are
//! known by their keys, do not fit in one, and what a limiter stands before (a thread, a connection) costs more than a lock.
//!
//! # Why nobody sleeps beside a token
//! Invariant, whenever the lock is free: the list is empty, or at least `total` tokens are out. Whoever gives a token back or
//! raises the total serves the list before the lock is free again. A waiter that is dropped leaves no more tokens than there
//! were; if it was served already it gives its token back.

use crate::primitive::Mutex as StateLock;
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::collections::BTreeSet;

pub(super) struct State {
    table: StateLock<Table>,
}

struct Table {
    total: usize,
    borrowed: usize,
    /// The borrowers that are known by a key, those who wait among them.
    keys: BTreeSet<u64>,
    list: List,
}

impl AsMut<List> for Table {
    fn as_mut(&mut self) -> &mut List {
        &mut self.list
    }
}

impl Table {
    /// Gives tokens out from the front as long as there are any.
    fn serve(&mut self, wakers: &mut WakeBatch) {
        while self.borrowed < self.total {
            let Some(waker) = self.list.take_front(Outcome::Granted) else { return };
            self.borrowed += 1;
            wakers.extend(waker);
        }
    }

    fn try_take(&mut self) -> bool {
        let free = self.borrowed < self.total;
        self.borrowed += usize::from(free);
        free
    }
}

/// What was true a moment ago.
pub(super) struct Observed {
    pub(super) total: usize,
    pub(super) borrowed: usize,
    pub(super) waiting: usize,
}

impl State {
    weft_const_fn! {
        pub(super) fn new(total: usize) -> Self {
            Self { table: StateLock::new(Table { total, borrowed: 0, keys: BTreeSet::new(), list: List::new() }) }
        }
    }

    pub(super) fn observe(&self) -> Observed {
        let table = self.table.lock();
        Observed { total: table.total, borrowed: table.borrowed, waiting: table.list.len() }
    }

    pub(super) fn keys(&self) -> Vec<u64> {
        self.table.lock().keys.iter().copied().collect()
    }

    pub(super) fn set_total(&self, total: usize) {
        let mut wakers = WakeBatch::new();
        let mut table = self.table.lock();
        table.total = total;
        table.serve(&mut wakers);
        drop(table);
        wakers.wake_all();
    }

    /// Notes a borrower; `false` if it is there already.
    pub(super) fn enter(&self, key: u64) -> bool {
        self.table.lock().keys.insert(key)
    }

    /// The borrower has gone, without having had a token.
    pub(super) fn forget(&self, key: Option<u64>) {
        if let Some(key) = key {
            self.table.lock().keys.remove(&key);
        }
    }

    /// Takes a token if one is free, which none is while somebody waits.
    pub(super) fn try_take(&self) -> bool {
        self.table.lock().try_take()
    }

    /// Gives a token back, and forgets its borrower.
    pub(super) fn give(&self, key: Option<u64>) {
        let mut wakers = WakeBatch::new();
        let mut table = self.table.lock();
        table.borrowed -= 1;
        if let Some(key) = key {
            table.keys.remove(&key);
        }
        table.serve(&mut wakers);
        drop(table);
        wakers.wake_all();
    }

    /// Takes a token, or leaves `waiter` in the list.
    pub(super) fn poll_take(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let begun = waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a token of a limiter")));
        if begun {
            // SAFETY: it has begun, so `wait` linked it, and an outcome is taken note of here or in `leave`.
            ready!(unsafe { look_again(&self.table, waiter, cx) });
        } else if !self.try_take() {
            ready!(self.wait(waiter, cx));
        }
        unit.made_progress();
        Poll::Ready(())
    }

    #[cold]
    fn wait(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut table = self.table.lock();
        if table.try_take() {
            drop(table);
            return Poll::Ready(());
        }
        // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
        unsafe { table.list.push_back(waiter, Some(waker), 0) };
        Poll::Pending
    }

    /// The future of `waiter` is dropped before it had its token.
    pub(super) fn leave(&self, key: Option<u64>, waiter: Pin<&Waiter>) {
        if waiter.phase() == Phase::Idle {
            self.forget(key);
            return;
        }
        let mut table = self.table.lock();
        if waiter.outcome().is_some() {
            drop(table);
            self.give(key);
            return;
        }
        // SAFETY: not granted and never swept, so linked; under the lock.
        let old = unsafe { table.list.unlink(waiter) };
        if let Some(key) = key {
            table.keys.remove(&key);
        }
        drop(table);
        drop(old);
    }
}
