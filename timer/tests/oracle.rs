//! The wheel against an oracle that cannot be wrong: a `BTreeMap` ordered by (deadline, insertion).
//!
//! Random sequences of everything an owner can do, started just below, at and above each border between levels and near
//! the top of the range, with deadlines drawn around the same borders, and a part of them just before the wheel has used up
//! its order numbers.
#![allow(clippy::disallowed_types, reason = "the macros of proptest name the Arc of std")]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use weftwork_timer::{Key, Wheel};

/// The borders: a tick, each level's turn, the reach of the wheel, and one beyond.
const BORDER_BITS: [u32; 9] = [16, 22, 28, 34, 40, 46, 52, 58, 63];

/// With so few entries in the wheel `next_expiry` promises to be exact whatever was removed.
const ALWAYS_EXACT: usize = 16;

#[derive(Default)]
struct Oracle {
    now: u64,
    order: u64,
    armed: BTreeMap<(u64, u64), u64>,
    by_value: HashMap<u64, (u64, u64)>,
}

impl Oracle {
    fn arm(&mut self, deadline: u64, value: u64) {
        self.disarm(value);
        self.order += 1;
        self.armed.insert((deadline, self.order), value);
        self.by_value.insert(value, (deadline, self.order));
    }

    fn disarm(&mut self, value: u64) -> Option<u64> {
        let place = self.by_value.remove(&value)?;
        self.armed.remove(&place);
        Some(place.0)
    }

    fn earliest(&self) -> Option<u64> {
        self.armed.keys().next().map(|&(deadline, _)| deadline)
    }

    fn pop_due(&mut self, now: u64) -> Option<(u64, u64)> {
        self.now = self.now.max(now);
        let (&(deadline, order), &value) = self.armed.iter().next()?;
        if deadline > self.now {
            return None;
        }
        self.armed.remove(&(deadline, order));
        self.by_value.remove(&value);
        Some((deadline, value))
    }
}

/// A moment, to be made into a time once the wheel's now is known.
#[derive(Debug, Clone, Copy)]
enum When {
    After(u64),
    Before(u64),
    /// So many ns off the next time at which this many low bits are zero.
    Border(u32, i64),
    Far(u64),
    SameAsEarliest(i64),
}

