//! One direction (reading or writing) of one descriptor: what is known about it and who waits for it.
//!
//! Everything is decided on one 64-bit word, so every race below is a race between two read-modify-writes of the same
//! word: one of them comes first, and there is no store-load pair to get wrong.
//!
//! ```text
//!  63                                                    7    6      5     4     3      2       1      0
//! +------------------------------------------------------+--------+------+------+------+-------+--------+-------+
//! | sequence: how many events have arrived               | LISTED | LOCK | CELL | SHUT | ERROR | CLOSED | READY |
//! +------------------------------------------------------+--------+------+------+------+-------+--------+-------+
//! ```
//!
//! | bit | set by | cleared by | means |
//! |---|---|---|---|
//! | READY | an event | whoever found the descriptor empty, if the sequence is still theirs | try the system call |
//! | CLOSED | an event | only a true `EAGAIN` of the kernel, as READY | the peer (or we) ended this direction; sticky, since an edge comes once |
//! | ERROR | an event | with READY | an error is pending; a short read proves nothing |
//! | SHUT | shutdown | nobody | the reactor is gone; waiting is an error |
//! | CELL | a waiter that unlocks | an event, or a waiter that unlocks after an event | a waker lies in the cell |
//! | LOCK | a waiter, or an event that takes the waker | whoever set it | the cell's content belongs to whoever set it |
//! | LISTED | a waiter, under the list's lock | an event | somebody may be on the list |
//!
//! The sequence has 57 bits of its own and counts the events of this direction alone. It is never shortened or shared
//! with the other direction: a shared one makes a write event undo the clearing of a reader for ever, a short one wraps
//! and lets a late clearing wipe out a new event (tokio issues 8054, 8331, 6133).
//!
//! Who waits: the first waiter's waker lies in the cell, and neither it nor the event takes a lock. A waiter that finds
//! somebody else's waker there (or the cell locked) goes to the list, which is behind a lock. An event takes all of them.
//!
//! Races:
//! 1. A waiter enters the cell, an event arrives. If the event comes before the waiter's LOCK, the waiter sees READY. If
//!    between LOCK and unlock, the event leaves the cell alone and the waiter sees at its unlock that the sequence moved:
//!    it takes the waker out, looks again and finds READY. If after the unlock, the event sees CELL and takes the waker.
//! 2. A waiter only compares the waker in the cell with its own (LOCK) when an event arrives: as 1, but the waker may be
//!    somebody else's, so the waiter wakes it.
//! 3. A waiter enters the list, an event arrives. The waiter pushes first and sets LISTED after. If the event comes
//!    before LISTED is set, the waiter sees READY in the same read-modify-write and withdraws. If after, the event sees
//!    LISTED and collects the list, which holds the waiter.
//! 4. A reader found the descriptor empty and clears READY while an event arrives: clearing is a compare-exchange that
//!    demands the sequence the reader saw before its system call. If the event came first it fails.
//! 5. Two readers, one event: both are woken, one finds nothing and clears; the other's data was not touched.
//! 6. Two events at once (a turn and a shutdown): whoever sets LOCK takes the waker; the other sees LOCK and leaves it.
//!    The list is taken under its lock.
//! 7. An event cleared LISTED but has not locked the list yet, and a waiter that missed the READY in between (another
//!    reader cleared it) pushes and sets LISTED anew: its waker is taken a bit early, which costs a poll and loses nothing.
//! 8. A reader puts its try off (`defer`) while an event arrives: it enters the cell although the direction is READY, by a
//!    compare-exchange that demands the sequence it saw, and then as in 1.
//! 9. The deferral ends while an event arrives, or while another reader finds the descriptor empty: it ends by a compare-
//!    exchange that demands READY and the sequence of its beginning. If the event came first, that took the waker; if after,
//!    the waker is woken by the end, and the event's readiness stays. If the other reader cleared READY first, the kernel has
//!    said that nothing is left, and the waiter is one like any other; if after, it is woken and finds that out by itself.
//!
//! A waker is foreign code: it is cloned before LOCK or the list's lock is taken and dropped or called after they are
//! given back, so a clone that panics leaves nothing half-done (tokio issue 3689). `will_wake` only compares pointers.

