//! The poll budget and the cancel bit: what a leaf future asks before it does anything.
//!
//! Both are thread-locals that an executor sets around a poll with [`within`] and that are as they were afterwards.
//! Outside such a poll the budget is unlimited and the bit is clear, so the primitives behave on any executor.
//!
//! Beside them stands which task the thread is inside of, so that a task which is woken by its own poll (it yields, it has
//! spent its budget, it sends to itself) need not write a word that others read: see [`within_task`].
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
use core::fmt;
use core::ptr;
use core::task::{Context, Poll};

/// Units that an executor of ours gives a task per poll.
pub const UNITS_PER_POLL: u32 = 128;

/// The budget outside a poll that set one: never spent.
const UNLIMITED: u32 = u32::MAX;

/// Refusals within one poll after which one goes through.
const REFUSALS: u16 = 64;

/// What is known of the poll, in one word that is read and written whole: the units left in its lower half, above them the
/// refusals, and above those a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State(u64);

impl State {
    const OUTSIDE: Self = Self::new(UNLIMITED, false);
    const REFUSAL: u64 = 1 << 32;
    const CANCELLED: u64 = 1 << 48;
    /// What a leaf waits for is noted, and the units are [elsewhere](Place::units).
    const NOTED: u64 = 1 << 49;

    const fn new(units: u32, cancelled: bool) -> Self {
        Self(units as u64 | if cancelled { Self::CANCELLED } else { 0 })
    }

    fn units(self) -> u32 {
        self.0 as u32
    }

    fn refusals(self) -> u16 {
        (self.0 >> 32) as u16
    }

    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    fn with(self, flag: u64, on: bool) -> Self {
        Self(if on { self.0 | flag } else { self.0 & !flag })
    }
}

struct Place {
    state: Cell<State>,
    /// Whose poll this is, null if that is of no interest; [`woken`] once that task was woken by the thread inside of it.
    task: Cell<*const ()>,
    /// Refusals on this thread so far; it wraps.
    refused: Cell<u32>,
    /// What the leaf that was polled last waits for, where that is noted.
    waits: Cell<Option<Wait>>,
    /// The units that are left where that is noted.
    units: Cell<u32>,
}

/// What a leaf waits for, for whoever looks at the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// In words, to be read behind "waits for".
    pub kind: &'static str,
    /// Which one, where leaves of that kind have numbers.
    pub number: Option<u64>,
}

impl Wait {
    /// It waits for something of this kind.
    pub const fn new(kind: &'static str) -> Self {
        Self { kind, number: None }
    }

    /// It waits for that one.
    #[must_use]
    pub const fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if let Some(number) = self.number {
            write!(f, " {number}")?;
        }
        Ok(())
    }
}

/// The mark of a task that was woken from inside. It replaces the whole word: a flag among others would be set by writing one byte, and
/// who reads the word right after that waits for the write.
#[inline(always)]
fn woken(task: *const ()) -> *const () {
    task.wrapping_byte_add(1)
}

weft_thread_local! {
    static PLACE: Place = Place {
        state: Cell::new(State::OUTSIDE),
        task: Cell::new(ptr::null()),
        refused: Cell::new(0),
        waits: Cell::new(None),
        units: Cell::new(0),
    };
}

fn state() -> State {
    PLACE.with(|place| place.state.get())
}

fn set_state(state: State) {
    PLACE.with(|place| place.state.set(state));
}

/// Puts back what was there, also when the poll panics.
struct Restore(State, *const ());

impl Drop for Restore {
    #[inline(always)]
    fn drop(&mut self) {
        PLACE.with(|place| {
            place.state.set(self.0);
            place.task.set(self.1);
        });
    }
}

/// Runs `f`, a poll, with a budget of `units` and the cancel bit as given.
#[inline]
pub fn within<R>(units: u32, cancelled: bool, f: impl FnOnce() -> R) -> R {
    // SAFETY: no task.
    unsafe { within_task(ptr::null(), units, cancelled, f) }.0
}

