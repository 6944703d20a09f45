//! A word that many wait for: the one protocol of events, counts, values that come once, versions and positions.
//!
//! Readers look at the word with a load. Whoever has to wait links itself in the list beside it; whoever changes the word in
//! a way that others wait for sweeps the list. Nobody is chosen, so a waiter that is dropped has nothing to pass on.
//!
//! # The word
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `WAITERS`, the lowest bit | the list is not empty | set by a waiter that links itself, cleared by whoever empties the list, both under the list's lock |
//! | the rest | the primitive's own, see there | [`change`](WaitWord::change), or [`change_guarded`](WaitWord::change_guarded) alone |
//!
//! # Rules
//! 1. A change that can make a waiter's condition true is a *waking* one. If it finds `WAITERS`, it is made under the list's
//!    lock, by the same read-modify-write that clears the bit, and everybody is swept before the lock is released.
//! 2. A condition that is true stays true until the waiter looks, or being swept is enough: a waiter that was swept does not
//!    look at the word again. (An event that is set and cleared at once has woken all who waited.)
//!
//! # Races
//! 1. Waiting against a waking change: a waiter sets `WAITERS` by the read-modify-write, under the lock, that finds its
//!    condition false. A change that comes before it in the order of the word is seen by it; one that comes after finds the
//!    bit, takes the lock and sweeps the waiter, which is in the list by then. So no wake-up is lost.
//! 2. A change that was made against waiters that come later: while `WAITERS` is set a waking change is made under the lock,
//!    so nobody links itself between the change and the sweep, and nobody is told of a change that it had seen already.
//! 3. Swept against dropped: the owner looks at its phase under the lock before it unlinks (see `waiters.rs`).
//! 4. What came before any of the changes is seen by whoever sees the last: all are read-modify-writes, which continue each
//!    other's release, and a sweep acquires the word before it tells the waiters.

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use crate::{WakeBatch, coop, weft_const_fn};
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

const WAITERS: usize = 1;

/// The least that can be added to a word without touching what is the list's.
pub(crate) const UNIT: usize = 2;

pub(crate) struct WaitWord {
    word: AtomicUsize,
    list: ListLock<List>,
}

impl WaitWord {
    weft_const_fn! {
        /// A word with the value `value`, whose lowest bit is clear.
        pub(crate) fn new(value: usize) -> Self {
            debug_assert!(value & WAITERS == 0);
            Self { word: AtomicUsize::new(value), list: ListLock::new(List::new()) }
        }
    }

    /// The primitive's part, and all that was done before it was changed to that.
    #[inline]
    pub(crate) fn get(&self) -> usize {
        // Ordering: Acquire pairs with the Release in change().
        self.word.load(Ordering::Acquire) & !WAITERS
    }

