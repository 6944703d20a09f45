//! The bounded queue under the channel: Vyukov's ring of numbered slots, with a closed bit in the tail.
//!
//! # Positions and stamps
//! A position is an index into the slots plus a lap count above it; between the two lies the `closed` bit, which only the
//! tail uses. The head is the position of the next item, the tail that of the next free slot. Each slot has a stamp:
//!
//! | stamp | meaning |
//! |---|---|
//! | `position` | free for the item of that position |
//! | `position + 1` | holds the item of that position |
//!
//! A sender claims a position by moving the tail from it, then writes the item, then stamps the slot; a receiver does the
//! same with the head. Between the claim and the stamp nobody else touches the slot.
//!
//! # What a caller may conclude
//! - `Full` and `Empty` are said by the slot at the tail or head, not by counting. While another thread is between its
//!   claim and its stamp, the ring looks full (or empty) at that slot although an item behind it may be free (or there).
//!   Nobody spins for it: that thread looks for waiters after its stamp, as everybody does, and they try again.
//! - `Closed` from [`pop`](Ring::pop) means that every item that was ever pushed has been claimed: the tail cannot move once
//!   it is closed, because claiming it is a compare-exchange on the word that has the bit.
//! - The stamp of a slot and the look for waiters after it are a store-load pair, made by
//!   [`publish_then_check`]; the waiters' half is in `state.rs`.

use crate::primitive::UnsafeCell;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::primitive::dekker::publish_then_check;
use core::mem::MaybeUninit;

/// Up to so many slots head and tail lie side by side.
const SMALL: usize = 16;

/// Bytes on either side of a word that keep everything else off its line and the next, since x86 fetches lines in pairs.
const BESIDE: usize = 128 - size_of::<usize>();

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
    Together { head: AtomicUsize, tail: AtomicUsize },
    /// Of a large one: senders and receivers would otherwise take the line from each other at every item.
    Apart(Box<(Apart<AtomicUsize>, Apart<AtomicUsize>)>),
}

impl Ends {
    fn new(capacity: usize) -> Self {
        let (head, tail) = (AtomicUsize::new(0), AtomicUsize::new(0));
        if capacity <= SMALL {
            Self::Together { head, tail }
        } else {
            Self::Apart(Box::new((Apart::new(head), Apart::new(tail))))
        }
    }
}

struct Slot<T> {
    stamp: AtomicUsize,
    item: UnsafeCell<MaybeUninit<T>>,
}

pub(super) struct Ring<T> {
    ends: Ends,
    slots: Box<[Slot<T>]>,
    /// One more than any index can be, and a power of two.
    closed: usize,
}

// SAFETY: items move in at one thread and out at another; the stamps order the two.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above; no reference to an item is ever given out.
unsafe impl<T: Send> Sync for Ring<T> {}

/// Why an item was not taken in. It is still with the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPushed {
    Full,
    Closed,
}

/// Why there was no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPopped {
    Empty,
    Closed,
}

impl<T> Ring<T> {
    /// The caller has checked that `0 < capacity < 2^(bits - 3)`.
    pub(super) fn new(capacity: usize) -> Self {
        let slots = (0..capacity)
            .map(|i| Slot { stamp: AtomicUsize::new(i), item: UnsafeCell::new(MaybeUninit::uninit()) })
            .collect();
        Self { ends: Ends::new(capacity), slots, closed: (capacity + 1).next_power_of_two() }
    }

    #[inline]
    fn head(&self) -> &AtomicUsize {
        match &self.ends {
            Ends::Together { head, .. } => head,
            Ends::Apart(ends) => &ends.0.word,
        }
    }

