//! Where in the wheel a deadline belongs, and the slots that hold the entries of one span of time.
//!
//! A slot is a doubly linked list through the entries' indices. The order within it means nothing: the near heap sorts.
//! Beside the list it knows a time that is never later than its earliest deadline.

use crate::entries::{Entries, NIL};

/// A tick, the span of a slot of level 0, is 2^16 ns = 65.5 us.
pub(crate) const TICK_BITS: u32 = 16;
/// Each level has 2^6 = 64 slots: their occupancy is one machine word.
pub(crate) const SLOT_BITS: u32 = 6;
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;
/// Six levels reach 2^52 ns = 52 days: what a server waits for fits, at 1 KiB a level.
pub(crate) const LEVELS: usize = 6;
/// Deadlines that differ from the cursor at or above this bit are in the overflow list.
pub(crate) const REACH_BITS: u32 = TICK_BITS + SLOT_BITS * LEVELS as u32;

/// How many entries of a slot are looked at for its earliest deadline, once the known one has left.
const LOOK_LIMIT: usize = 16;

/// Where an entry is kept. A function of cursor and deadline alone, so no entry has to remember it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the cursor's tick or before it.
    Near,
    /// In a slot of a level.
    Slot { level: usize, slot: usize },
    /// Beyond the top level.
    Overflow,
}

impl Place {
    #[inline]
    pub(crate) fn of(deadline: u64, cursor: u64) -> Self {
        if deadline >> TICK_BITS <= cursor >> TICK_BITS {
            return Self::Near;
        }
        // They differ above the tick, so the logarithm exists and is at least TICK_BITS.
        let level = ((deadline ^ cursor).ilog2() - TICK_BITS) / SLOT_BITS;
        if level as usize >= LEVELS {
            return Self::Overflow;
        }
        let slot = (deadline >> shift(level as usize)) as usize % SLOTS;
        Self::Slot { level: level as usize, slot }
    }
}

/// The bit at which a level's digit begins.
fn shift(level: usize) -> u32 {
    TICK_BITS + SLOT_BITS * level as u32
}

/// When a slot ahead of the cursor begins.
pub(crate) fn slot_start(level: usize, slot: usize, cursor: u64) -> u64 {
    let turn = !0 << (shift(level) + SLOT_BITS);
    (cursor & turn) | ((slot as u64) << shift(level))
}

/// When the 52 days begin that contain this deadline.
pub(crate) fn reach_start(deadline: u64) -> u64 {
    deadline & (!0 << REACH_BITS)
}

#[derive(Clone)]
pub(crate) struct Slot {
    /// Never later than any deadline in here; `u64::MAX` when empty.
    earliest: u64,
    head: u32,
    /// The entry that `earliest` came from has left: another may still have the same deadline.
    left: bool,
}

impl Slot {
    pub(crate) const EMPTY: Self = Self { earliest: u64::MAX, head: NIL, left: false };

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head == NIL
    }

    pub(crate) fn head(&self) -> u32 {
        self.head
    }

    /// A time at or before the earliest deadline in here: never earlier than one this slot has held, and exact unless that
    /// entry was removed and more than `LOOK_LIMIT` others remain.
    pub(crate) fn earliest<T>(&self, entries: &Entries<T>) -> u64 {
        if !self.left {
            return self.earliest;
        }
        let mut earliest = u64::MAX;
        let mut next = self.head;
        for _ in 0..LOOK_LIMIT {
            let entry = entries.entry(next);
            earliest = earliest.min(entry.deadline);
            next = entry.next;
            if next == NIL {
                return earliest;
            }
        }
        self.earliest
    }

    /// The bound alone, for deciding how far to go: early is good enough.
    pub(crate) fn earliest_bound(&self) -> u64 {
        self.earliest
    }

    #[inline]
    pub(crate) fn link<T>(&mut self, entries: &mut Entries<T>, index: u32) {
        let entry = entries.entry_mut(index);
        let deadline = entry.deadline;
        entry.prev = NIL;
        entry.next = self.head;
        if self.head != NIL {
            entries.entry_mut(self.head).prev = index;
        }
        self.head = index;
        if deadline <= self.earliest {
            self.earliest = deadline;
            self.left = false;
        }
    }

    #[inline]
    pub(crate) fn unlink<T>(&mut self, entries: &mut Entries<T>, index: u32) {
        let entry = entries.entry(index);
        let (deadline, prev, next) = (entry.deadline, entry.prev, entry.next);
        if next != NIL {
            entries.entry_mut(next).prev = prev;
        }
        if prev != NIL {
            entries.entry_mut(prev).next = next;
        } else {
            self.head = next;
        }
        if self.head == NIL {
            *self = Self::EMPTY;
        } else if deadline == self.earliest {
            self.left = true;
        }
    }
}

