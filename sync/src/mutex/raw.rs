//! The lock's protocol, without the value: one word and a waiter list.
//!
//! # The word
//!
//! | bit | meaning | set by | cleared by |
//! |---|---|---|---|
//! | `LOCKED` | somebody owns the lock | whoever takes it, by a read-modify-write | the owner; stays set when it hands over |
//! | `WAITERS` | the list is not empty, so an unlock has to look at it | a waiter, under the list's lock | whoever empties the list, under the list's lock |
//! | `TRACED` | who holds it and who waits is written down (`trace.rs`), so nothing is fast | at the beginning | never |
//!
//! Taking a free lock is one compare-exchange, giving back one that nobody waits for is one too, and neither touches the
//! list. The owner that finds `WAITERS` decides under the list's lock, while it still owns `LOCKED`:
//!
//! - the front waiter still has patience: the lock becomes free and the waiter is woken to try (it stays linked, in its
//!   place). Whoever comes first takes it. That keeps the lock busy while the woken task is on its way to a worker.
//! - its patience is used up: the lock is handed over, `LOCKED` stays set and nobody can come in between.
//!
//! A waiter's patience is [`PATIENCE`]; an unlock that lets others pass it costs 1, a poll that came too late costs
//! [`TRY_COST`]. So a waiter at the front is passed over at most 64 times and comes too late at most 4 times.
//!
//! # Why no wake-up is lost
//! Invariant: while the lock is free and the list not empty, the front waiter has been woken and has not looked since, or
//! somebody holds the list's lock and is about to wake it.
//! 1. Waiting against unlocking: a waiter sets `WAITERS` with the very read-modify-write that finds the lock taken, so the
//!    owner's compare-exchange from `LOCKED` alone fails and it looks at the list, which it can only do after the waiter
//!    has linked itself: both hold the list's lock.
//! 2. A woken waiter that comes too late finds `LOCKED` with its read-modify-write and leaves `WAITERS` set: the new owner
//!    will look at the list.
//! 3. A waiter that is dropped after it was woken or handed the lock wakes the next one or gives the lock back.