    /// Changes the primitive's part to what `next` makes of it and returns what it was; `Err` with what is there if `next`
    /// has nothing to make of it. Those who wait are told if `wakes` says so of the new value, after `before_waking`.
    #[inline]
    pub(crate) fn change(
        &self,
        next: impl Fn(usize) -> Option<usize>,
        wakes: impl Fn(usize) -> bool,
        before_waking: impl FnOnce(),
    ) -> Result<usize, usize> {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let Some(value) = next(seen & !WAITERS) else {
                // Ordering: Acquire, so that what is found comes with what was done before it.
                let now = self.word.load(Ordering::Acquire);
                if now == seen {
                    before_waking();
                    return Err(seen & !WAITERS);
                }
                seen = now;
                continue;
            };
            if seen & WAITERS != 0 && wakes(value) {
                return self.change_and_sweep(next, before_waking);
            }
            // Ordering: Release publishes what the caller did to whoever sees the change, also where it changes nothing
            // (tokio 7622); Acquire shows what others did before the changes that this one follows.
            match self.word.compare_exchange_weak(seen, value | seen & WAITERS, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    before_waking();
                    return Ok(seen & !WAITERS);
                }
                Err(now) => seen = now,
            }
        }
    }

    /// A waking change while somebody waits, or did a moment ago.
    #[cold]
    fn change_and_sweep(
        &self,
        next: impl Fn(usize) -> Option<usize>,
        before_waking: impl FnOnce(),
    ) -> Result<usize, usize> {
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        // Ordering: Acquire as in get().
        let mut seen = self.word.load(Ordering::Acquire);
        let changed = loop {
            let Some(value) = next(seen & !WAITERS) else { break Err(seen & !WAITERS) };
            // Ordering: Release as in change(); Acquire: race 4, the waiters learn of it by their phase alone.
            match self.word.compare_exchange(seen, value, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break Ok(seen & !WAITERS),
                Err(now) => seen = now,
            }
        };
        if changed.is_ok() {
            list.take_all(Outcome::Swept, &mut wakers);
        }
        drop(list);
        before_waking();
        wakers.wake_all();
        changed
    }

    /// Changes the primitive's part from `from` to `to`, which wakes, together with what only the list's lock guards; `false`
    /// if it is not `from`. For words that are changed by this alone: then nobody sees one without the other.
    pub(crate) fn change_guarded(&self, from: usize, to: usize, also: impl FnOnce()) -> bool {
        let mut wakers = WakeBatch::new();
        let mut list = self.list.lock();
        // Ordering: Relaxed, all who change the primitive's part hold the lock.
        if self.word.load(Ordering::Relaxed) & !WAITERS != from {
            drop(list);
            return false;
        }
        also();
        // Ordering: Release publishes what the caller did, and what was done here, to whoever looks at the word.
        self.word.store(to, Ordering::Release);
        list.take_all(Outcome::Swept, &mut wakers);
        drop(list);
        wakers.wake_all();
        true
    }

    /// As if nothing had happened yet.
    pub(crate) fn reset(&mut self, value: usize) {
        // Ordering: Relaxed, nobody else is there.
        self.word.store(value, Ordering::Relaxed);
    }

    /// Waits until `ready` is true of the primitive's part, or somebody sweeps.
    #[inline]
    fn poll(&self, waiter: Pin<&Waiter>, cx: &Context<'_>, ready: impl Fn(usize) -> bool) -> Poll<()> {
        if waiter.phase() != Phase::Idle {
            // SAFETY: it is not idle, so `link` linked it, and an outcome is taken note of here or in `leave`.
            return unsafe { look_again(&self.list, waiter, cx) }.map(|_| ());
        }
        if ready(self.get()) { Poll::Ready(()) } else { self.link(waiter, cx, ready) }
    }

    #[cold]
    fn link(&self, waiter: Pin<&Waiter>, cx: &Context<'_>, ready: impl Fn(usize) -> bool) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut list = self.list.lock();
        // Ordering: Acquire as in get().
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            if ready(seen & !WAITERS) {
                drop(list);
                return Poll::Ready(());
            }
            // Ordering: Relaxed on success, it publishes nothing; Acquire on failure as above. The exchange is made also where
            // the bit is set already, so that what was found is the newest there is (race 1).
            match self.word.compare_exchange(seen, seen | WAITERS, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
        unsafe { list.push_back(waiter, Some(waker), 0) };
        Poll::Pending
    }

    /// The future of `waiter` is dropped, or waits no more.
    fn leave(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() == Phase::Idle || waiter.outcome().is_some() {
            return;
        }
        let mut list = self.list.lock();
        if waiter.outcome().is_some() {
            drop(list);
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

    /// How many wait; for Debug.
    pub(crate) fn waiting(&self) -> usize {
        self.list.lock().len()
    }
}

/// Whatever leads to a word: a reference, or an owner of what the word is in.
pub(crate) trait HasWord {
    fn word(&self) -> &WaitWord;
}

impl HasWord for &WaitWord {
    #[inline]
    fn word(&self) -> &WaitWord {
        self
    }
}

/// The wait inside the futures of all these primitives. It may be polled again after it is over: then it waits again.
pub(crate) struct Waiting<P: HasWord> {
    place: P,
    waiter: Waiter,
}

impl<P: HasWord> Waiting<P> {
    pub(crate) fn new(place: P) -> Self {
        Self { place, waiter: Waiter::new() }
    }

    /// What it waits at.
    #[inline]
    pub(crate) fn place(&self) -> &P {
        &self.place
    }

    /// Whether an earlier poll linked it.
    #[inline]
    pub(crate) fn has_begun(&self) -> bool {
        self.waiter.phase() != Phase::Idle
    }

    fn waiter(self: Pin<&mut Self>) -> (&P, Pin<&Waiter>) {
        let this = self.into_ref().get_ref();
        // SAFETY: the waiter is pinned with this and never moved out of it.
        (&this.place, unsafe { Pin::new_unchecked(&this.waiter) })
    }

    /// Waits until `ready` is true of the word, or somebody sweeps. The caller spends the budget.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &Context<'_>, ready: impl Fn(usize) -> bool) -> Poll<()> {
        let (place, waiter) = self.waiter();
        place.word().poll(waiter, cx, ready)
    }

    /// As [`poll`](Self::poll), and spends a unit of the budget: all that a future does which needs no more than that.
    #[inline]
    pub(crate) fn poll_as_leaf(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        waits_for: &'static str,
        ready: impl Fn(usize) -> bool,
    ) -> Poll<()> {
        let unit = ready!(coop::proceed_for(cx, self.has_begun(), || coop::Wait::new(waits_for)));
        ready!(self.poll(cx, ready));
        unit.made_progress();
        Poll::Ready(())
    }
}

impl<P: HasWord> Drop for Waiting<P> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: if it is linked, it was pinned, and it still is until this returns.
        self.place.word().leave(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<P: HasWord> fmt::Debug for Waiting<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.waiter.phase().fmt(f)
    }
}