/// 64 slots and the set of those that hold something.
pub(crate) struct Level {
    occupied: u64,
    slots: [Slot; SLOTS],
}

impl Level {
    pub(crate) const EMPTY: Self = Self { occupied: 0, slots: [Slot::EMPTY; SLOTS] };

    /// The first occupied slot. All occupied slots are ahead of the cursor in this turn, so the lowest is the first.
    #[inline]
    pub(crate) fn first_occupied(&self) -> Option<usize> {
        (self.occupied != 0).then(|| self.occupied.trailing_zeros() as usize)
    }

    pub(crate) fn occupied(&self) -> u32 {
        self.occupied.count_ones()
    }

    pub(crate) fn slot(&self, slot: usize) -> &Slot {
        &self.slots[slot]
    }

    #[inline]
    pub(crate) fn link<T>(&mut self, slot: usize, entries: &mut Entries<T>, index: u32) {
        self.slots[slot].link(entries, index);
        self.occupied |= 1 << slot;
    }

    #[inline]
    pub(crate) fn unlink<T>(&mut self, slot: usize, entries: &mut Entries<T>, index: u32) {
        self.slots[slot].unlink(entries, index);
        if self.slots[slot].is_empty() {
            self.occupied &= !(1 << slot);
        }
    }

    /// Empties a slot; the list that begins at the returned head is the caller's.
    pub(crate) fn take(&mut self, slot: usize) -> u32 {
        self.occupied &= !(1 << slot);
        core::mem::replace(&mut self.slots[slot], Slot::EMPTY).head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_digit_that_differs_decides() {
        assert_eq!(Place::of(0, 0), Place::Near);
        assert_eq!(Place::of((1 << 16) - 1, 0), Place::Near);
        assert_eq!(Place::of(1 << 16, 0), Place::Slot { level: 0, slot: 1 });
        assert_eq!(Place::of((1 << 22) - 1, 0), Place::Slot { level: 0, slot: 63 });
        assert_eq!(Place::of(1 << 22, 0), Place::Slot { level: 1, slot: 1 });
        assert_eq!(Place::of(1 << 22, (1 << 22) - 1), Place::Slot { level: 1, slot: 1 });
        assert_eq!(Place::of((1 << 52) - 1, 0), Place::Slot { level: 5, slot: 63 });
        assert_eq!(Place::of(1 << 52, 0), Place::Overflow);
        assert_eq!(Place::of(1 << 52, (1 << 52) - 1), Place::Overflow);
        assert_eq!(Place::of(u64::MAX, 0), Place::Overflow);
    }

    #[test]
    fn the_past_and_the_current_tick_are_near() {
        assert_eq!(Place::of(0, u64::MAX), Place::Near);
        assert_eq!(Place::of(u64::MAX, u64::MAX), Place::Near);
        assert_eq!(Place::of(70_000, 131_071), Place::Near);
        assert_eq!(Place::of(131_072, 131_071), Place::Slot { level: 0, slot: 2 });
    }

    #[test]
    fn a_slot_begins_at_its_digit_with_zeros_below() {
        let cursor = 0xABCD_EF01_2345_6789;
        for level in 0..LEVELS {
            let ahead = cursor | (0x3F << shift(level));
            if let Place::Slot { level: found, slot } = Place::of(ahead, cursor) {
                assert_eq!(slot_start(found, slot, cursor), ahead >> shift(found) << shift(found));
            }
        }
        assert_eq!(reach_start(u64::MAX), 0xFFF0_0000_0000_0000);
    }
}