use super::waiters::{Place, Waiters};
use core::fmt;
use core::task::{Poll, Waker};
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_sync::primitive::{Mutex, UnsafeCell, contain};

const READY: u64 = 1;
const CLOSED: u64 = 1 << 1;
const ERROR: u64 = 1 << 2;
const SHUT: u64 = 1 << 3;
const CELL: u64 = 1 << 4;
const LOCK: u64 = 1 << 5;
const LISTED: u64 = 1 << 6;
const ONE_EVENT: u64 = 1 << 7;

/// What an event says about a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// A system call may get on.
    pub ready: bool,
    /// The direction has ended.
    pub closed: bool,
    /// An error is pending.
    pub error: bool,
}

impl Signs {
    /// Nothing happened.
    pub const NONE: Self = Self { ready: false, closed: false, error: false };
    /// Ready and nothing else.
    pub const READY: Self = Self { ready: true, closed: false, error: false };

    /// Whether there is anything to tell.
    pub fn any(self) -> bool {
        self.ready || self.closed || self.error
    }

    fn bits(self) -> u64 {
        // An error or an end is something a system call has to fetch, so it makes the direction ready too.
        (READY * u64::from(self.any())) | (CLOSED * u64::from(self.closed)) | (ERROR * u64::from(self.error))
    }
}

/// A direction was ready at some moment; names the event that said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    sequence: u64,
    /// The reactor has shut down: there is nothing to wait for any more.
    pub shut: bool,
    /// The direction has ended.
    pub closed: bool,
}

/// What is believed before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Ready: a system call is tried before anybody waits.
    Try,
    /// Not ready: a system call would mean something else before the first event (a connect that goes on), or somebody
    /// acts on readiness alone.
    Wait,
}

/// Why readiness is taken back, which decides how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The kernel itself answered `EAGAIN`: whatever was known is out of date.
    Empty,
    /// The kernel gave less than was asked for, on a stream socket.
    Short,
    /// User code says that it would block. It may have stopped for reasons of its own, so an end stays known.
    Claimed,
}

/// See the head of this file.
pub struct Direction {
    word: AtomicU64,
    cell: UnsafeCell<Option<Waker>>,
    list: Mutex<Option<Box<Waiters>>>,
}

// SAFETY: the cell is touched only by whoever holds LOCK, or exclusively.
unsafe impl Send for Direction {}
// SAFETY: as above.
unsafe impl Sync for Direction {}

/// How an attempt to use the cell ended.
enum Cell {
    Entered,
    Ready(Ready),
    /// Somebody else's waker lies there, or the cell is locked.
    Taken,
}

impl Direction {
    /// A direction about which no event has come yet.
    pub fn new(first: First) -> Self {
        let word = match first {
            First::Try => READY,
            First::Wait => 0,
        };
        Self { word: AtomicU64::new(word), cell: UnsafeCell::new(None), list: Mutex::new(None) }
    }

    /// Whether the direction is ready, without waiting.
    pub fn now(&self) -> Option<Ready> {
        // Ordering: Acquire pairs with the AcqRel of `event`: what its thread did before is visible.
        ready(self.word.load(Ordering::Acquire))
    }

    /// Whether the direction is ready; if not, `waker` is called once it is. A pending answer guarantees that an event
    /// from now on finds the waker.
    pub fn poll(&self, waker: &Waker, place: &mut Place) -> Poll<Ready> {
        if let Some(now) = self.now() {
            return Poll::Ready(now);
        }
        match self.enter_cell(waker) {
            Cell::Entered => Poll::Pending,
            Cell::Ready(now) => Poll::Ready(now),
            Cell::Taken => self.enter_list(waker, place),
        }
    }

