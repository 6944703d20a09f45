//! The life of a task in one word.
//!
//! Nobody outside this file touches a bit; every transition is a named method whose outcome has to be matched.
//!
//! ```text
//!              wake (1)                start_poll (2)
//!     IDLE ---------------> SCHEDULED ---------------> RUNNING ----------+
//!      ^                        ^                         |              |
//!      |        end_poll (3)    |                         |              |
//!      +------------------------+-------------------------+              |
//!               not woken            woken while running                 |
//!      |                                                                 v
//!      +--- claim_idle (4), at shutdown ---> RUNNING --- complete (5) -> COMPLETE
//! ```
//!
//! | bit | means | set by | cleared by |
//! |---|---|---|---|
//! | `SCHEDULED` | exactly one [`Runnable`](super::Runnable) exists, or, beside `RUNNING`, one has to be made after the poll | spawn, (1), cancel | (2), (3) |
//! | `RUNNING` | one thread, and only one, may touch the future | (2), (4) | (3), (5) |
//! | `COMPLETE` | the future is gone and the outcome is in its place | (5) | never |
//! | `CANCELLED` | the future is to be dropped instead of polled; sticky | cancel, shutdown | never |
//! | `JOIN` | a [`JoinHandle`](super::JoinHandle) exists; with `COMPLETE`, the outcome is the handle's | spawn | the handle's drop |
//! | `JOIN_WAKER` | the waker slot is filled and frozen; unset, the slot is the handle's alone | the handle | the handle, before `COMPLETE` only |
//!
//! Above the bits stands the reference count. It counts wakers, the handle, and one for the list that owns the task; that
//! last one is given up only after `COMPLETE`. A `Runnable` is not counted: it exists only while the task is incomplete,
//! and until then the owning list keeps the memory alive. So waking and polling move no count.
//!
//! Races, and why each loses nothing:
//! 1. Two wakes: both are read-modify-writes that set `SCHEDULED`; only the one that found neither `SCHEDULED` nor
//!    `RUNNING` makes the `Runnable`. The other still releases what it wrote: whoever clears the bit acquires it
//!    (tokio issue 7622: an early return without the write lost data).
//! 2. Wake against poll: start_poll clears `SCHEDULED` *before* the poll, so a wake during the poll sets it again and
//!    end_poll finds it and makes the `Runnable`.
//! 3. Cancel against poll: cancel sets `CANCELLED` and `SCHEDULED` at once. Idle: the canceller schedules, and the worker
//!    that runs the task drops the future on the thread where it may be dropped, after a last poll with the cancel bit set,
//!    because a value that is ready wins. Running: end_poll finds the bit.
//!    Complete first: the value wins and cancel says that it came too late.
//! 4. Shutdown against a `Runnable` in flight: claim_idle takes only a task that is neither scheduled nor running, so a
//!    `Runnable` never outlives the future; the one in flight arrives in a queue that shutdown drains.
//! 5. Handle polled against completion: the handle fills the slot while `JOIN_WAKER` is unset and then sets the bit by a
//!    compare-exchange that fails on `COMPLETE`; complete reads the slot only if it finds the bit. Frozen, the slot is
//!    only read, by both.
//! 6. Handle dropped against completion: one read-modify-write each. Whoever comes second drops the outcome: drop_join
//!    after `COMPLETE`, else complete, which finds `JOIN` unset.

use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};

const SCHEDULED: usize = 1;
const RUNNING: usize = 1 << 1;
const COMPLETE: usize = 1 << 2;
const CANCELLED: usize = 1 << 3;
const JOIN: usize = 1 << 4;
const JOIN_WAKER: usize = 1 << 5;
const REFERENCE: usize = 1 << 6;

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
    /// Somebody else runs or has scheduled the task, or it is complete.
    Nothing,
}

/// What the holder of a `Runnable` may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum StartPoll {
    /// Poll the future.
    Poll,
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

/// What completing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Completed {
    /// A handle exists and the outcome is now its own; otherwise the caller drops it.
    pub has_join: bool,
    /// The waker slot is filled and has to be called.
    pub has_waker: bool,
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

/// What dropping the handle found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct DroppedJoin {
    /// The outcome is the caller's to drop.
    pub has_outcome: bool,
    /// The waker in the slot is the caller's to drop.
    pub has_waker: bool,
}

