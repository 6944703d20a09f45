//! The lock's protocol, without the value: one word and a waiter list.
//!
//! # The word
//!
//! | bit | meaning | set by | cleared by |
//! |---|---|---|---|
//! | `LOCKED` | somebody owns the lock | whoever takes it, by a read-modify-write | the owner; stays set when it hands over |
//! | `WAITERS` | the list is not empty, so an unlock has to look at it | a waiter, under the list's lock | whoever empties the list, under the list's lock |
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

use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter};
use crate::{coop, weft_const_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

const LOCKED: usize = 1;
const WAITERS: usize = 2;

/// Sixty-four short critical sections are well below the time that a woken task takes to reach a worker, so hand-overs,
/// which make everybody wait for that task, stay rare; and the wait of the front waiter is bounded by 64 of them.
const PATIENCE: usize = 64;
const TRY_COST: usize = 16;

pub(crate) struct RawLock {
    word: AtomicUsize,
    list: ListLock<List>,
}

impl RawLock {
    weft_const_fn! {
        pub(crate) fn new() -> Self {
            Self { word: AtomicUsize::new(0), list: ListLock::new(List::new()) }
        }
    }

    /// Takes the lock if it is free, also past waiters that were woken but are not there yet.
    #[inline]
    pub(crate) fn try_lock(&self) -> bool {
        // Ordering: Acquire pairs with the Release of unlock: what the last owner did is seen.
        match self.word.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => true,
            Err(seen) => seen == WAITERS && self.try_pass(),
        }
    }

    #[cold]
    fn try_pass(&self) -> bool {
        // Ordering: as in try_lock.
        self.word.compare_exchange(WAITERS, WAITERS | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
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
        let mut list = self.list.lock();
        let spent = list.front_tag(|patience| {
            *patience = patience.saturating_sub(1);
            *patience == 0
        });
        let waker = match spent {
            // The waiters gave up meanwhile.
            None => {
                // Ordering: Release as in unlock. A plain store would do, for only the list's lock sets WAITERS and only
                // the owner clears LOCKED; nobody takes a word that says LOCKED.
                self.word.store(0, Ordering::Release);
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
    pub(crate) fn poll_lock(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> Poll<()> {
        let phase = waiter.phase();
        let unit = ready!(coop::proceed_for(cx, phase != Phase::Idle, || coop::Wait::new("a lock")));
        let done = match phase {
            Phase::Idle => self.try_lock() || self.wait(waiter, cx),
            Phase::Granted => {
                waiter.finish();
                true
            }
            Phase::Waiting | Phase::Woken | Phase::Swept => self.wait(waiter, cx),
        };
        if done {
            unit.made_progress();
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    #[cold]
    fn wait(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>) -> bool {
        let mut fresh = (waiter.phase() != Phase::Waiting).then(|| cx.waker().clone());
        loop {
            let mut list = self.list.lock();
            let phase = waiter.phase();
            if phase == Phase::Granted {
                waiter.finish();
                return true;
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
    pub(crate) fn leave(&self, waiter: Pin<&Waiter>) {
        match waiter.phase() {
            Phase::Idle => {}
            Phase::Granted => {
                waiter.finish();
                self.unlock();
            }
            Phase::Waiting | Phase::Woken | Phase::Swept => self.leave_list(waiter),
        }
    }

    #[cold]
    fn leave_list(&self, waiter: Pin<&Waiter>) {
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

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