    fn enter_cell(&self, waker: &Waker) -> Cell {
        let mut clone = None;
        loop {
            // Ordering: as in `now`.
            let seen = self.word.load(Ordering::Acquire);
            if let Some(now) = ready(seen) {
                return Cell::Ready(now);
            }
            if seen & LOCK != 0 {
                return Cell::Taken;
            }
            if seen & CELL != 0 {
                if !self.lock_cell(seen) {
                    continue;
                }
                // SAFETY: LOCK is ours.
                let same = self.cell.with(|c| unsafe { (*c).as_ref().is_some_and(|w| w.will_wake(waker)) });
                match self.unlock_cell(seen) {
                    None if same => return Cell::Entered,
                    None => return Cell::Taken,
                    Some(theirs) => {
                        // Race 2. A panic in foreign code must not become ours.
                        let _ = contain(|| theirs.wake());
                    }
                }
                continue;
            }
            let mine = clone.take().unwrap_or_else(|| waker.clone());
            if !self.lock_cell(seen) {
                clone = Some(mine);
                continue;
            }
            // SAFETY: LOCK is ours. CELL was not set, so what is overwritten is None and nothing foreign is dropped.
            self.cell.with_mut(|c| unsafe { *c = Some(mine) });
            match self.unlock_cell(seen) {
                None => return Cell::Entered,
                // Race 1: an event came meanwhile; the waker is our own clone.
                Some(mine) => clone = Some(mine),
            }
        }
    }

