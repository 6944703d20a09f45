//! The wheel: levels, overflow list and near heap around one cursor.
//!
//! Invariants, checked after every step of the random tests by `invariants.rs`:
//!
//! 1. `cursor <= now`, and both only grow.
//! 2. Every entry is exactly where `Place::of(deadline, cursor)` says. So each occupied slot begins after the cursor.
//! 3. The time a slot gives as its earliest is not later than any deadline in it; the near heap's top is alive.
//!
//! 4. Within the wheel a pair of place and order number names one arming: a node whose pair is not its place's is dead for good.
//!    The numbers have 32 bits; when they are used up, entries and nodes are renumbered in one step (O(*n* log *n*) once in four
//!    billion armings) and no dead node outlives it.
//!
//! Why moving the cursor keeps (2): it only ever moves to a time before which no occupied slot begins (then no entry's
//! highest differing digit changes, since old cursor <= new cursor < entry and the outer two agree above that digit), or to
//! the very beginning of the first occupied slot, whose entries are then placed anew.

use alloc::boxed::Box;
use core::fmt;

use crate::entries::{Entries, Key};
use crate::level::{LEVELS, Level, Place, Slot, reach_start, slot_start};
use crate::near::{Near, Node};

#[cfg(test)]
mod invariants;

/// Values with deadlines, handed back in the order of their deadlines as its owner lets time pass.
///
/// Times are nanoseconds since an origin of the owner's choice. See the [crate] for how it works and what it costs.
///
/// An owner's loop: call [`pop_due`](Self::pop_due) until it gives `None`, sleep until
/// [`next_expiry`](Self::next_expiry), read the clock, repeat. After that `None`, `next_expiry` is later than the time
/// given, so the loop never spins, even on a clock that stands still.
///
/// A value is dropped by the wheel only if the wheel itself is dropped; everything else returns it. The counterpart of
/// asyncio's heap of `TimerHandle`s and of the time driver inside tokio.
///
/// ```
/// use weftwork_timer::Wheel;
///
/// let mut wheel = Wheel::new(1_000);
/// wheel.insert(3_000, "second");
/// wheel.insert(2_000, "first");
/// wheel.insert(3_000, "third"); // equal deadlines fire in the order of insertion
///
/// let mut fired = Vec::new();
/// while let Some((_deadline, _key, value)) = wheel.pop_due(5_000) {
///     fired.push(value);
/// }
/// assert_eq!(fired, ["first", "second", "third"]);
/// ```
#[doc(alias = "TimerHandle")]
#[doc(alias = "call_at")]
#[doc(alias = "DelayQueue")]
pub struct Wheel<T> {
    /// The newest time seen.
    now: u64,
    /// The time that all places are relative to.
    cursor: u64,
    /// The order number of the last arming.
    order: u32,
    near: Near,
    levels: Box<[Level; LEVELS]>,
    overflow: Slot,
    entries: Entries<T>,
}