impl When {
    fn at(self, oracle: &Oracle) -> u64 {
        match self {
            Self::After(span) => oracle.now.saturating_add(span),
            Self::Before(span) => oracle.now.saturating_sub(span),
            Self::Border(bits, off) => (oracle.now | ((1 << bits) - 1)).saturating_add(1).saturating_add_signed(off),
            Self::Far(below_the_top) => u64::MAX - below_the_top,
            Self::SameAsEarliest(off) => oracle.earliest().unwrap_or(oracle.now).saturating_add_signed(off),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Insert(When),
    /// Fills one place in time, so that a slot holds more than `next_expiry` looks at.
    InsertMany(When, u8),
    Remove(usize),
    RemoveEarliest,
    Reset(usize, When),
    UseStaleKey(usize),
    Advance(When),
    PopSome(When, u8),
    FollowNextExpiry,
    StandStill,
    Shrink,
}

struct Pair {
    wheel: Wheel<u64>,
    oracle: Oracle,
    keys: Vec<(Key, u64)>,
    stale: Vec<Key>,
    values: u64,
    /// Nothing was taken out of the wheel since it was last empty, so `next_expiry` has no excuse.
    exact: bool,
    /// The last pop found nothing more due, so the wheel has worked up to now.
    settled: bool,
}

impl Pair {
    fn new(start: u64, armings: u32) -> Self {
        Self {
            wheel: Wheel::after_armings(start, armings),
            oracle: Oracle { now: start, ..Oracle::default() },
            keys: Vec::new(),
            stale: Vec::new(),
            values: 0,
            exact: true,
            settled: true,
        }
    }

    fn insert(&mut self, deadline: u64) {
        self.values += 1;
        self.keys.push((self.wheel.insert(deadline, self.values), self.values));
        self.oracle.arm(deadline, self.values);
    }

    fn remove(&mut self, position: usize) {
        let (key, value) = self.keys.swap_remove(position);
        assert_eq!(self.wheel.deadline(key), self.oracle.disarm(value));
        assert_eq!(self.wheel.remove(key), Some(value));
        self.stale.push(key);
        self.exact = false;
    }

    fn reset(&mut self, position: usize, deadline: u64) {
        let (key, value) = self.keys[position];
        assert!(self.wheel.reset(key, deadline));
        self.oracle.arm(deadline, value);
        assert_eq!(self.wheel.deadline(key), Some(deadline));
        assert_eq!(self.wheel.get(key), Some(&value));
        self.exact = false;
    }

    /// One pop on both sides; whether something fired.
    fn pop(&mut self, now: u64) -> bool {
        let expected = self.oracle.pop_due(now);
        let fired = self.wheel.pop_due(now);
        assert_eq!(fired.map(|(deadline, _, value)| (deadline, value)), expected);
        assert_eq!(self.wheel.now(), self.oracle.now);
        self.settled = fired.is_none();
        let Some((deadline, key, value)) = fired else { return false };
        assert!(deadline <= self.oracle.now, "fired early");
        assert!(self.keys.contains(&(key, value)), "the key that came back is not the one that went in");
        self.keys.retain(|&(other, _)| other != key);
        self.stale.push(key);
        true
    }

    fn advance(&mut self, now: u64) {
        let asked = self.wheel.next_expiry();
        let mut fired = false;
        while self.pop(now) {
            fired = true;
        }
        let answer = self.wheel.next_expiry();
        assert!(answer.is_none_or(|answer| answer > self.oracle.now), "the owner's loop would spin");
        if !fired && asked.is_some_and(|asked| asked <= self.oracle.now) {
            assert_eq!(answer, self.oracle.earliest(), "a second early answer");
        }
    }

    fn stale_keys_find_nothing(&mut self, key: Key) {
        assert_eq!(self.wheel.get(key), None);
        assert_eq!(self.wheel.get_mut(key), None);
        assert_eq!(self.wheel.deadline(key), None);
        assert!(!self.wheel.reset(key, 0));
        assert_eq!(self.wheel.remove(key), None);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Insert(when) => self.insert(when.at(&self.oracle)),
            Step::InsertMany(when, count) => {
                let deadline = when.at(&self.oracle);
                for off in 0..u64::from(count) {
                    self.insert(deadline.saturating_add(off / 2));
                }
            }
            Step::Remove(which) if !self.keys.is_empty() => self.remove(which % self.keys.len()),
            Step::RemoveEarliest => {
                if let Some(&earliest) = self.oracle.armed.values().next() {
                    let position = self.keys.iter().position(|&(_, value)| value == earliest);
                    self.remove(position.expect("every armed value has a key"));
                }
            }
            Step::Reset(which, when) if !self.keys.is_empty() => {
                self.reset(which % self.keys.len(), when.at(&self.oracle));
            }
            Step::UseStaleKey(which) if !self.stale.is_empty() => {
                self.stale_keys_find_nothing(self.stale[which % self.stale.len()]);
            }
            Step::Advance(when) => self.advance(when.at(&self.oracle)),
            Step::PopSome(when, limit) => {
                let now = when.at(&self.oracle);
                for _ in 0..limit {
                    if !self.pop(now) {
                        break;
                    }
                }
            }
            Step::FollowNextExpiry => {
                if let Some(next) = self.wheel.next_expiry() {
                    self.advance(next);
                }
            }
            Step::StandStill => self.advance(self.oracle.now),
            Step::Shrink => self.wheel.shrink_to_fit(),
            Step::Remove(_) | Step::Reset(..) | Step::UseStaleKey(_) => {}
        }
        self.exact |= self.wheel.is_empty();
        self.check_next_expiry();
        assert_eq!(self.wheel.len(), self.oracle.armed.len());
        assert_eq!(self.wheel.is_empty(), self.oracle.armed.is_empty());
    }

    fn check_next_expiry(&self) {
        let (answer, earliest) = (self.wheel.next_expiry(), self.oracle.earliest());
        assert_eq!(answer.is_some(), earliest.is_some());
        assert!(answer <= earliest, "{answer:?} sleeps past {earliest:?}");
        let near = self.settled && earliest.is_some_and(|earliest| earliest >> 16 <= self.oracle.now >> 16);
        if self.exact || near || self.wheel.len() <= ALWAYS_EXACT {
            assert_eq!(answer, earliest, "not exact");
        }
    }

    /// Follows `next_expiry` to the last entry, as an owner that sleeps until then would.
    fn run_out(&mut self) {
        while let Some(next) = self.wheel.next_expiry() {
            self.advance(next);
        }
        assert!(self.oracle.armed.is_empty(), "the wheel lost {:?}", self.oracle.armed);
    }
}

fn border() -> impl Strategy<Value = u32> {
    proptest::sample::select(BORDER_BITS.as_slice())
}

/// Spans of every magnitude alike.
fn span() -> impl Strategy<Value = u64> {
    (0_u32..=64, any::<u64>()).prop_map(|(bits, noise)| noise.checked_shr(64 - bits).unwrap_or(0))
}

fn start() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        span(),
        (border(), 1_u64..70, -3_i64..=3)
            .prop_map(|(bits, turns, off)| turns.saturating_mul(1 << bits).saturating_add_signed(off)),
        (border(), -3_i64..=3).prop_map(|(bits, off)| (u64::MAX - (1 << bits)).saturating_add_signed(off)),
        (0_u64..3).prop_map(|below| u64::MAX - below),
    ]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => span().prop_map(When::After),
        3 => (0_u64..200_000).prop_map(When::After),
        1 => span().prop_map(When::Before),
        4 => (border(), -3_i64..=3).prop_map(|(bits, off)| When::Border(bits, off)),
        1 => (0_u64..3).prop_map(When::Far),
        2 => (-2_i64..=2).prop_map(When::SameAsEarliest),
    ]
}

