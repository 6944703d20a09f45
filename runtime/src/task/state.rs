//! The life of a task in one word.
//!
//! Nobody outside this file touches a bit; every transition is a named method whose outcome has to be matched.
//!
//! ```text
//!        spawn                     +------- end_poll (3): woken meanwhile -------+
//!          |                       v                                             |
//!          +----------------> a Runnable ---- start_poll (2) ----> a thread is inside ---- complete (5) ----> COMPLETE
//!                                  ^            HELD                     |       ^
//!                         wake (1) |                    end_poll (3):    |       |
//!                                  |                    not woken        |       | claim_idle (4), at shutdown
//!                                  +--------------- idle <---------------+       |
//!                                                    +---------------------------+
//! ```
//!
//! | bit | means | set by | cleared by |
//! |---|---|---|---|
//! | `HELD` | somebody holds the future: exactly one [`Runnable`](super::Runnable) exists, or exactly one thread is inside | spawn, (1), (4), cancel | (3) when not woken |
//! | `WOKEN` | a wake-up that no poll has answered yet | (1) | (2) |
//! | `COMPLETE` | the future is gone and the outcome is in its place; `HELD` stays set, so nothing schedules the task again | (5) | never |
//! | `CANCELLED` | the future is to be dropped instead of polled; sticky | cancel, shutdown | never |
//! | `JOIN` | a [`JoinHandle`](super::JoinHandle) exists; with `COMPLETE`, the outcome is the handle's | spawn | the handle's drop, before `COMPLETE` only |
//! | `JOIN_WAKER` | the waker slot is filled and frozen; unset, the slot is the handle's alone. With `COMPLETE`, the waker is whose completed the task | the handle | the handle, before `COMPLETE` only |
//! | `COUNTED` | whoever waits for the end of the group that it belongs to has counted it | spawn, count | never |
//! | `WATCHED` | each poll is measured, and what it waits for is noted (`watched.rs`) | the spawner, before anybody else knows of the task | never |
//!
//! Above the bits stands the reference count. It counts wakers, the handle, the place in a group, and one for the list that owns the task; that
//! last one is given up only with `COMPLETE` or after it. A `Runnable` is not counted: it exists only while the task is
//! incomplete, and until then the owning list keeps the memory alive. So waking and polling move no count.
//!
//! Who holds the future passes it on without touching the word: a new task, and one that was woken during its own poll, go
//! through a queue to their next poll, and the queue orders the two. Only who lets go (3) and who picks up (1) write. So the
//! first poll of a task and the poll after a yield cost a load.
//!
//! Whoever finds that the one reference left is its own is alone with the task, and completes or frees it without a
//! read-modify-write: a reference is only ever made from one that exists.
//!
//! Races, and why each loses nothing:
//! 1. Two wakes: both are read-modify-writes that set `WOKEN` and `HELD`; only the one that did not find `HELD` makes the
//!    `Runnable`. The other still releases what it wrote: whoever clears `WOKEN` acquires it
//!    (tokio issue 7622: an early return without the write lost data).
//! 2. Wake against poll: start_poll clears `WOKEN` *before* the poll, so a wake during the poll sets it again and end_poll
//!    finds it and keeps the future held. A wake that comes after start_poll has looked, but before the poll, is answered
//!    by that poll or by one more; never by none.
//! 3. Cancel against poll: cancel sets `CANCELLED` and `HELD` at once. Idle: the canceller schedules, and the worker
//!    that runs the task drops the future on the thread where it may be dropped, after a last poll with the cancel bit set,
//!    because a value that is ready wins. Held: start_poll or end_poll finds the bit; end_poll lets go by a compare-exchange
//!    of what it saw, so it cannot miss it. Complete first: the value wins and cancel says that it came too late. A
//!    cancelled task that regions inside keep from ending is let go of by end_cancelled_poll, and is then as any idle one, but that
//!    each start_poll finds the bit.
//! 4. Shutdown against a `Runnable` in flight: claim_idle takes only a task that nobody holds, so a
//!    `Runnable` never outlives the future; the one in flight arrives in a queue that shutdown drains.
//! 5. Handle polled against completion: the handle fills the slot while `JOIN_WAKER` is unset and then sets the bit by a
//!    compare-exchange that fails on `COMPLETE`; complete reads the slot only if it finds the bit, and whoever frees the
//!    memory drops what is in the slot only if it does not. Frozen, the slot is only read, by both.
//! 6. Handle dropped against completion: whoever comes second drops the outcome: drop_join, if it finds `COMPLETE`, else
//!    complete, which finds `JOIN` unset. Both give up their reference in the same step if nothing is
//!    left for them to do with the task.

