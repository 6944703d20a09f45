//! The semaphore's protocol: one word and a waiter list.
//!
//! # The word
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `CLOSED` | no permit is given out any more; sticky | `close`, once; everybody else carries it along (tokio 8021) |
//! | `WAITERS` | the list is not empty | set by a waiter, cleared by whoever empties the list, both under the list's lock |
//! | the rest | permits that nobody holds, in units of `ONE` | taken by compare-exchange while `WAITERS` is clear, and under the list's lock while it is set; given back by anyone |
//!
//! While `WAITERS` is set nobody takes permits past the queue, so the order is strict, also where a large request at the
//! front makes small ones behind it wait.
//!
//! # Why nobody sleeps beside enough permits
//! Invariant, whenever the list's lock is free: the front waiter wants more than there is, or somebody who gave permits
//! back saw `WAITERS` and is on its way to the list.
//! 1. Waiting against giving back: a waiter sets `WAITERS` with the read-modify-write that finds too few permits. Whoever
//!    gives back later finds the bit with its own and serves the list.
//! 2. A waiter that is dropped may have been what the others waited behind: it serves the list when it leaves.
//! 3. A waiter that is dropped after it was served gives its permits back, which serves the list.
//! 4. Closing: the bit is set before the list is emptied, and a waiter looks for it under the list's lock with the
//!    read-modify-write that makes it wait.

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

const CLOSED: usize = 1;
const WAITERS: usize = 2;
const ONE: usize = 4;

/// As many as fit beside the two bits, with a bit to spare.
pub(super) const MAX_PERMITS: usize = usize::MAX >> 3;

pub(super) struct Permits {
    word: AtomicUsize,
    list: ListLock<List>,
}

/// Why permits were not taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    TooFew,
    Closed,
}

impl Permits {
    weft_const_fn! {
        pub(super) fn new(permits: usize) -> Self {
            assert!(permits <= MAX_PERMITS, "a semaphore holds at most Semaphore::MAX_PERMITS permits: start with fewer");
            Self { word: AtomicUsize::new(permits * ONE), list: ListLock::new(List::new()) }
        }
    }

