//! The bounded queue under the channel: Vyukov's ring of numbered slots, with a closed bit and a count of permits in the tail.
//!
//! # The words
//! All of them are 64 bits wide on every machine, so that positions do not come round while a thread sleeps in the middle of
//! something.
//!
//! ```text
//!     tail    [ lap .......... | reserved | closed | index ]
//!     head    [ lap .......... |    0     |   0    | index ]     stamps likewise
//! ```
//!
//! A position is an index into the slots and a lap count. Between the two the tail has the `closed` bit and `reserved`, how
//! many places are promised to permits; both are as wide as they have to be for the capacity, and 0 in the head and in
//! stamps, so positions are compared and counted on as whole words, and laps wrap by themselves. The head is the position of the
//! next item, the tail that of the next free slot. Each slot has a stamp:
//!
//! | stamp | meaning |
//! |---|---|
//! | `position` | free for the item of that position |
//! | `position + 1` | holds the item of that position |
//!
//! A sender claims a position by moving the tail from it, then writes the item, then stamps the slot; a receiver does the
//! same with the head. Between the claim and the stamp nobody else touches the slot. What permits change is told in
//! `permits.rs`; where none is reserved nothing of it is met.
//!
//! # What a caller may conclude
//! - `Full` and `Empty` are said by the slot at the frontier or head, not by counting. While another thread is between its
//!   claim and its stamp, the ring looks full (or empty) at that slot although an item behind it may be free (or there).
//!   Nobody spins for it: that thread looks for waiters after its stamp, as everybody does, and they try again.
//! - `Closed` from [`pop`](Queue::pop) means that every item that was ever pushed has been claimed and no permit is left:
//!   both are parts of one word, and once it is closed only permits move it.
//! - The stamp of a slot and the look for waiters after it are a store-load pair, made by
//!   [`publish_then_check`]; the waiters' half is in `state.rs`. A permit given back is another.

mod permits;

use super::queue::{NotPopped, NotPushed, Queue};
use crate::primitive::UnsafeCell;
use crate::primitive::atomic::{AtomicU64, Ordering};
use crate::primitive::dekker::publish_then_check;
use core::mem::MaybeUninit;

/// The largest capacity, so that laps have bits enough: 5 minutes of nothing but sending pass before they come round.
pub(super) const MAX_CAPACITY: usize = (1 << 28) - 1;

/// Up to so many slots head and tail lie side by side.
const SMALL: usize = 16;

/// Bytes on either side of a word that keep everything else off its line and the next, since x86 fetches lines in pairs.
const BESIDE: usize = 128 - size_of::<u64>();

/// A word with lines by itself: by room on both sides and not by alignment, which sends glibc down a slow path for every
/// channel that is made.
#[repr(C)]
struct Apart<T> {
    _before: MaybeUninit<[u8; BESIDE]>,
    word: T,
    _after: MaybeUninit<[u8; BESIDE]>,
}

impl<T> Apart<T> {
    fn new(word: T) -> Self {
        Self { _before: MaybeUninit::uninit(), word, _after: MaybeUninit::uninit() }
    }
}

/// Head and tail.
enum Ends {
    /// Of a small ring: senders and receivers meet at every slot anyway, so what counts is that the whole channel lies on few
    /// lines.
    Together { head: AtomicU64, tail: AtomicU64 },
    /// Of a large one: senders and receivers would otherwise take the line from each other at every item.
    Apart(Box<(Apart<AtomicU64>, Apart<AtomicU64>)>),
}

impl Ends {
    fn new(capacity: usize) -> Self {
        let (head, tail) = (AtomicU64::new(0), AtomicU64::new(0));
        if capacity <= SMALL {
            Self::Together { head, tail }
        } else {
            Self::Apart(Box::new((Apart::new(head), Apart::new(tail))))
        }
    }
}

struct Slot<T> {
    stamp: AtomicU64,
    item: UnsafeCell<MaybeUninit<T>>,
}

pub struct Ring<T> {
    ends: Ends,
    slots: Box<[Slot<T>]>,
    /// One more than any index can be, and a power of two.
    closed: u64,
    /// `closed` and `reserved`: what can lie between lap and index.
    beside: u64,
    /// One lap more.
    lap: u64,
}

// SAFETY: items move in at one thread and out at another; the stamps order the two.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above; no reference to an item is ever given out.
unsafe impl<T: Send> Sync for Ring<T> {}

/// What the slot at a position shows to a sender.
enum Look {
    Free,
    Full,
    /// Somebody claimed the position meanwhile.
    Passed,
}