use super::trace::{Place, Trace};
use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter};
use crate::{coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

const LOCKED: usize = 1;
const WAITERS: usize = 2;
const TRACED: usize = 4;

/// Sixty-four short critical sections are well below the time that a woken task takes to reach a worker, so hand-overs,
/// which make everybody wait for that task, stay rare; and the wait of the front waiter is bounded by 64 of them.
const PATIENCE: usize = 64;
const TRY_COST: usize = 16;

pub(crate) struct RawLock {
    word: AtomicUsize,
    list: ListLock<List>,
    /// There if and only if `TRACED` is set.
    trace: Option<Box<Trace>>,
}

impl RawLock {
    weft_const_fn! {
        pub(crate) fn new() -> Self {
            Self { word: AtomicUsize::new(0), list: ListLock::new(List::new()), trace: None }
        }
    }

    pub(super) fn traced(name: &'static str) -> Self {
        let trace = Some(Box::new(Trace::new(name)));
        Self { word: AtomicUsize::new(TRACED), list: ListLock::new(List::new()), trace }
    }

    /// What is written down, if anything is.
    pub(super) fn trace(&self) -> Option<&Trace> {
        self.trace.as_deref()
    }

    /// Takes the lock if it is free, also past waiters that were woken but are not there yet.
    #[inline]
    pub(super) fn try_lock(&self, place: Place) -> bool {
        // Ordering: Acquire pairs with the Release of unlock: what the last owner did is seen.
        match self.word.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => true,
            Err(seen) => seen & LOCKED == 0 && self.try_pass(seen, place),
        }
    }

    #[cold]
    fn try_pass(&self, seen: usize, place: Place) -> bool {
        // Ordering: as in try_lock.
        let taken = self.word.compare_exchange(seen, seen | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if taken {
            self.note_taken(place, None);
        }
        taken
    }

    /// The caller has just taken the lock.
    fn note_taken(&self, place: Place, waiter: Option<Pin<&Waiter>>) {
        if let Some(trace) = &self.trace {
            trace.taken(place, waiter);
        }
    }

    /// Gives the lock back. Only its owner may call this.
    #[inline]
    pub(crate) fn unlock(&self) {
        // Ordering: Release pairs with the Acquire of whoever takes the lock next.
        if self.word.compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed).is_err() {
            self.unlock_with_waiters();
        }
    }

    #[cold]
    fn unlock_with_waiters(&self) {
        if let Some(trace) = &self.trace {
            trace.released();
        }
        let mut list = self.list.lock();
        let spent = list.front_tag(|patience| {
            *patience = patience.saturating_sub(1);
            *patience == 0
        });
        let waker = match spent {
            // The waiters gave up meanwhile, or there never were any and it is traced.
            None => {
                // Ordering: Release as in unlock.
                self.word.fetch_and(!(LOCKED | WAITERS), Ordering::Release);
                None
            }
            Some(true) => {
                let waker = list.take_front(Outcome::Granted).flatten();
                if list.is_empty() {
                    // Ordering: Relaxed, the hand-over itself goes through the waiter's phase.
                    self.word.fetch_and(!WAITERS, Ordering::Relaxed);
                }
                waker
            }
            Some(false) => {
                // Taken before the lock is free, so that a waiter which looks now finds a waker that was taken and knows it
                // has to leave a new one.
                let waker = list.wake_front();
                // Ordering: Release as in unlock.
                self.word.fetch_and(!LOCKED, Ordering::Release);
                waker
            }
        };
        drop(list);
        wake(waker);
    }

    /// Takes the lock, or leaves `waiter` in the list.
    #[inline]
    pub(super) fn poll_lock(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> Poll<()> {
        if waiter.phase() != Phase::Idle {
            return self.poll_again(waiter, cx, place);
        }
        let unit = ready!(coop::proceed_for(cx, false, what));
        if self.try_lock(place) || self.wait(waiter, cx, place) {
            unit.made_progress();
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    #[cold]
    fn poll_again(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> Poll<()> {
        let unit = ready!(coop::proceed_for(cx, true, what));
        let done = match waiter.phase() {
            Phase::Granted => self.handed_over(waiter, place),
            Phase::Idle | Phase::Waiting | Phase::Woken | Phase::Swept => self.wait(waiter, cx, place),
        };
        if done {
            unit.made_progress();
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// The last owner left the lock to `waiter`.
    fn handed_over(&self, waiter: Pin<&Waiter>, place: Place) -> bool {
        waiter.finish();
        self.note_taken(place, Some(waiter));
        true
    }

    #[cold]
    fn wait(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> bool {
        let mut fresh = (waiter.phase() != Phase::Waiting).then(|| cx.waker().clone());
        // After the clone, which may panic: from here on the waiter is linked, or the lock is taken.
        if let Some(trace) = self.trace.as_ref().filter(|_| waiter.phase() == Phase::Idle) {
            trace.waits(place, waiter);
        }
        loop {
            let mut list = self.list.lock();
            let phase = waiter.phase();
            if phase == Phase::Granted {
                drop(list);
                return self.handed_over(waiter, place);
            }
            let linked = phase != Phase::Idle;
            // Ordering: Acquire as in try_lock.
            if self.word.fetch_or(LOCKED | WAITERS, Ordering::Acquire) & LOCKED == 0 {
                let old = if linked {
                    // SAFETY: linked, under the lock.
                    unsafe { list.unlink(waiter) }
                } else {
                    None
                };
                if list.is_empty() {
                    // Ordering: Relaxed, the lock is ours and the list's lock is held.
                    self.word.fetch_and(!WAITERS, Ordering::Relaxed);
                }
                drop(list);
                self.note_taken(place, Some(waiter));
                drop((old, fresh));
                return true;
            }
            // SAFETY: linked, under the lock.
            if linked && unsafe { list.would_wake(waiter, cx) } {
                return false;
            }
            let Some(waker) = fresh.take() else {
                // WAITERS stays set meanwhile, which is true: this waiter is linked.
                drop(list);
                fresh = Some(cx.waker().clone());
                continue;
            };
            let old = if linked {
                if phase == Phase::Woken {
                    // SAFETY: linked, under the lock. At least 1 is left, so that an unlock decides on the hand-over.
                    unsafe { list.tag(waiter, |patience| *patience = patience.saturating_sub(TRY_COST).max(1)) };
                }
                // SAFETY: linked, under the lock.
                unsafe { list.set_waker(waiter, waker) }
            } else {
                // SAFETY: not linked; the future that holds it calls `leave` before it is freed.
                unsafe { list.push_back(waiter, Some(waker), PATIENCE) };
                None
            };
            drop(list);
            drop(old);
            return false;
        }
    }

    /// The future of `waiter` is dropped.
    #[inline]
    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
        if waiter.phase() != Phase::Idle {
            self.leave_list(waiter);
        }
    }

    #[cold]
    fn leave_list(&self, waiter: Pin<&Waiter>) {
        if let Some(trace) = &self.trace {
            trace.leaves(waiter);
        }
        let mut list = self.list.lock();
        let phase = waiter.phase();
        if phase == Phase::Granted {
            drop(list);
            waiter.finish();
            self.unlock();
            return;
        }
        // SAFETY: not granted and never swept, so linked; under the lock.
        let old = unsafe { list.unlink(waiter) };
        if list.is_empty() {
            // Ordering: Relaxed, orders nothing; the bit is changed under the list's lock.
            self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        }
        // Race 3. If the lock is taken the wake-up is spurious, which is harmless.
        let next = if phase == Phase::Woken { list.wake_front() } else { None };
        drop(list);
        drop(old);
        wake(next);
    }

    /// Whether somebody owns it, and how many wait; for Debug.
    pub(crate) fn observe(&self) -> (bool, usize) {
        (self.word.load(Ordering::Relaxed) & LOCKED != 0, self.list.lock().len())
    }
}

/// What a task that waits here waits for.
fn what() -> coop::Wait {
    coop::Wait::new("a lock")
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