/// As [`within`], for the poll of a task, and says whether the task was [woken from inside](wake_from_inside) meanwhile.
///
/// `task` is an even address that tells the tasks of an executor apart; here it is only compared.
///
/// # Safety
/// `task` is null, or the header of a task of weftwork's runtime that this thread is inside of while `f` runs: [`task`] gives it
/// to that runtime, which looks into it.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn within_task<R>(task: *const (), units: u32, cancelled: bool, f: impl FnOnce() -> R) -> (R, bool) {
    let before = state();
    let outer = PLACE.with(|place| place.task.get());
    PLACE.with(|place| {
        place.state.set(State::new(units, cancelled));
        place.task.set(task);
    });
    let _restore = Restore(before, outer);
    let out = f();
    (out, PLACE.with(|place| !ptr::eq(place.task.get(), task)))
}

/// As [`within_task`], and gives besides what the leaf waits for that was polled last, if one was.
///
/// # Safety
/// As [`within_task`].
#[doc(hidden)]
pub unsafe fn within_watched_task<R>(
    task: *const (),
    units: u32,
    cancelled: bool,
    f: impl FnOnce() -> R,
) -> (R, bool, Option<Wait>) {
    let outer = PLACE.with(|place| (place.waits.take(), place.units.replace(units)));
    let noted = || {
        set_state(state().with(State::NOTED, true));
        f()
    };
    // SAFETY: as the caller promises.
    let (out, woken) = unsafe { within_task(task, 0, cancelled, noted) };
    PLACE.with(|place| {
        place.units.set(outer.1);
        (out, woken, place.waits.replace(outer.0))
    })
}

/// The task whose poll the calling thread is inside of, as its executor named it; null outside of one, and inside of a
/// [`within`] in it.
#[doc(hidden)]
pub fn task() -> *const () {
    PLACE.with(|place| place.task.get()).map_addr(|address| address & !1)
}

/// Leaves a note that the task was woken, if the calling thread is inside of its poll; `false` if it is not, or is inside of
/// another poll within that.
#[inline]
pub fn wake_from_inside(task: *const ()) -> bool {
    PLACE.with(|place| {
        let now = place.task.get();
        if ptr::eq(now, task) {
            place.task.set(woken(task));
            return true;
        }
        ptr::eq(now, woken(task))
    })
}

/// Runs `f` with an unlimited budget and the bit clear: around the drop of a future and inside a `block_on`.
pub fn unconstrained<R>(f: impl FnOnce() -> R) -> R {
    within(UNLIMITED, false, f)
}

/// Lifts the budget and clears the bit for the rest of the poll that runs now: its future has its value and is dropped.
#[inline]
pub fn lift() {
    set_state(State::OUTSIDE);
}

/// Sets or clears the cancel bit alone, for a region inside a poll; the budget stays the task's.
pub fn with_cancel_bit<R>(cancelled: bool, f: impl FnOnce() -> R) -> R {
    struct RestoreBit(bool);
    impl Drop for RestoreBit {
        fn drop(&mut self) {
            set_state(state().with(State::CANCELLED, self.0));
        }
    }
    let before = state();
    set_state(before.with(State::CANCELLED, cancelled));
    let _restore = RestoreBit(before.has(State::CANCELLED));
    f()
}

/// Sets the cancel bit for the rest of the poll that runs now: the task has just cancelled itself.
pub fn cancel_this_poll() {
    set_cancel_bit(true);
}

/// Sets or clears the cancel bit until somebody else does: a region that is entered or left. See [`with_cancel_bit`], which puts
/// back what was there.
pub fn set_cancel_bit(cancelled: bool) {
    set_state(state().with(State::CANCELLED, cancelled));
}