impl<T> Ring<T> {
    /// The caller has checked that `0 < capacity <= MAX_CAPACITY`.
    pub(super) fn new(capacity: usize) -> Self {
        let slots = (0..capacity)
            .map(|i| Slot { stamp: AtomicU64::new(i as u64), item: UnsafeCell::new(MaybeUninit::uninit()) })
            .collect();
        let closed = (capacity as u64 + 1).next_power_of_two();
        // `reserved` is at most the capacity, so it is as wide as an index.
        let lap = closed * 2 * closed;
        Self { ends: Ends::new(capacity), slots, closed, beside: lap - closed, lap }
    }

    #[inline]
    fn head(&self) -> &AtomicU64 {
        match &self.ends {
            Ends::Together { head, .. } => head,
            Ends::Apart(ends) => &ends.0.word,
        }
    }

    #[inline]
    fn tail(&self) -> &AtomicU64 {
        match &self.ends {
            Ends::Together { tail, .. } => tail,
            Ends::Apart(ends) => &ends.1.word,
        }
    }

    /// How many slots there are.
    #[inline]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    fn index(&self, position: u64) -> usize {
        (position & (self.closed - 1)) as usize
    }

    /// The position after this one: the next slot, or the first of the next lap.
    #[inline]
    fn after(&self, position: u64) -> u64 {
        if self.index(position) + 1 < self.slots() {
            position + 1
        } else {
            (position & !(self.lap - 1)).wrapping_add(self.lap)
        }
    }

    #[inline]
    fn slot(&self, position: u64) -> &Slot<T> {
        debug_assert!(self.index(position) < self.slots());
        // SAFETY: positions are made by `after` and `ahead` alone, which keep the index below the capacity.
        unsafe { self.slots.get_unchecked(self.index(position)) }
    }

    /// The position that the tail's word has in it.
    fn position(&self, tail: u64) -> u64 {
        tail & !self.beside
    }

    fn look(&self, position: u64) -> Look {
        // Ordering: Acquire pairs with the stamp of pop: the item before this one was taken out.
        let stamp = self.slot(position).stamp.load(Ordering::Acquire);
        if stamp == position {
            Look::Free
        } else if is_before(stamp, position) {
            // The slot still has to do with the lap before: its item is there, or on its way in or out.
            Look::Full
        } else {
            // The Acquire above made the tail's move visible.
            Look::Passed
        }
    }

    /// Puts the item at a position that the caller has claimed.
    #[inline]
    fn fill<R>(&self, position: u64, item: &mut Option<T>, check: impl FnOnce() -> R) -> R {
        let slot = self.slot(position);
        if let Some(value) = item.take() {
            // SAFETY: the position was claimed, so the free slot is the caller's until it is stamped.
            slot.item.with_mut(|place| unsafe { (*place).write(value) });
        }
        // Ordering: Release pairs with the Acquire in pop.
        publish_then_check(|| slot.stamp.store(position + 1, Ordering::Release), check)
    }

    /// What stands at the head, if not an item that can be taken.
    fn why_not(&self, head: u64) -> NotPopped {
        // Nobody has stamped this position. If the tail is closed here and nothing is reserved, nobody ever will.
        // Ordering: Acquire, so that what was done before closing is seen by who finds it closed.
        let closed_here = self.tail().load(Ordering::Acquire) == head | self.closed;
        if closed_here { NotPopped::Closed } else { NotPopped::Empty }
    }

    /// Items and reserved places, of one moment.
    fn count(&self) -> (usize, usize) {
        loop {
            // Ordering: Acquire, so that the loads stay in this order; the count is of one moment if the tail stood still.
            let tail = self.tail().load(Ordering::Acquire);
            let head = self.head().load(Ordering::Acquire);
            if self.tail().load(Ordering::Relaxed) == tail {
                let reserved = self.reserved(tail);
                let tail = self.position(tail);
                let (h, t) = (self.index(head), self.index(tail));
                let len = match t.cmp(&h) {
                    core::cmp::Ordering::Greater => t - h,
                    core::cmp::Ordering::Less => self.slots() - h + t,
                    core::cmp::Ordering::Equal if tail == head => 0,
                    core::cmp::Ordering::Equal => self.slots(),
                };
                return (len, reserved);
            }
            // Under a model checker a loop that waits for another thread has to say so.
            crate::primitive::hint::spin_loop();
        }
    }
}

impl<T> Queue for Ring<T> {
    type Item = T;

    #[inline]
    fn push<R>(&self, item: &mut Option<T>, check: impl FnOnce() -> R) -> Result<R, NotPushed> {
        // Ordering: Relaxed, the compare-exchange and the stamp validate it.
        let end = self.tail();
        let mut tail = end.load(Ordering::Relaxed);
        let position = loop {
            if tail & self.beside != 0 {
                break self.claim_beside(tail)?;
            }
            // Ordering: Acquire, as in look.
            let stamp = self.slot(tail).stamp.load(Ordering::Acquire);
            if stamp == tail {
                // Ordering: Relaxed, the stamps order the items; the tail only counts.
                match end.compare_exchange_weak(tail, self.after(tail), Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => break tail,
                    Err(now) => tail = now,
                }
            } else if is_before(stamp, tail) {
                // The slot still has to do with the lap before: its item is there, or on its way in or out.
                return Err(NotPushed::Full);
            } else {
                // Somebody claimed the position meanwhile, and the Acquire above made the tail's move visible.
                tail = end.load(Ordering::Relaxed);
            }
        };
        Ok(self.fill(position, item, check))
    }