    #[inline]
    fn tail(&self) -> &AtomicUsize {
        match &self.ends {
            Ends::Together { tail, .. } => tail,
            Ends::Apart(ends) => &ends.1.word,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    fn lap(&self) -> usize {
        self.closed * 2
    }

    #[inline]
    fn index(&self, position: usize) -> usize {
        position & (self.closed - 1)
    }

    /// The position after this one: the next slot, or the first of the next lap.
    #[inline]
    fn after(&self, position: usize) -> usize {
        if self.index(position) + 1 < self.capacity() {
            position + 1
        } else {
            (position & !(self.lap() - 1)).wrapping_add(self.lap())
        }
    }

    #[inline]
    fn slot(&self, position: usize) -> &Slot<T> {
        debug_assert!(self.index(position) < self.capacity());
        // SAFETY: positions are made by `after` alone, which keeps the index below the capacity.
        unsafe { self.slots.get_unchecked(self.index(position)) }
    }

    /// Takes `item`'s value in and returns what `check` says once it is visible. `item` must hold a value, and does
    /// exactly if this fails.
    #[inline]
    pub(super) fn push<R>(&self, item: &mut Option<T>, check: impl FnOnce() -> R) -> Result<R, NotPushed> {
        // Ordering: Relaxed, the compare-exchange and the stamp validate it.
        let end = self.tail();
        let mut tail = end.load(Ordering::Relaxed);
        loop {
            if tail & self.closed != 0 {
                return Err(NotPushed::Closed);
            }
            let slot = self.slot(tail);
            // Ordering: Acquire pairs with the stamp of pop: the item before this one was taken out.
            let stamp = slot.stamp.load(Ordering::Acquire);
            if stamp == tail {
                // Ordering: Relaxed, the stamps order the items; the tail only counts.
                match end.compare_exchange_weak(tail, self.after(tail), Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => {
                        if let Some(value) = item.take() {
                            // SAFETY: the position was claimed, so the free slot is the caller's until it is stamped.
                            slot.item.with_mut(|place| unsafe { (*place).write(value) });
                        }
                        // Ordering: Release pairs with the Acquire in pop.
                        return Ok(publish_then_check(|| slot.stamp.store(tail + 1, Ordering::Release), check));
                    }
                    Err(now) => tail = now,
                }
            } else if is_before(stamp, tail) {
                // The slot still has to do with the lap before: its item is there, or on its way in or out.
                return Err(NotPushed::Full);
            } else {
                // Somebody claimed the position meanwhile, and the Acquire above made the tail's move visible.
                tail = end.load(Ordering::Relaxed);
            }
        }
    }

    /// Takes the next item out, with what `check` says once its slot is free.
    #[inline]
    pub(super) fn pop<R>(&self, check: impl FnOnce() -> R) -> Result<(T, R), NotPopped> {
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
                        let free = head.wrapping_add(self.lap());
                        // Ordering: Release pairs with the Acquire in push.
                        let seen = publish_then_check(|| slot.stamp.store(free, Ordering::Release), check);
                        return Ok((value, seen));
                    }
                    Err(now) => head = now,
                }
            } else if is_before(stamp, head + 1) {
                // Nobody has stamped this position. If the tail is closed here, nobody ever will.
                // Ordering: Acquire, so that what was done before closing is seen by who finds it closed.
                let closed_here = self.tail().load(Ordering::Acquire) == head | self.closed;
                return Err(if closed_here { NotPopped::Closed } else { NotPopped::Empty });
            } else {
                // Somebody claimed the position meanwhile, and the Acquire above made the head's move visible.
                head = end.load(Ordering::Relaxed);
            }
        }
    }

    /// Takes no more items in; `true` for the first caller.
    pub(super) fn close(&self) -> bool {
        // Ordering: Release pairs with the Acquire in pop and is_closed; Acquire for symmetry between closers.
        self.tail().fetch_or(self.closed, Ordering::AcqRel) & self.closed == 0
    }

    pub(super) fn is_closed(&self) -> bool {
        // Ordering: Acquire pairs with close().
        self.tail().load(Ordering::Acquire) & self.closed != 0
    }

    /// Items that were claimed by a sender and not yet by a receiver; at most the capacity.
    pub(super) fn len(&self) -> usize {
        loop {
            // Ordering: Acquire, so that the loads stay in this order; the count is of one moment if the tail stood still.
            let tail = self.tail().load(Ordering::Acquire);
            let head = self.head().load(Ordering::Acquire);
            if self.tail().load(Ordering::Relaxed) == tail {
                let tail = tail & !self.closed;
                let (h, t) = (self.index(head), self.index(tail));
                return match t.cmp(&h) {
                    core::cmp::Ordering::Greater => t - h,
                    core::cmp::Ordering::Less => self.capacity() - h + t,
                    core::cmp::Ordering::Equal if tail == head => 0,
                    core::cmp::Ordering::Equal => self.capacity(),
                };
            }
            // Under a model checker a loop that waits for another thread has to say so.
            crate::primitive::hint::spin_loop();
        }
    }
}

/// Whether the stamp `a` is older than `b`. Positions wrap, and no two that meet are half the range apart.
#[inline]
fn is_before(a: usize, b: usize) -> bool {
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