impl<T> Wheel<T> {
    /// Makes an empty wheel at this time. A level takes 2.5 KiB from its first entry on.
    ///
    /// ```
    /// let wheel = weftwork_timer::Wheel::<()>::new(u64::MAX - 5);
    /// assert_eq!((wheel.now(), wheel.len(), wheel.next_expiry()), (u64::MAX - 5, 0, None));
    /// ```
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self::with_capacity(now, 0)
    }

    /// Makes an empty wheel that holds this many entries before it allocates again.
    ///
    /// ```
    /// let wheel = weftwork_timer::Wheel::<u8>::with_capacity(0, 1_000);
    /// assert!(wheel.capacity() >= 1_000);
    /// ```
    #[must_use]
    pub fn with_capacity(now: u64, capacity: usize) -> Self {
        Self {
            now,
            cursor: now,
            order: 0,
            near: Near::new(),
            levels: Box::new([Level::EMPTY; LEVELS]),
            overflow: Slot::EMPTY,
            entries: Entries::with_capacity(capacity),
        }
    }

    /// As [`new`](Self::new), for a wheel that has armed so many already: tests begin just before the order numbers are used up.
    #[doc(hidden)]
    #[must_use]
    pub fn after_armings(now: u64, armings: u32) -> Self {
        Self { order: armings, ..Self::new(now) }
    }

    /// Arms a value for this deadline; O(1).
    ///
    /// A deadline that has passed is due at once. `u64::MAX` is "never" for any real clock.
    ///
    /// # Panics
    /// If the wheel already holds 2^32 - 2 entries, which takes more than 128 GiB of memory.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(100);
    /// let key = wheel.insert(40, 'x');
    /// assert_eq!(wheel.pop_due(100), Some((40, key, 'x')));
    /// ```
    pub fn insert(&mut self, deadline: u64, value: T) -> Key {
        let order = self.next_order();
        let key = self.entries.insert(deadline, order, value);
        self.place(Node { deadline, order, index: key.index() });
        key
    }

    /// Takes an entry out before it fires; O(1). `None` if the key is stale.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// let key = wheel.insert(1_000, 'x');
    /// assert_eq!(wheel.remove(key), Some('x'));
    /// assert_eq!(wheel.remove(key), None);
    /// ```
    #[doc(alias = "cancel")]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let deadline = self.entries.find(key)?.deadline;
        let (_, value) = self.entries.remove(key.index())?;
        self.forget_one(deadline);
        Some(value)
    }

    /// Gives an entry another deadline; O(1). `false` if the key is stale.
    ///
    /// The key stays valid. Among equal deadlines the entry counts as inserted now.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// let key = wheel.insert(1_000, 'x');
    /// assert!(wheel.reset(key, 5_000));
    /// assert_eq!(wheel.deadline(key), Some(5_000));
    /// assert_eq!(wheel.next_expiry(), Some(5_000));
    /// ```
    pub fn reset(&mut self, key: Key, deadline: u64) -> bool {
        let Some(entry) = self.entries.find(key) else { return false };
        let before = entry.deadline;
        let order = self.next_order();
        let entry = self.entries.entry_mut(key.index());
        entry.deadline = deadline;
        entry.order = order;
        self.forget_one(before);
        self.place(Node { deadline, order, index: key.index() });
        true
    }

    /// The value of an entry. `None` if the key is stale.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// let key = wheel.insert(1_000, 'x');
    /// assert_eq!(wheel.get(key), Some(&'x'));
    /// ```
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        self.entries.value(key)
    }

    /// The value of an entry, to change it (to exchange a waker, for one). `None` if the key is stale.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// let key = wheel.insert(1_000, 'x');
    /// *wheel.get_mut(key).unwrap() = 'y';
    /// assert_eq!(wheel.remove(key), Some('y'));
    /// ```
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entries.value_mut(key)
    }

    /// The exact deadline of an entry. `None` if the key is stale.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// let key = wheel.insert(123_456_789, ());
    /// assert_eq!(wheel.deadline(key), Some(123_456_789));
    /// ```
    #[must_use]
    pub fn deadline(&self, key: Key) -> Option<u64> {
        Some(self.entries.find(key)?.deadline)
    }

    /// How many entries are armed.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// wheel.insert(7, ());
    /// assert_eq!(wheel.len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no entry is armed.
    ///
    /// ```
    /// assert!(weftwork_timer::Wheel::<()>::new(0).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest time that the wheel was told.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::<()>::new(10);
    /// wheel.pop_due(30);
    /// wheel.pop_due(20);
    /// assert_eq!(wheel.now(), 30);
    /// ```
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// When [`pop_due`](Self::pop_due) should be called next; O(1). `None` if the wheel is empty.
    ///
    /// It is never later than the earliest deadline. It *is* the earliest deadline, to the nanosecond, with one exception:
    /// when the earliest entry of a slot was removed or reset while more than 16 others wait in that slot, the answer may be
    /// the removed entry's deadline until the next call of `pop_due` at that time, which finds nothing due and makes the
    /// answer exact. Looking through all of them instead would make a busy slot quadratic.
    ///
    /// An answer that is not later than the current time means that something may be due now.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// let hour = wheel.insert(3_600_000_000_000, ());
    /// wheel.insert(86_400_000_000_007, ());
    /// assert_eq!(wheel.next_expiry(), Some(3_600_000_000_000));
    /// wheel.remove(hour);
    /// assert_eq!(wheel.next_expiry(), Some(86_400_000_000_007));
    /// ```
    #[must_use]
    #[doc(alias = "next_deadline")]
    pub fn next_expiry(&self) -> Option<u64> {
        if let Some(node) = self.near.first() {
            return Some(node.deadline);
        }
        // Invariant 2: what is in a lower level is before what is in a higher one.
        for level in self.levels.iter() {
            if let Some(slot) = level.first_occupied() {
                return Some(level.slot(slot).earliest(&self.entries));
            }
        }
        (!self.overflow.is_empty()).then(|| self.overflow.earliest(&self.entries))
    }

    /// Lets time pass and takes the first entry that is due, with its deadline and its (now stale) key.
    ///
    /// Entries come in the order of (deadline, insertion), from whichever level; one is due when its exact deadline is not
    /// later than `now`. `None` means that nothing more is due. Between two calls the owner may stop, change the wheel, or
    /// let go of a lock; entries inserted meanwhile take their place in the order. A `now` older than one seen before counts
    /// as the newest seen.
    ///
    /// An owner that re-arms every entry for a time that has passed will never see `None`: take a limited number per turn.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// wheel.insert(2_000, 'b');
    /// let a = wheel.insert(1_000, 'a');
    /// assert_eq!(wheel.pop_due(999), None);
    /// assert_eq!(wheel.pop_due(1_000), Some((1_000, a, 'a')));
    /// assert_eq!(wheel.pop_due(1_000), None);
    /// ```
    pub fn pop_due(&mut self, now: u64) -> Option<(u64, Key, T)> {
        self.now = self.now.max(now);
        loop {
            if let Some(first) = self.near.first() {
                // Everything else is in a later tick, and therefore not due either.
                if first.deadline > self.now {
                    break;
                }
                let Node { deadline, index, .. } = self.near.pop(&self.entries)?;
                let (key, value) = self.entries.remove(index)?;
                return Some((deadline, key, value));
            }
            if !self.open_next() {
                break;
            }
        }
        self.cursor = self.now;
        None
    }

    /// Lets time pass and gives everything that is due to `fire`, as (deadline, value), in order.
    ///
    /// The same as [`pop_due`](Self::pop_due) until `None`, for owners that need not stop in between. If `fire` panics, what it
    /// has not been given stays armed.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::new(0);
    /// wheel.insert(1_000, 'a');
    /// wheel.insert(9_000, 'z');
    /// wheel.advance(5_000, |deadline, value| assert_eq!((deadline, value), (1_000, 'a')));
    /// assert_eq!(wheel.len(), 1);
    /// ```
    pub fn advance(&mut self, now: u64, mut fire: impl FnMut(u64, T)) {
        while let Some((deadline, _, value)) = self.pop_due(now) {
            fire(deadline, value);
        }
    }

    /// How many entries the wheel can hold before it allocates again.
    ///
    /// ```
    /// assert_eq!(weftwork_timer::Wheel::<u8>::new(0).capacity(), 0);
    /// ```
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// Gives memory back after a burst: everything behind the last entry in memory; O(capacity).
    ///
    /// Live entries are not moved, so their keys stay valid and one live entry at the end keeps the memory before it. Stale
    /// keys stay stale.
    ///
    /// ```
    /// let mut wheel = weftwork_timer::Wheel::with_capacity(0, 10_000);
    /// let key = wheel.insert(1_000, 'x');
    /// wheel.shrink_to_fit();
    /// assert!(wheel.capacity() < 10_000);
    /// assert_eq!(wheel.get(key), Some(&'x'));
    /// ```
    pub fn shrink_to_fit(&mut self) {
        self.near.shrink_to_fit(&self.entries);
        self.levels.iter_mut().for_each(|level| level.shrink_to_fit(&self.entries));
        self.overflow.shrink_to_fit(&self.entries);
        self.entries.shrink_to_fit();
    }

    #[inline]
    fn next_order(&mut self) -> u32 {
        if self.order == u32::MAX {
            self.renumber();
        }
        self.order += 1;
        self.order
    }

    /// The order numbers are used up, by 2^32 armings or so: the living begin anew in the order that they have, and the dead
    /// nodes go, or one of them might have the number of an arming to come.
    #[cold]
    fn renumber(&mut self) {
        let Self { near, levels, overflow, entries, .. } = self;
        self.order = entries.renumber(|new| {
            near.renumber(new);
            levels.iter_mut().for_each(|level| level.renumber(new));
            overflow.renumber(new);
        });
    }

    // Inlined down to the write of the node: handed over in memory, it would be read a moment after it was written in pieces.
    #[inline(always)]
    fn place(&mut self, node: Node) {
        match Place::of(node.deadline, self.cursor) {
            Place::Near => self.near.push(node),
            Place::Slot { level, slot } => self.levels[level].push(slot, node),
            Place::Overflow => self.overflow.push(node),
        }
    }

    /// Accounts for an entry that had this deadline and was just disarmed.
    #[inline]
    fn forget_one(&mut self, deadline: u64) {
        match Place::of(deadline, self.cursor) {
            Place::Near => self.near.forget_one(&self.entries),
            Place::Slot { level, slot } => self.levels[level].forget_one(slot, &self.entries, deadline),
            Place::Overflow => self.overflow.forget_one(&self.entries, deadline),
        }
    }

    /// Moves the cursor to the beginning of the first occupied slot and places its entries anew, each at least one level
    /// down. `false`, with nothing changed, if no slot begins by `now`.
    fn open_next(&mut self) -> bool {
        let first = self.levels.iter().enumerate().find_map(|(level, it)| Some((level, it.first_occupied()?)));
        let (start, (nodes, all_alive)) = if let Some((level, slot)) = first {
            let start = slot_start(level, slot, self.cursor);
            if start > self.now {
                return false;
            }
            (start, self.levels[level].take(slot))
        } else if !self.overflow.is_empty() {
            // The bound may be a removed entry's: then all go back to the list, and the bound is exact again.
            let start = reach_start(self.overflow.earliest_bound());
            if start > self.now {
                return false;
            }
            (start, self.overflow.take())
        } else {
            return false;
        };
        debug_assert!(start > self.cursor, "an occupied slot must be ahead of the cursor");
        self.cursor = start;
        if matches!(first, Some((0, _))) {
            self.entries.fetch(&nodes);
        }
        for &node in &nodes {
            if all_alive || self.entries.is_armed(node.index, node.order) {
                self.place(node);
            }
        }
        if let Some((level, slot)) = first {
            self.levels[level].reuse(slot, nodes);
        }
        true
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("now", &self.now)
            .field("len", &self.len())
            .field("next_expiry", &self.next_expiry())
            .field("near", &self.near.len())
            .field("occupied_slots", &self.levels.each_ref().map(Level::occupied))
            .field("overflow", &!self.overflow.is_empty())
            .finish_non_exhaustive()
    }
}