    #[inline]
    fn pop<R>(&self, check: impl FnOnce() -> R) -> Result<(T, R), NotPopped> {
        // Ordering: Relaxed, the compare-exchange and the stamp validate it.
        let end = self.head();
        let mut head = end.load(Ordering::Relaxed);
        loop {
            let slot = self.slot(head);
            // Ordering: Acquire pairs with the stamp of push: the item is seen.
            let stamp = slot.stamp.load(Ordering::Acquire);
            if stamp == head + 1 {
                // Ordering: Relaxed, as in push.
                match end.compare_exchange_weak(head, self.after(head), Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => {
                        // SAFETY: the position was claimed, so the item is the caller's, once, until the slot is stamped.
                        let value = slot.item.with(|place| unsafe { (*place).assume_init_read() });
                        let free = head.wrapping_add(self.lap);
                        // Ordering: Release pairs with the Acquire in push.
                        let seen = publish_then_check(|| slot.stamp.store(free, Ordering::Release), check);
                        return Ok((value, seen));
                    }
                    Err(now) => head = now,
                }
            } else if is_before(stamp, head + 1) {
                return Err(self.why_not(head));
            } else {
                // Somebody claimed the position meanwhile, and the Acquire above made the head's move visible.
                head = end.load(Ordering::Relaxed);
            }
        }
    }

    fn pop_many<R>(&self, limit: usize, into: &mut Vec<T>, check: impl FnOnce() -> R) -> Result<(usize, R), NotPopped> {
        let limit = limit.min(self.slots());
        let mut head = self.head().load(Ordering::Relaxed);
        loop {
            let mut end = head;
            let mut found = 0;
            // Ordering: Acquire, as in pop.
            let mut stamp = self.slot(end).stamp.load(Ordering::Acquire);
            while found < limit && stamp == end + 1 {
                found += 1;
                end = self.after(end);
                stamp = self.slot(end).stamp.load(Ordering::Acquire);
            }
            if found != 0 {
                // Before the claim: an allocation may fail, and nothing that was claimed may be lost.
                into.reserve(found);
                // Ordering: Relaxed, as in push.
                match self.head().compare_exchange_weak(head, end, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return Ok((found, self.take_claimed(head, found, into, check))),
                    Err(now) => head = now,
                }
            } else if is_before(stamp, head + 1) {
                return Err(self.why_not(head));
            } else {
                head = self.head().load(Ordering::Relaxed);
            }
        }
    }

    fn close(&self) -> bool {
        // Ordering: Release pairs with the Acquire in pop and is_closed; Acquire for symmetry between closers.
        self.tail().fetch_or(self.closed, Ordering::AcqRel) & self.closed == 0
    }

    fn is_closed(&self) -> bool {
        // Ordering: Acquire pairs with close().
        self.tail().load(Ordering::Acquire) & self.closed != 0
    }

    fn len(&self) -> usize {
        self.count().0
    }

    fn capacity(&self) -> Option<usize> {
        Some(self.slots())
    }

    fn room(&self) -> usize {
        let (len, reserved) = self.count();
        // Head and tail are not read at one moment by the machine's lights, so this may be short of what it subtracts.
        self.slots().saturating_sub(len + reserved)
    }
}

impl<T> Ring<T> {
    /// Takes the items of so many positions that the caller has claimed, and for which `into` has room.
    fn take_claimed<R>(&self, mut position: u64, count: usize, into: &mut Vec<T>, check: impl FnOnce() -> R) -> R {
        let take = || {
            for _ in 0..count {
                let slot = self.slot(position);
                // SAFETY: the position was claimed, so the item is the caller's, once, until the slot is stamped.
                into.push(slot.item.with(|place| unsafe { (*place).assume_init_read() }));
                // Ordering: Release pairs with the Acquire in push.
                slot.stamp.store(position.wrapping_add(self.lap), Ordering::Release);
                position = self.after(position);
            }
        };
        publish_then_check(take, check)
    }
}

/// Whether the stamp `a` is older than `b`. Positions wrap, and no two that meet are half the range apart.
#[inline]
fn is_before(a: u64, b: u64) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // Alone by &mut self, so no claim is under way and pop finds every item (crossbeam 1187).
        while let Ok((item, ())) = self.pop(|| ()) {
            drop(item);
        }
    }
}
