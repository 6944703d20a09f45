//! The poll budget and the cancel bit: what a leaf future asks before it does anything.
//!
//! Both are thread-locals that an executor sets around a poll with [`within`] and that are as they were afterwards.
//! Outside such a poll the budget is unlimited and the bit is clear, so the primitives behave on any executor.
//!
//! The leaf rule. Every leaf calls [`proceed`] first thing in its `poll` and says whether it has begun (taken a place in
//! a queue, armed a timer):
//! 1. bit set and not begun: `Pending`; nothing was done and nobody is woken. Sound without a waker, because a
//!    cancellation is never taken back and the region that was cancelled drops the future.
//! 2. bit set and begun: the leaf looks once whether it has completed meanwhile (a value that is ready wins).
//! 3. budget spent: `Pending`, and the task is woken again so that others run in between. The 64th refusal within one
//!    task poll goes through, so that a combinator that polls many leaves of one task cannot spin on a spent budget.

use crate::weft_thread_local;
use core::cell::Cell;
use core::task::{Context, Poll};

/// Units that an executor of ours gives a task per poll.
pub const UNITS_PER_POLL: u32 = 128;

/// The budget outside a poll that set one: never spent.
const UNLIMITED: u32 = u32::MAX;

/// Refusals within one poll after which one goes through.
const REFUSALS: u32 = 64;

#[derive(Clone, Copy)]
struct State {
    units: u32,
    refusals: u32,
    cancelled: bool,
}

const OUTSIDE: State = State { units: UNLIMITED, refusals: 0, cancelled: false };

weft_thread_local! {
    static STATE: Cell<State> = Cell::new(OUTSIDE);
}

/// Puts back what was there, also when the poll panics.
struct Restore(State);

impl Drop for Restore {
    fn drop(&mut self) {
        STATE.with(|s| s.set(self.0));
    }
}

/// Runs `f`, a poll, with a budget of `units` and the cancel bit as given.
#[inline]
pub fn within<R>(units: u32, cancelled: bool, f: impl FnOnce() -> R) -> R {
    let before = STATE.with(|s| s.replace(State { units, refusals: 0, cancelled }));
    let _restore = Restore(before);
    f()
}

/// Runs `f` with an unlimited budget and the bit clear: around the drop of a future and inside a `block_on`.
pub fn unconstrained<R>(f: impl FnOnce() -> R) -> R {
    within(UNLIMITED, false, f)
}

/// Sets or clears the cancel bit alone, for a region inside a poll; the budget stays the task's.
pub fn with_cancel_bit<R>(cancelled: bool, f: impl FnOnce() -> R) -> R {
    struct RestoreBit(bool);
    impl Drop for RestoreBit {
        fn drop(&mut self) {
            STATE.with(|s| s.set(State { cancelled: self.0, ..s.get() }));
        }
    }
    let before = STATE.with(|s| {
        let now = s.get();
        s.set(State { cancelled, ..now });
        now.cancelled
    });
    let _restore = RestoreBit(before);
    f()
}

/// Sets the cancel bit for the rest of the poll that runs now: the task has just cancelled itself.
pub fn cancel_this_poll() {
    STATE.with(|s| s.set(State { cancelled: true, ..s.get() }));
}

/// Whether the poll that runs now lies in a cancelled region.
pub fn is_cancelled() -> bool {
    STATE.with(|s| s.get().cancelled)
}

/// Whether a leaf would still be let through; combinators of many leaves stop when it says no.
pub fn has_budget() -> bool {
    STATE.with(|s| s.get().units > 0)
}

/// One unit, taken from the budget. It is given back on drop unless the leaf made progress.
#[derive(Debug)]
#[must_use = "the unit is given back at once when this is dropped; call made_progress when the leaf completed"]
pub struct Unit {
    taken: bool,
}

impl Unit {
    /// The leaf completed: the unit is spent.
    #[inline]
    pub fn made_progress(mut self) {
        self.taken = false;
    }
}

impl Drop for Unit {
    #[inline]
    fn drop(&mut self) {
        if self.taken {
            STATE.with(|s| {
                let now = s.get();
                s.set(State { units: now.units.saturating_add(1), ..now });
            });
        }
    }
}

/// Asks whether a leaf may go on; see the rule at the head of this module. `begun` says whether an earlier poll of this
/// leaf already did something that has to be finished or undone.
#[inline]
pub fn proceed(cx: &mut Context<'_>, begun: bool) -> Poll<Unit> {
    let now = STATE.with(Cell::get);
    if now.cancelled {
        return if begun { Poll::Ready(Unit { taken: false }) } else { Poll::Pending };
    }
    if now.units == UNLIMITED {
        return Poll::Ready(Unit { taken: false });
    }
    if now.units > 0 {
        STATE.with(|s| s.set(State { units: now.units - 1, ..now }));
        return Poll::Ready(Unit { taken: true });
    }
    refuse(cx, now)
}

#[cold]
fn refuse(cx: &mut Context<'_>, now: State) -> Poll<Unit> {
    let refusals = now.refusals + 1;
    if refusals >= REFUSALS {
        STATE.with(|s| s.set(State { refusals: 0, ..now }));
        return Poll::Ready(Unit { taken: false });
    }
    STATE.with(|s| s.set(State { refusals, ..now }));
    cx.waker().wake_by_ref();
    Poll::Pending
}