    /// Takes `wanted` permits if nobody waits and there are enough.
    #[inline]
    pub(super) fn try_take(&self, wanted: usize) -> Result<(), Refused> {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            if seen & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            if seen & WAITERS != 0 || seen / ONE < wanted {
                return Err(Refused::TooFew);
            }
            // Ordering: Acquire pairs with the Release of whoever gave the permits back.
            match self.word.compare_exchange(seen, seen - wanted * ONE, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// Gives permits back, or adds new ones.
    ///
    /// # Panics
    /// When there would be more than `MAX_PERMITS`; nothing is changed then.
    #[inline]
    pub(super) fn give(&self, permits: usize) {
        if permits == 0 {
            return;
        }
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            assert!(
                permits <= MAX_PERMITS && seen / ONE <= MAX_PERMITS - permits,
                "{permits} more permits would exceed Semaphore::MAX_PERMITS: add only as many as were forgotten",
            );
            // Ordering: Release pairs with the Acquire of whoever takes them.
            match self.word.compare_exchange(seen, seen + permits * ONE, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        if seen & WAITERS != 0 {
            self.serve_locked();
        }
    }

    /// Takes up to `permits` that nobody holds, also past the queue, which has fewer to wait for then; returns how many.
    pub(super) fn forget(&self, permits: usize) -> usize {
        // While WAITERS is set only the holder of this lock takes permits, so that whoever serves finds what it found.
        let _list = self.list.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let taken = permits.min(seen / ONE);
            // Ordering: Relaxed, nothing is done on the strength of these. CLOSED and WAITERS are carried along (tokio 8021).
            match self.word.compare_exchange(seen, seen - taken * ONE, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return taken,
                Err(now) => seen = now,
            }
        }
    }

    #[cold]
    fn serve_locked(&self) {
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        self.serve(&mut list, &mut wakers);
        drop(list);
        wakers.wake_all();
    }

    /// Serves from the front as long as there are enough permits, and clears `WAITERS` if the list is empty.
    fn serve(&self, list: &mut List, wakers: &mut WakeBatch) {
        while let Some(wanted) = list.front_tag(|wanted| *wanted) {
            // Ordering: Acquire: what those did who gave the permits back is handed on by the waiter's phase.
            if self.word.load(Ordering::Acquire) / ONE < wanted {
                return;
            }
            // Ordering: Relaxed, the load above was the acquire. While WAITERS is set only the holder of the list's lock
            // takes permits, so there are still enough.
            self.word.fetch_sub(wanted * ONE, Ordering::Relaxed);
            wakers.extend(list.take_front(Outcome::Granted).flatten());
        }
        // Ordering: Relaxed, orders nothing; the bit is changed under the list's lock.
        self.word.fetch_and(!WAITERS, Ordering::Relaxed);
    }

    /// Takes `wanted` permits, or leaves `waiter` in the list.
    #[inline]
    pub(super) fn poll_take(
        &self,
        wanted: usize,
        waiter: Pin<&Waiter>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Refused>> {
        if waiter.phase() != Phase::Idle {
            return self.poll_again(waiter, cx);
        }
        let unit = ready!(coop::proceed_for(cx, false, what));
        let taken = match self.try_take(wanted) {
            Err(Refused::TooFew) => ready!(self.wait(wanted, waiter, cx)),
            taken => taken,
        };
        unit.made_progress();
        Poll::Ready(taken)
    }

    #[cold]
    fn poll_again(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let unit = ready!(coop::proceed_for(cx, true, what));
        // SAFETY: it has begun, so `wait` linked it, and an outcome is taken note of here or in `leave`.
        let outcome = ready!(unsafe { look_again(&self.list, waiter, cx) });
        unit.made_progress();
        Poll::Ready(ended(outcome))
    }

    #[cold]
    fn wait(&self, wanted: usize, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        let waker = cx.waker().clone();
        let mut list = self.list.lock();
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let enough = seen & WAITERS == 0 && seen / ONE >= wanted;
            let next = if enough { seen - wanted * ONE } else { seen | WAITERS };
            if seen & CLOSED != 0 {
                drop(list);
                return Poll::Ready(Err(Refused::Closed));
            }
            // Ordering: Acquire as in try_take. The exchange is made also where WAITERS is set already, so that what this
            // waiter found is the newest there is.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if enough => {
                    drop(list);
                    return Poll::Ready(Ok(()));
                }
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
        unsafe { list.push_back(waiter, Some(waker), wanted) };
        Poll::Pending
    }

    /// The future of `waiter` is dropped.
    #[inline]
    pub(super) fn leave(&self, wanted: usize, waiter: Pin<&Waiter>) {
        if waiter.phase() != Phase::Idle {
            self.leave_list(wanted, waiter);
        }
    }

    #[cold]
    fn leave_list(&self, wanted: usize, waiter: Pin<&Waiter>) {
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        if let Some(outcome) = waiter.outcome() {
            drop(list);
            if outcome == Outcome::Granted {
                self.give(wanted);
            }
            return;
        }
        // SAFETY: neither granted nor swept, so linked; under the lock.
        let old = unsafe { list.unlink(waiter) };
        self.serve(&mut list, &mut wakers);
        drop(list);
        drop(old);
        wakers.wake_all();
    }

    pub(super) fn close(&self) {
        // Ordering: Release: what was done before closing is seen by who finds it closed.
        self.word.fetch_or(CLOSED, Ordering::Release);
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        list.take_all(Outcome::Swept, &mut wakers);
        // Ordering: Relaxed, as in serve.
        self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        drop(list);
        wakers.wake_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        // Ordering: Acquire pairs with close().
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    pub(super) fn available(&self) -> usize {
        self.word.load(Ordering::Relaxed) / ONE
    }

    pub(super) fn waiting(&self) -> usize {
        self.list.lock().len()
    }
}

/// What a task that waits here waits for.
fn what() -> coop::Wait {
    coop::Wait::new("permits")
}

/// What a wait that somebody else ended gave.
fn ended(outcome: Outcome) -> Result<(), Refused> {
    match outcome {
        Outcome::Granted => Ok(()),
        Outcome::Swept => Err(Refused::Closed),
    }
}
