//! Where in the wheel a deadline belongs, and the slots that hold the entries of one span of time.
//!
//! A slot is an array of nodes. The order within it means nothing: the near heap sorts. Opening a slot reads its nodes one
//! after the other; a list through the entries themselves would wait for memory at each step (it did: 80 % of the time that
//! 200 000 timers took to fire). Beside the nodes a slot knows a time that is never later than its earliest deadline.

use alloc::vec::Vec;

use crate::entries::Entries;
use crate::near::Node;

/// A tick, the span of a slot of level 0, is 2^16 ns = 65.5 us.
pub(crate) const TICK_BITS: u32 = 16;
/// Each level has 2^6 = 64 slots: their occupancy is one machine word.
pub(crate) const SLOT_BITS: u32 = 6;
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;
/// Six levels reach 2^52 ns = 52 days: what a server waits for fits, at 1 KiB a level.
pub(crate) const LEVELS: usize = 6;
/// Deadlines that differ from the cursor at or above this bit are in the overflow list.
pub(crate) const REACH_BITS: u32 = TICK_BITS + SLOT_BITS * LEVELS as u32;

/// With more entries than this, a slot is not looked through for its earliest deadline once the known one has left.
const LOOK_LIMIT: u32 = 16;
/// Dead nodes below this number are not worth a sweep. With `LOOK_LIMIT` entries a slot has at most twice as many nodes and
/// these, which bounds a look.
const SWEEP_FLOOR: usize = 32;
/// An emptied slot keeps memory for this many nodes at most.
const KEPT: usize = 64;

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

/// The entries of one span of time, as nodes: an entry that is removed or reset stays behind as a dead one until its slot is
/// opened, or until the dead outnumber the living.
pub(crate) struct Slot {
    nodes: Vec<Node>,
    /// Never later than any deadline in here; `u64::MAX` when empty.
    earliest: u64,
    live: u32,
    /// The entry that `earliest` came from has left: another may still have the same deadline.
    left: bool,
}

impl Slot {
    pub(crate) const EMPTY: Self = Self { nodes: Vec::new(), earliest: u64::MAX, live: 0, left: false };

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    #[cfg(test)]
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A time at or before the earliest deadline in here: never earlier than one this slot has held, and exact unless that
    /// entry was removed and more than `LOOK_LIMIT` others remain.
    pub(crate) fn earliest<T>(&self, entries: &Entries<T>) -> u64 {
        if !self.left || self.live > LOOK_LIMIT {
            return self.earliest;
        }
        let armed = self.nodes.iter().filter(|node| entries.is_armed(node.index, node.order));
        armed.map(|node| node.deadline).min().unwrap_or(u64::MAX)
    }

    /// The bound alone, for deciding how far to go: early is good enough.
    pub(crate) fn earliest_bound(&self) -> u64 {
        self.earliest
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, node: Node) {
        if node.deadline <= self.earliest {
            self.earliest = node.deadline;
            self.left = false;
        }
        self.live += 1;
        self.nodes.push(node);
    }

    /// Accounts for one node whose entry was just disarmed.
    #[inline]
    pub(crate) fn forget_one<T>(&mut self, entries: &Entries<T>, deadline: u64) {
        self.live -= 1;
        if self.live == 0 {
            self.nodes.clear();
            self.earliest = u64::MAX;
            self.left = false;
            return;
        }
        self.left |= deadline == self.earliest;
        // At least half the nodes died since the last sweep, so each sweep is paid for by those that left.
        if self.nodes.len() > 2 * self.live as usize + SWEEP_FLOOR {
            self.sweep(entries);
        }
    }

    #[cold]
    fn sweep<T>(&mut self, entries: &Entries<T>) {
        self.nodes.retain(|node| entries.is_armed(node.index, node.order));
        self.nodes.shrink_to(2 * self.nodes.len() + SWEEP_FLOOR);
    }

    /// Empties the slot. The nodes are the caller's, and whether all of them are alive.
    pub(crate) fn take(&mut self) -> (Vec<Node>, bool) {
        let all_alive = self.nodes.len() == self.live as usize;
        (core::mem::replace(self, Self::EMPTY).nodes, all_alive)
    }

    /// Gives back the memory of nodes that were taken, for those to come.
    pub(crate) fn reuse(&mut self, mut nodes: Vec<Node>) {
        if self.nodes.capacity() == 0 && nodes.capacity() <= KEPT {
            nodes.clear();
            self.nodes = nodes;
        }
    }

    /// Gives the nodes their new orders, and drops those that have none.
    pub(crate) fn renumber(&mut self, new: &dyn Fn(u32, u32) -> Option<u32>) {
        self.nodes.retain_mut(|node| match node.renumbered(new) {
            Some(renumbered) => {
                *node = renumbered;
                true
            }
            None => false,
        });
    }

    pub(crate) fn shrink_to_fit<T>(&mut self, entries: &Entries<T>) {
        self.nodes.retain(|node| entries.is_armed(node.index, node.order));
        self.nodes.shrink_to_fit();
    }
}

/// 64 slots and the set of those that hold something. The slots are made when the first entry comes.
pub(crate) struct Level {
    occupied: u64,
    slots: Vec<Slot>,
}

impl Level {
    pub(crate) const EMPTY: Self = Self { occupied: 0, slots: Vec::new() };

    /// The first occupied slot. All occupied slots are ahead of the cursor in this turn, so the lowest is the first.
    #[inline]
    pub(crate) fn first_occupied(&self) -> Option<usize> {
        (self.occupied != 0).then(|| self.occupied.trailing_zeros() as usize)
    }

    pub(crate) fn occupied(&self) -> u32 {
        self.occupied.count_ones()
    }

    /// An occupied slot.
    pub(crate) fn slot(&self, slot: usize) -> &Slot {
        &self.slots[slot]
    }

    #[cfg(test)]
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, slot: usize, node: Node) {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || Slot::EMPTY);
        }
        self.slots[slot].push(node);
        self.occupied |= 1 << slot;
    }

    #[inline]
    pub(crate) fn forget_one<T>(&mut self, slot: usize, entries: &Entries<T>, deadline: u64) {
        self.slots[slot].forget_one(entries, deadline);
        if self.slots[slot].is_empty() {
            self.occupied &= !(1 << slot);
        }
    }

    /// Empties a slot, as [`Slot::take`].
    pub(crate) fn take(&mut self, slot: usize) -> (Vec<Node>, bool) {
        self.occupied &= !(1 << slot);
        self.slots[slot].take()
    }

    pub(crate) fn reuse(&mut self, slot: usize, nodes: Vec<Node>) {
        self.slots[slot].reuse(nodes);
    }

    pub(crate) fn renumber(&mut self, new: &dyn Fn(u32, u32) -> Option<u32>) {
        self.slots.iter_mut().for_each(|slot| slot.renumber(new));
    }

    pub(crate) fn shrink_to_fit<T>(&mut self, entries: &Entries<T>) {
        self.slots.iter_mut().for_each(|slot| slot.shrink_to_fit(entries));
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