/// Time goes by more gently than deadlines reach ahead, or nothing would be left in the wheel.
fn passing() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => span().prop_map(|span| When::After(span >> 10)),
        2 => (0_u64..200_000).prop_map(When::After),
        2 => (1_u64..=1_000, Just(86_400_000_000_000)).prop_map(|(days, day)| When::After(days * day)),
        2 => span().prop_map(When::Before),
        3 => (border(), -3_i64..=3).prop_map(|(bits, off)| When::Border(bits, off)),
        3 => (-2_i64..=2).prop_map(When::SameAsEarliest),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => when().prop_map(Step::Insert),
        1 => (when(), 20_u8..60).prop_map(|(when, count)| Step::InsertMany(when, count)),
        3 => any::<usize>().prop_map(Step::Remove),
        2 => Just(Step::RemoveEarliest),
        4 => (any::<usize>(), when()).prop_map(|(which, when)| Step::Reset(which, when)),
        1 => any::<usize>().prop_map(Step::UseStaleKey),
        4 => passing().prop_map(Step::Advance),
        3 => (passing(), 1_u8..5).prop_map(|(when, limit)| Step::PopSome(when, limit)),
        3 => Just(Step::FollowNextExpiry),
        1 => Just(Step::StandStill),
        1 => Just(Step::Shrink),
    ]
}

/// How much was armed before: nothing, or so much that the order numbers are used up at some step.
fn armings() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 1 => (0_u32..100).prop_map(|left| u32::MAX - left), 1 => (0_u32..1_000).prop_map(|left| u32::MAX - left)]
}

fn play(start: u64, armings: u32, steps: Vec<Step>) {
    let mut pair = Pair::new(start, armings);
    for step in steps {
        pair.take(step);
    }
    for key in std::mem::take(&mut pair.stale) {
        pair.stale_keys_find_nothing(key);
    }
    pair.run_out();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_wheel_does_what_an_ordered_map_does(
        start in start(),
        armings in armings(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        play(start, armings, steps);
    }
}

/// Not left to chance: each start beside each border, with deadlines beside each border, jumped to in three ways.
#[test]
fn every_start_meets_every_border() {
    for start_bits in BORDER_BITS {
        for start_off in -2_i64..=2 {
            let start = (1_u64 << start_bits).saturating_add_signed(start_off);
            let mut all = Pair::new(start, 0);
            for deadline_bits in BORDER_BITS {
                for off in -2_i64..=2 {
                    let border = When::Border(deadline_bits, off);
                    all.insert(border.at(&all.oracle));
                    for jump in [When::SameAsEarliest(-1), When::SameAsEarliest(0), When::Border(deadline_bits, 1)] {
                        play(start, 0, vec![Step::Insert(border), Step::Advance(jump), Step::StandStill]);
                    }
                }
            }
            all.check_next_expiry();
            all.run_out();
        }
    }
}