/// Whether the poll that runs now lies in a cancelled region.
pub fn is_cancelled() -> bool {
    state().has(State::CANCELLED)
}

/// Whether a leaf would still be let through; combinators of many leaves stop when it says no.
pub fn has_budget() -> bool {
    let now = state();
    now.units() > 0 || (now.has(State::NOTED) && PLACE.with(|place| place.units.get() > 0))
}

/// One unit, taken from the budget. It is given back on drop unless the leaf made progress.
#[derive(Debug)]
#[must_use = "the unit is given back at once when this is dropped; call made_progress when the leaf completed"]
pub struct Unit {
    taken: Taken,
}

/// Where a unit was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nowhere,
    /// The state.
    State,
    /// Where waits are noted, [beside it](Place::units).
    Beside,
}

impl Unit {
    /// The leaf completed: the unit is spent.
    #[inline]
    pub fn made_progress(mut self) {
        self.taken = Taken::Nowhere;
    }
}

impl Drop for Unit {
    #[inline]
    fn drop(&mut self) {
        if self.taken == Taken::State {
            let now = state();
            // Never above what means unlimited, whichever poll this is dropped in.
            if now.units() < UNLIMITED {
                set_state(State(now.0 + 1));
            }
        } else if self.taken == Taken::Beside {
            give_back_beside();
        }
    }
}

/// The unit of a poll that notes what is waited for: only there are units kept beside the state.
#[cold]
#[inline(never)]
fn give_back_beside() {
    PLACE.with(|place| place.units.set(place.units.get().saturating_add(1)));
}

/// Asks whether a leaf may go on; see the rule at the head of this module. `begun` says whether an earlier poll of this
/// leaf already did something that has to be finished or undone.
#[inline]
pub fn proceed(cx: &mut Context<'_>, begun: bool) -> Poll<Unit> {
    proceed_for(cx, begun, || Wait::new("a future"))
}

/// As [`proceed`], and says what the leaf waits for if it is not ready, for whoever looks at the task; that is asked for only where
/// somebody may look.
#[inline]
pub fn proceed_for(cx: &mut Context<'_>, begun: bool, wait: impl FnOnce() -> Wait) -> Poll<Unit> {
    let now = state();
    if now.has(State::CANCELLED) {
        return if begun { Poll::Ready(Unit { taken: Taken::Nowhere }) } else { Poll::Pending };
    }
    match now.units() {
        UNLIMITED => Poll::Ready(Unit { taken: Taken::Nowhere }),
        0 => refuse(cx, wait),
        _ => {
            set_state(State(now.0 - 1));
            Poll::Ready(Unit { taken: Taken::State })
        }
    }
}

/// How often a leaf was refused on this thread, modulo 2^32: an executor tells by it tasks that yield of their own accord from
/// those that were busy with each other for a whole budget.
pub fn refused() -> u32 {
    PLACE.with(|place| place.refused.get())
}

/// There is no unit left, or what leaves wait for is noted, in a poll that keeps its units elsewhere so that each leaf comes here.
#[cold]
#[inline(never)]
fn refuse(cx: &mut Context<'_>, wait: impl FnOnce() -> Wait) -> Poll<Unit> {
    let now = state();
    if now.has(State::NOTED) {
        let left = PLACE.with(|place| {
            place.waits.set(Some(wait()));
            place.units.replace(place.units.get().saturating_sub(1))
        });
        if left > 0 {
            return Poll::Ready(Unit { taken: Taken::Beside });
        }
    }
    PLACE.with(|place| place.refused.set(place.refused.get().wrapping_add(1)));
    let refusals = now.refusals() + 1;
    if refusals >= REFUSALS {
        set_state(State(now.0 - u64::from(now.refusals()) * State::REFUSAL));
        return Poll::Ready(Unit { taken: Taken::Nowhere });
    }
    set_state(State(now.0 + State::REFUSAL));
    cx.waker().wake_by_ref();
    Poll::Pending
}