    fn lock_cell(&self, seen: u64) -> bool {
        // Ordering: Acquire pairs with the Release of whoever gave LOCK back, so that the cell's content is visible.
        self.word.compare_exchange(seen, seen | LOCK, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Gives LOCK back and leaves the waker in the cell; but if an event arrived since `locked_at`, the waker is taken
    /// out and returned, because that event left it to us.
    fn unlock_cell(&self, locked_at: u64) -> Option<Waker> {
        let mut now = self.word.load(Ordering::Relaxed);
        while sequence(now) == sequence(locked_at) {
            let open = (now & !LOCK) | CELL;
            // Ordering: Release publishes the cell's content to whoever sets LOCK next.
            match self.word.compare_exchange_weak(now, open, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return None,
                Err(seen) => now = seen,
            }
        }
        // SAFETY: LOCK is ours.
        let waker = self.cell.with_mut(|c| unsafe { (*c).take() });
        // Ordering: as above.
        self.word.fetch_and(!(LOCK | CELL), Ordering::Release);
        waker
    }

    /// Leaves `waker` for the next event as [`poll`](Self::poll) does, although the direction is believed to be ready;
    /// `false` if that is not possible, and then the reader tries. Unless an event comes, somebody has to
    /// [end](Self::end_deferral) it.
    pub fn defer(&self, seen: Ready, waker: &Waker) -> bool {
        // Ordering: as in `now`.
        let now = self.word.load(Ordering::Acquire);
        if sequence(now) != seen.sequence || now & (ONE_EVENT - 1) != READY {
            return false;
        }
        let mine = waker.clone();
        if !self.lock_cell(now) {
            return false;
        }
        // SAFETY: LOCK is ours. CELL was not set, so what is overwritten is None and nothing foreign is dropped.
        self.cell.with_mut(|c| unsafe { *c = Some(mine) });
        // Race 8: if an event came meanwhile, the waker is our own clone.
        self.unlock_cell(now).is_none()
    }

    /// Moves the waker of a deferral that began at `seen` into `out`, if it still waits; `true` if it did.
    pub fn end_deferral(&self, seen: Ready, out: &mut Vec<Waker>) -> bool {
        let mut now = self.word.load(Ordering::Relaxed);
        loop {
            if sequence(now) != seen.sequence || now & (READY | CELL | LOCK) != READY | CELL {
                return false;
            }
            let taken = (now & !CELL) | LOCK;
            // Ordering: Acquire pairs with unlock_cell's Release: the cell's content is visible. Race 9.
            match self.word.compare_exchange_weak(now, taken, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break,
                Err(seen) => now = seen,
            }
        }
        // SAFETY: LOCK is ours.
        out.extend(self.cell.with_mut(|c| unsafe { (*c).take() }));
        // Ordering: Release publishes the empty cell to whoever sets LOCK next.
        self.word.fetch_and(!LOCK, Ordering::Release);
        true
    }

    #[cold]
    fn enter_list(&self, waker: &Waker, place: &mut Place) -> Poll<Ready> {
        let clone = waker.clone();
        let displaced = {
            let mut list = self.list.lock();
            list.get_or_insert_default().enter(clone, place)
        };
        // Outside the lock: the oldest of too many anonymous waiters is told to come again rather than forgotten.
        displaced.settle();
        // Ordering: AcqRel as in `event`. This is the read-modify-write of race 3.
        let before = self.word.fetch_or(LISTED, Ordering::AcqRel);
        match ready(before) {
            Some(now) => {
                self.leave(place);
                Poll::Ready(now)
            }
            None => Poll::Pending,
        }
    }

    /// Takes a named waiter off the list.
    pub fn leave(&self, place: &mut Place) {
        if place.is_listed() {
            let waker = self.list.lock().as_mut().and_then(|list| list.leave(place));
            drop(waker);
        }
    }

    /// Stores what an event says, and moves the wakers of all who wait into `out`. Calls no waker.
    pub fn event(&self, signs: Signs, out: &mut Vec<Waker>) {
        self.raise(signs.bits(), out);
    }

    /// Nobody waits here any more: those who do are moved into `out`, those who come get `Ready { shut: true }`.
    pub fn shut_down(&self, out: &mut Vec<Waker>) {
        self.raise(SHUT, out);
    }

    /// Moves the wakers of all who wait into `out` without an event.
    pub fn evict(&self, out: &mut Vec<Waker>) {
        self.raise(0, out);
    }

    fn raise(&self, bits: u64, out: &mut Vec<Waker>) {
        let mut now = self.word.load(Ordering::Relaxed);
        let takes = loop {
            let takes = now & (CELL | LOCK) == CELL;
            // The carry out of the sequence's top bit is lost, and touches no flag.
            let mut next = (now | bits).wrapping_add(ONE_EVENT) & !LISTED;
            if takes {
                next = (next & !CELL) | LOCK;
            }
            // Ordering: Acquire pairs with unlock_cell's Release (the cell) and enter_list's; Release publishes what the
            // caller did before to whoever finds the direction ready.
            match self.word.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break takes,
                Err(seen) => now = seen,
            }
        };
        if takes {
            // SAFETY: LOCK is ours.
            out.extend(self.cell.with_mut(|c| unsafe { (*c).take() }));
            // Ordering: Release publishes the empty cell to whoever sets LOCK next.
            self.word.fetch_and(!LOCK, Ordering::Release);
        }
        if now & LISTED != 0
            && let Some(list) = self.list.lock().as_mut()
        {
            list.take_all(out);
        }
    }

    /// Takes readiness back, unless an event arrived since `seen` was observed.
    pub fn clear(&self, seen: Ready, found: Found) {
        let mut now = self.word.load(Ordering::Relaxed);
        while sequence(now) == seen.sequence {
            let forget = match found {
                Found::Empty => READY | CLOSED | ERROR,
                Found::Short if now & (CLOSED | ERROR) != 0 => return,
                Found::Short => READY,
                Found::Claimed => READY | ERROR,
            };
            // Ordering: Relaxed: nothing is published, and as a read-modify-write it keeps others' releases alive.
            match self.word.compare_exchange_weak(now, now & !forget, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => now = seen,
            }
        }
    }
}

fn sequence(word: u64) -> u64 {
    word / ONE_EVENT
}

fn ready(word: u64) -> Option<Ready> {
    (word & (READY | CLOSED | SHUT) != 0).then(|| Ready {
        sequence: sequence(word),
        shut: word & SHUT != 0,
        closed: word & CLOSED != 0,
    })
}

impl fmt::Debug for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.load(Ordering::Relaxed);
        f.debug_struct("Direction")
            .field("ready", &(word & READY != 0))
            .field("closed", &(word & CLOSED != 0))
            .field("events", &sequence(word))
            .field("awaited", &(word & (CELL | LISTED) != 0))
            .finish()
    }
}

#[cfg(test)]
#[path = "direction_tests.rs"]
mod tests;