use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};

const HELD: usize = 1;
const WOKEN: usize = 1 << 1;
const COMPLETE: usize = 1 << 2;
const CANCELLED: usize = 1 << 3;
const JOIN: usize = 1 << 4;
const JOIN_WAKER: usize = 1 << 5;
const COUNTED: usize = 1 << 6;
const WATCHED: usize = 1 << 7;
const REFERENCE: usize = 1 << 8;

/// Beyond this many references something forgets wakers in a loop; the process ends rather than wrap into a use after
/// free.
const REFERENCE_LIMIT: usize = usize::MAX >> 1;

/// The state word of one task.
#[derive(Debug)]
pub struct State(AtomicUsize);

/// What a wake found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Wake {
    /// The caller has made the one `Runnable` and has to put it into a queue.
    Schedule,
    /// Somebody else holds the task, or it is complete.
    Nothing,
}

/// What a wake found that gave up its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum LastWake {
    /// As [`Wake::Schedule`].
    Schedule,
    /// As [`Wake::Nothing`].
    Nothing,
    /// The task is complete and this was the last reference: the caller frees the memory.
    Free,
}

/// What the holder of a `Runnable` may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum StartPoll {
    /// Poll the future.
    Poll,
    /// Poll the future and note how that went.
    PollWatched,
    /// Drop the future and complete as cancelled; where it may have its value by now, poll it a last time first.
    Cancel,
}

/// What follows a poll that returned `Pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum EndPoll {
    /// Nothing: a waker will bring the task back. The caller must not touch the task again.
    Idle,
    /// It was woken meanwhile: the caller holds the one `Runnable`.
    Reschedule,
    /// It was cancelled meanwhile: the caller still has the future to itself, and proceeds as with [`StartPoll::Cancel`].
    Cancel,
}

/// What completing found, and what is left for the caller to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Completed {
    /// There is no handle, and the outcome is to be dropped first.
    NotYet,
    /// Nobody else can reach the task: the caller drops the outcome and frees the memory.
    Alone,
    /// The handle has the outcome and the caller's reference is given up: it must not touch the task again.
    HandedOver,
    /// The caller's reference is still its own. Without a handle it drops the outcome; with one that waits it owns the waker
    /// in the slot, and has to wake it.
    Kept {
        /// A handle exists and the outcome is now its own.
        has_join: bool,
        /// The waker in the slot is the caller's.
        has_waker: bool,
    },
}

/// What a cancel found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Cancel {
    /// As [`Wake::Schedule`].
    Schedule,
    /// The task is marked; whoever runs it or is about to will see that.
    Marked,
    /// The task had completed, or was cancelled before.
    TooLate,
}

/// What taking a task at shutdown found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Claim {
    /// The caller has the future to itself.
    Claimed,
    /// Somebody holds it; it is marked as cancelled.
    Held,
    /// It is complete.
    Complete,
}

/// What dropping the handle found, and what is left for the caller to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum DroppedJoin {
    /// The task is complete and nobody else can reach it: the caller drops the outcome and frees the memory.
    Alone,
    /// The handle's reference is given up: the caller must not touch the task again.
    Released,
    /// Nothing was done yet: somebody waited for the task, and what becomes of it depends on why the handle goes. The caller
    /// finds that out and calls again.
    Waited,
    /// The handle's reference is still the caller's, who drops what is named here and then releases it.
    Kept {
        /// The outcome is the caller's to drop.
        has_outcome: bool,
        /// The waker in the slot is the caller's to drop.
        has_waker: bool,
    },
}

