//! The invariants at the head of `wheel.rs`, checked from inside after each step of random sequences.
//!
//! The oracle test in `tests/` sees only what an owner sees; this one sees an entry in the wrong slot before it fires late.
#![allow(clippy::disallowed_types, reason = "the macros of proptest name the Arc of std")]

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

impl<T> Wheel<T> {
    fn check(&self) {
        assert!(self.cursor <= self.now);
        let mut found = 0;
        for node in self.near.nodes().filter(|node| self.entries.is_armed(node.index, node.order)) {
            assert_eq!(Place::of(node.deadline, self.cursor), Place::Near);
            assert_eq!(self.entries.entry(node.index).deadline, node.deadline);
            found += 1;
        }
        assert_eq!(found, self.near.len());
        assert!(self.near.nodes().count() <= 2 * self.near.len() + 64, "dead nodes pile up");
        if let Some(first) = self.near.first() {
            assert!(self.entries.is_armed(first.index, first.order), "the near heap's top is dead");
        }
        for (number, level) in self.levels.iter().enumerate() {
            let mut occupied = 0;
            for (slot, held) in level.slots().iter().enumerate() {
                found += self.check_slot(held, Place::Slot { level: number, slot });
                occupied += u32::from(!held.is_empty());
                if !held.is_empty() {
                    assert!(slot_start(number, slot, self.cursor) > self.cursor);
                }
            }
            assert_eq!(occupied, level.occupied(), "the bitmap of level {number} is wrong");
        }
        found += self.check_slot(&self.overflow, Place::Overflow);
        assert_eq!(found, self.len());
    }

    fn check_slot(&self, slot: &Slot, place: Place) -> usize {
        let mut live = 0;
        for node in slot.nodes().iter().filter(|node| self.entries.is_armed(node.index, node.order)) {
            assert_eq!(self.entries.entry(node.index).deadline, node.deadline);
            assert_eq!(Place::of(node.deadline, self.cursor), place);
            assert!(slot.earliest_bound() <= node.deadline);
            assert!(slot.earliest(&self.entries) <= node.deadline);
            live += 1;
        }
        assert_eq!(live == 0, slot.is_empty(), "the number of the living is wrong");
        assert!(slot.nodes().len() <= 2 * live + 32, "dead nodes pile up");
        live
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64),
    Remove(usize),
    Reset(usize, u64),
    Pop(u64, usize),
    Shrink,
}

/// Spans of every magnitude alike, so that each level and each border between levels is hit.
fn span() -> impl Strategy<Value = u64> {
    (0_u32..=64, any::<u64>()).prop_map(|(bits, noise)| noise.checked_shr(64 - bits).unwrap_or(0))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => span().prop_map(Step::Insert),
        2 => any::<usize>().prop_map(Step::Remove),
        2 => (any::<usize>(), span()).prop_map(|(which, span)| Step::Reset(which, span)),
        3 => (span(), 0_usize..20).prop_map(|(span, limit)| Step::Pop(span >> 8, limit)),
        1 => Just(Step::Shrink),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_entry_is_where_it_belongs_after_every_step(
        start in span(),
        armings in prop_oneof![Just(0), (0_u32..60).prop_map(|left| u32::MAX - left)],
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut wheel = Wheel::after_armings(start, armings);
        let mut keys = Vec::new();
        for step in steps {
            match step {
                Step::Insert(span) => keys.push(wheel.insert(wheel.now().saturating_add(span), ())),
                Step::Remove(which) if !keys.is_empty() => {
                    wheel.remove(keys.swap_remove(which % keys.len()));
                }
                Step::Reset(which, span) if !keys.is_empty() => {
                    wheel.reset(keys[which % keys.len()], wheel.now().saturating_add(span));
                }
                Step::Pop(span, limit) => {
                    let now = wheel.now().saturating_add(span);
                    for _ in 0..limit {
                        if wheel.pop_due(now).is_none() {
                            assert_eq!(wheel.cursor, wheel.now, "a cursor left behind places too coarsely");
                            break;
                        }
                        wheel.check();
                    }
                }
                Step::Shrink => wheel.shrink_to_fit(),
                Step::Remove(_) | Step::Reset(..) => {}
            }
            wheel.check();
        }
    }
}

#[test]
fn dead_near_entries_do_not_pile_up() {
    let mut wheel = Wheel::new(1 << 40);
    // It stays on top, so that nothing behind it is buried on the way.
    wheel.insert(5, ());
    let moved = wheel.insert(6, ());
    for _ in 0..1_000 {
        let key = wheel.insert(7, ());
        wheel.remove(key);
        wheel.reset(moved, 6);
        wheel.check();
    }
}

/// An entry and a dead node of it in each place where a node may be, when the numbers end.
#[test]
fn renumbering_keeps_the_order_and_leaves_no_dead_node() {
    let mut wheel = Wheel::after_armings(1 << 40, u32::MAX - 9);
    let deadlines = [5, (1 << 40) + (1 << 20), u64::MAX];
    let mut moved = Vec::new();
    for deadline in deadlines {
        let last = wheel.insert(deadline, 'c');
        wheel.insert(deadline, 'b');
        moved.push((last, deadline));
    }
    for &(last, deadline) in &moved {
        assert!(wheel.reset(last, deadline), "so that it comes after the other, and leaves a dead node");
    }
    assert_eq!(wheel.order, u32::MAX);
    wheel.insert(1 << 40, 'a');
    assert_eq!(wheel.order, 7, "six are numbered anew, and one is new");
    wheel.check();
    let nodes = wheel.levels.iter().flat_map(Level::slots).chain([&wheel.overflow]).map(|slot| slot.nodes().len());
    assert_eq!(nodes.sum::<usize>() + wheel.near.nodes().count(), wheel.len(), "a dead node is left");
    let mut fired = Vec::new();
    wheel.advance(u64::MAX, |_, value| fired.push(value));
    assert_eq!(fired, ['b', 'c', 'a', 'b', 'c', 'b', 'c']);
}

/// The number of a dead node comes again, for the same place: only that the node is gone keeps the new entry from firing by it.
#[test]
fn a_dead_node_does_not_live_again_by_its_number() {
    let mut wheel = Wheel::new(0);
    let (before, after) = (1 << 30, (1 << 30) + 5);
    // The first keeps the slot from being emptied.
    let keys: Vec<_> = (0..8).map(|_| wheel.insert(before, 'x')).collect();
    // Places are taken again last freed first, so each gets the number that it had.
    for &key in keys[1..].iter().rev() {
        wheel.remove(key);
    }
    wheel.order = u32::MAX;
    for _ in 1..8 {
        wheel.insert(after, 'y');
        wheel.check();
    }
    assert_eq!(wheel.order, 8);
    let mut fired = Vec::new();
    wheel.advance(u64::MAX, |deadline, value| fired.push((deadline, value)));
    assert_eq!(fired[0], (before, 'x'));
    assert_eq!(fired[1..], [(after, 'y'); 7]);
}