impl State {
    /// A new task: scheduled, with a handle, and referenced by the handle and by the list that owns it.
    pub fn new() -> Self {
        Self(AtomicUsize::new(SCHEDULED | JOIN | (2 * REFERENCE)))
    }

    /// Transition (1), keeping the caller's reference.
    #[inline]
    pub fn wake_by_ref(&self) -> Wake {
        // Ordering: Release publishes what the waker's thread wrote; start_poll or end_poll acquires it. Acquire, for
        // whoever schedules: the Runnable's holder continues from the last poll, wherever that was.
        let before = self.0.fetch_or(SCHEDULED, Ordering::AcqRel);
        if before & (SCHEDULED | RUNNING | COMPLETE) == 0 { Wake::Schedule } else { Wake::Nothing }
    }

    /// Transition (2). Only the holder of the `Runnable` may call it.
    #[inline]
    pub fn start_poll(&self) -> StartPoll {
        // SCHEDULED is set and RUNNING is not, so one exclusive-or turns the one into the other.
        // Ordering: Acquire pairs with the Release of every wake that set SCHEDULED, and with end_poll's on another
        // thread.
        let before = self.0.fetch_xor(SCHEDULED | RUNNING, Ordering::AcqRel);
        debug_assert!(before & SCHEDULED != 0 && before & (RUNNING | COMPLETE) == 0, "a Runnable out of place");
        if before & CANCELLED == 0 { StartPoll::Poll } else { StartPoll::Cancel }
    }

    /// Transition (3). Only the thread inside the task may call it.
    #[inline]
    pub fn end_poll(&self) -> EndPoll {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(now & RUNNING != 0 && now & COMPLETE == 0, "end_poll outside a poll");
            if now & CANCELLED != 0 {
                // Ordering: Acquire pairs with cancel's Release, so that its cause is seen.
                self.0.load(Ordering::Acquire);
                return EndPoll::Cancel;
            }
            // Ordering: Release hands the future to the next start_poll; Acquire pairs with the wakes meanwhile.
            match self.0.compare_exchange_weak(now, now & !RUNNING, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if now & SCHEDULED != 0 => return EndPoll::Reschedule,
                Ok(_) => return EndPoll::Idle,
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
            let held = now & (SCHEDULED | RUNNING) != 0;
            let next = if held { now | CANCELLED } else { now | CANCELLED | RUNNING };
            // Ordering: Acquire takes the future over from the last end_poll; Release as in cancel.
            match self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return if held { Claim::Held } else { Claim::Claimed },
                Err(seen) => now = seen,
            }
        }
    }

    /// Transition (5). The outcome has been stored; only the thread inside the task may call it.
    #[inline]
    pub fn complete(&self) -> Completed {
        // Ordering: Release publishes the outcome to the handle; Acquire sees the waker that the handle stored.
        let before = self.0.fetch_xor(RUNNING | COMPLETE, Ordering::AcqRel);
        debug_assert!(before & RUNNING != 0 && before & COMPLETE == 0, "completed outside a poll");
        Completed { has_join: before & JOIN != 0, has_waker: before & JOIN_WAKER != 0 }
    }

    /// Asks for cancellation. The cause has been stored before.
    pub fn cancel(&self) -> Cancel {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            if now & (COMPLETE | CANCELLED) != 0 {
                return Cancel::TooLate;
            }
            let idle = now & (SCHEDULED | RUNNING) == 0;
            // Ordering: Release publishes the cause; Acquire as in wake_by_ref.
            match self.0.compare_exchange_weak(now, now | CANCELLED | SCHEDULED, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return if idle { Cancel::Schedule } else { Cancel::Marked },
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

    /// Whether a thread is inside the task right now.
    pub fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed) & RUNNING != 0
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

    /// The handle goes away. It keeps its reference until it has dropped what is now its own.
    pub fn drop_join(&self) -> DroppedJoin {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            debug_assert!(now & JOIN != 0, "two handles");
            let complete = now & COMPLETE != 0;
            // Frozen after completion the waker may be being called: it is dropped with the memory.
            let next = if complete { now & !JOIN } else { now & !(JOIN | JOIN_WAKER) };
            // Ordering: Acquire pairs with complete's Release; Release hands the slot over.
            match self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    return DroppedJoin { has_outcome: complete, has_waker: !complete && now & JOIN_WAKER != 0 };
                }
                Err(seen) => now = seen,
            }
        }
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