impl State {
    /// A new task: held by its one `Runnable`, with a handle, and referenced by the handle and by the list that owns it.
    pub fn new() -> Self {
        Self(AtomicUsize::new(HELD | JOIN | (2 * REFERENCE)))
    }

    /// The task, which nobody but its spawner knows of, is to be watched.
    pub fn watch(&self) {
        // Ordering: Relaxed: whoever schedules the task publishes it.
        self.0.fetch_or(WATCHED, Ordering::Relaxed);
    }

    /// Whether somebody holds the future: it is being polled, or queued for that.
    pub fn is_held(&self) -> bool {
        self.0.load(Ordering::Relaxed) & HELD != 0
    }

    /// Transition (1), keeping the caller's reference.
    #[inline]
    pub fn wake_by_ref(&self) -> Wake {
        // Ordering: Release publishes what the waker's thread wrote; start_poll acquires it. Acquire, for whoever schedules:
        // the Runnable's holder continues from the last poll, wherever that was.
        let before = self.0.fetch_or(HELD | WOKEN, Ordering::AcqRel);
        if before & HELD == 0 { Wake::Schedule } else { Wake::Nothing }
    }

    /// Transition (1), giving up the caller's reference in the same step.
    #[inline]
    pub fn wake(&self) -> LastWake {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(now >= REFERENCE, "released too often");
            // An idle task is incomplete, so the list's reference is left.
            let next = (now | HELD | WOKEN) - REFERENCE;
            // Ordering: as wake_by_ref; Release also orders this owner's use before the last owner's freeing.
            match self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if now & HELD == 0 => return LastWake::Schedule,
                Ok(_) if next < REFERENCE => return LastWake::Free,
                Ok(_) => return LastWake::Nothing,
                Err(seen) => now = seen,
            }
        }
    }

    /// Transition (2). Only the holder of the `Runnable` may call it.
    #[inline]
    pub fn start_poll(&self) -> StartPoll {
        // Ordering: Acquire pairs with the Release of every wake that set WOKEN and of every cancel. Without either, the
        // queue that brought the Runnable here orders this poll after the last one.
        let mut now = self.0.load(Ordering::Acquire);
        debug_assert!(now & HELD != 0 && now & COMPLETE == 0, "a Runnable out of place");
        if now & WOKEN != 0 {
            now = self.0.fetch_and(!WOKEN, Ordering::Acquire);
        }
        if now & (CANCELLED | WATCHED) == 0 { StartPoll::Poll } else { Self::start_otherwise(now) }
    }

    /// Apart, so that a plain poll is one test.
    #[cold]
    #[inline(never)]
    fn start_otherwise(now: usize) -> StartPoll {
        if now & CANCELLED == 0 { StartPoll::PollWatched } else { StartPoll::Cancel }
    }

    /// Transition (3). Only the thread inside the task may call it; `self_woken` if it was woken by that thread meanwhile.
    #[inline]
    pub fn end_poll(&self, self_woken: bool) -> EndPoll {
        if self_woken {
            // A cancel meanwhile is found by the next start_poll.
            return EndPoll::Reschedule;
        }
        // Ordering: Acquire pairs with cancel's Release, so that its cause is seen.
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            debug_assert!(now & HELD != 0 && now & COMPLETE == 0, "end_poll outside a poll");
            if now & CANCELLED != 0 {
                return EndPoll::Cancel;
            }
            if now & WOKEN != 0 {
                return EndPoll::Reschedule;
            }
            // Ordering: Release hands the future to whoever picks it up by a wake, a cancel or claim_idle.
            match self.0.compare_exchange_weak(now, now & !HELD, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return EndPoll::Idle,
                Err(seen) => now = seen,
            }
        }
    }

    /// Transition (3) of a task that is cancelled and yet not over: something inside must have its say first. `true` if it was woken
    /// meanwhile and the caller holds the one `Runnable`.
    pub fn end_cancelled_poll(&self, self_woken: bool) -> bool {
        if self_woken {
            return true;
        }
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(now & HELD != 0 && now & COMPLETE == 0, "end_poll outside a poll");
            if now & WOKEN != 0 {
                return true;
            }
            // Ordering: Release as in end_poll.
            match self.0.compare_exchange_weak(now, now & !HELD, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return false,
                Err(seen) => now = seen,
            }
        }
    }

    /// Transition (4).
    pub fn claim_idle(&self) -> Claim {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            if now & COMPLETE != 0 {
                return Claim::Complete;
            }
            // Ordering: Acquire takes the future over from the last end_poll; Release as in cancel.
            match self.0.compare_exchange_weak(now, now | CANCELLED | HELD, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return if now & HELD != 0 { Claim::Held } else { Claim::Claimed },
                Err(seen) => now = seen,
            }
        }
    }

    /// Transition (5). The outcome has been stored; only the thread inside the task may call it. `left` if the task is off
    /// the list that owned it and that list's reference is the caller's. With it, whether the task was [counted](Self::count) before.
    #[inline]
    ///
    /// With `drops_first` nothing is done yet if there is no handle: the caller drops the outcome before anybody finds the task complete,
    /// and calls again.
    pub fn complete(&self, left: bool, drops_first: bool) -> (Completed, bool) {
        // Ordering: Acquire sees the waker that the handle stored, and pairs with the Release of references given up.
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            debug_assert!(now & HELD != 0 && now & COMPLETE == 0, "completed outside a poll");
            if drops_first && now & JOIN == 0 {
                return (Completed::NotYet, false);
            }
            if left && now & JOIN == 0 && now / REFERENCE == 1 {
                return (Completed::Alone, false);
            }
            let (has_join, has_waker) = (now & JOIN != 0, now & JOIN_WAKER != 0);
            let hands_over = left && has_join && !has_waker;
            let next = (now | COMPLETE) - if hands_over { REFERENCE } else { 0 };
            // Ordering: Release publishes the outcome to the handle; Acquire as above.
            match self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if hands_over => return (Completed::HandedOver, now & COUNTED != 0),
                Ok(_) => return (Completed::Kept { has_join, has_waker }, now & COUNTED != 0),
                Err(seen) => now = seen,
            }
        }
    }

    /// Asks for cancellation. The cause has been stored before.
    pub fn cancel(&self) -> Cancel {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            if now & (COMPLETE | CANCELLED) != 0 {
                return Cancel::TooLate;
            }
            // Ordering: Release publishes the cause; Acquire as in wake_by_ref.
            match self.0.compare_exchange_weak(now, now | CANCELLED | HELD, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return if now & HELD == 0 { Cancel::Schedule } else { Cancel::Marked },
                Err(seen) => now = seen,
            }
        }
    }

    /// Whether the task is complete; the outcome may then be read by the handle.
    #[inline]
    pub fn is_complete(&self) -> bool {
        // Ordering: Acquire pairs with complete's Release.
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Whether the task was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        // Ordering: Acquire pairs with cancel's Release, so that the cause is seen.
        self.0.load(Ordering::Acquire) & CANCELLED != 0
    }

    /// Whether the waker slot is frozen. Only the handle may ask.
    pub fn has_join_waker(&self) -> bool {
        self.0.load(Ordering::Relaxed) & JOIN_WAKER != 0
    }

    /// The handle has filled the slot: freezes it.
    ///
    /// # Errors
    /// The task completed meanwhile; the slot stays the handle's.
    pub fn freeze_join_waker(&self) -> Result<(), AlreadyComplete> {
        self.change_unless_complete(|now| now | JOIN_WAKER)
    }

    /// The handle wants the slot back, to put another waker into it.
    ///
    /// # Errors
    /// The task completed meanwhile; the slot stays frozen.
    pub fn thaw_join_waker(&self) -> Result<(), AlreadyComplete> {
        self.change_unless_complete(|now| now & !JOIN_WAKER)
    }

    fn change_unless_complete(&self, change: impl Fn(usize) -> usize) -> Result<(), AlreadyComplete> {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            if now & COMPLETE != 0 {
                return Err(AlreadyComplete);
            }
            // Ordering: Release publishes the slot to complete; Acquire pairs with complete's Release.
            match self.0.compare_exchange_weak(now, change(now), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(seen) => now = seen,
            }
        }
    }

    /// The handle goes away; `asks` if one that waited for the task, which has not ended, is told so first.
    #[inline]
    pub fn drop_join(&self, asks: bool) -> DroppedJoin {
        // Ordering: Acquire pairs with complete's Release, and with that of references given up.
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            debug_assert!(now & JOIN != 0, "two handles");
            if now & COMPLETE != 0 {
                // Nobody else asks for the handle any more. A frozen waker is being called by whoever completed, or has been.
                return if now / REFERENCE == 1 {
                    DroppedJoin::Alone
                } else {
                    DroppedJoin::Kept { has_outcome: true, has_waker: false }
                };
            }
            let has_waker = now & JOIN_WAKER != 0;
            if has_waker && asks {
                return DroppedJoin::Waited;
            }
            // An incomplete task has its list's reference besides.
            let next = (now & !(JOIN | JOIN_WAKER)) - if has_waker { 0 } else { REFERENCE };
            // Ordering: Acquire as above; Release hands the slot over and orders the handle's use before the freeing.
            match self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if has_waker => return DroppedJoin::Kept { has_outcome: false, has_waker },
                Ok(_) => return DroppedJoin::Released,
                Err(seen) => now = seen,
            }
        }
    }

    /// Counts the task among those whose end is waited for; `false` if it is complete.
    pub fn count(&self) -> bool {
        self.change_unless_complete(|now| now | COUNTED).is_ok()
    }

    /// As [`count`](Self::count), for a task that nobody else knows of.
    pub fn count_new(&self) {
        self.change_new(|now| now | COUNTED);
    }

    /// One more reference to a task that nobody else knows of.
    #[inline]
    pub fn reference_new(&self) {
        self.change_new(|now| now + REFERENCE);
    }

    /// One less, and [not counted](Self::count_new) any more.
    pub fn release_new(&self) {
        self.change_new(|now| (now - REFERENCE) & !COUNTED);
    }

    #[inline]
    fn change_new(&self, change: impl FnOnce(usize) -> usize) {
        // Ordering: Relaxed: it is the caller's alone, and published as a whole.
        self.0.store(change(self.0.load(Ordering::Relaxed)), Ordering::Relaxed);
    }

    /// One more reference, made from one that the caller holds.
    #[inline]
    pub fn reference(&self) {
        // Ordering: Relaxed, a count made from a count.
        if self.0.fetch_add(REFERENCE, Ordering::Relaxed) > REFERENCE_LIMIT {
            std::process::abort();
        }
    }

    /// One reference less; `true` if it was the last and the caller frees the memory.
    #[inline]
    #[must_use]
    pub fn release(&self) -> bool {
        // Ordering: Acquire pairs with the Release of every other reference's end. The one that is left is the caller's, and
        // nobody can make another from it.
        if self.0.load(Ordering::Acquire) / REFERENCE == 1 {
            return true;
        }
        // Ordering: Release orders this owner's use before the last owner's Acquire and its freeing.
        let before = self.0.fetch_sub(REFERENCE, Ordering::Release);
        debug_assert!(before >= REFERENCE, "released too often");
        if before / REFERENCE != 1 {
            return false;
        }
        self.0.load(Ordering::Acquire);
        true
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// The task completed before the transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyComplete;
