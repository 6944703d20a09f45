//! Where the entries live: a slab whose keys are never valid twice.
//!
//! It exists, instead of a slab from elsewhere, because the wheel needs two things in one place: a
//! generation per place (so that a stale key finds nothing), and an order number per arming (so that slots and the near heap
//! can forget entries lazily).
//!
//! A place is in one of three states:
//!
//! ```text
//!            insert                    remove, generation + 1
//!   free  ------------>  occupied  ------------------------------>  free
//!                                  \-- generations used up ------->  retired, for good
//! ```
//!
//! Assumed by the wheel: `order` is never 0 for an occupied place, and no node holds an index with an order that its place
//! got twice; whoever removes an entry tells the slot that holds its node. So 32 bits of order do, if the wheel has
//! [`renumber`](Entries::renumber) give all of them anew, and its nodes with them, before they are used up.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;

use crate::near::Node;

/// Stands for "no place".
const NIL: u32 = u32::MAX;

/// One less than there are order numbers, so that one is left for the next arming however many entries live.
const MOST_PLACES: usize = u32::MAX as usize - 1;

/// The order number of places that hold nothing: no arming ever gets it.
const NO_ORDER: u32 = 0;

/// The generation of a place that must not be used again. It is never handed out.
const RETIRED: NonZeroU32 = NonZeroU32::MAX;

/// Names an entry of a [`Wheel`](crate::Wheel) until the entry is removed or has fired.
///
/// Eight bytes, and so is `Option<Key>`. A key that outlives its entry is *stale*: every operation of the wheel that
/// issued it answers as for an entry that does not exist, however often the entry's memory was used again meanwhile. A
/// key says nothing about other wheels: there it may by chance name a foreign entry.
///
/// ```
/// use weftwork_timer::{Key, Wheel};
///
/// let mut wheel = Wheel::new(0);
/// let key: Key = wheel.insert(1_000, 'a');
/// assert_eq!(wheel.remove(key), Some('a'));
/// assert_ne!(wheel.insert(1_000, 'b'), key);
/// assert_eq!(wheel.get_mut(key), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: NonZeroU32,
}

impl Key {
    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}v{})", self.index, self.generation)
    }
}

/// One place of the slab: 16 bytes and the value.
pub(crate) struct Entry<T> {
    /// The exact deadline in nanoseconds; for a free place the next free one.
    pub(crate) deadline: u64,
    /// The number of the arming (insert or reset) that set the deadline; `NO_ORDER` if the place holds nothing.
    pub(crate) order: u32,
    /// That of the live key, or of the next one if the place is free.
    generation: NonZeroU32,
    value: Option<T>,
}

pub(crate) struct Entries<T> {
    places: Vec<Entry<T>>,
    /// The place freed last, whose memory is the likeliest to be in cache.
    free: u32,
    len: usize,
    /// Where new places start to count, so that places given back by `shrink_to_fit` keep their keys stale.
    first_generation: NonZeroU32,
}

impl<T> Entry<T> {
    /// For a free place the next free one: it was written as such.
    fn next_free(&self) -> u32 {
        self.deadline as u32
    }
}

impl<T> Entries<T> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { places: Vec::with_capacity(capacity), free: NIL, len: 0, first_generation: NonZeroU32::MIN }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn capacity(&self) -> usize {
        self.places.capacity()
    }

    /// Takes a place for the value.
    ///
    /// # Panics
    /// If all 2^32 - 2 places are taken.
    pub(crate) fn insert(&mut self, deadline: u64, order: u32, value: T) -> Key {
        debug_assert_ne!(order, NO_ORDER);
        if let Some(entry) = self.places.get_mut(self.free as usize) {
            let index = self.free;
            self.free = entry.next_free();
            entry.deadline = deadline;
            entry.order = order;
            entry.value = Some(value);
            self.len += 1;
            return Key { index, generation: entry.generation };
        }
        assert!(self.places.len() < MOST_PLACES, "a timer wheel holds at most 2^32 - 2 entries: use several wheels");
        let index = self.places.len() as u32;
        let generation = self.first_generation;
        self.len += 1;
        self.places.push(Entry { deadline, order, generation, value: Some(value) });
        Key { index, generation }
    }

    /// Frees the place of an entry.
    pub(crate) fn remove(&mut self, index: u32) -> Option<(Key, T)> {
        let entry = &mut self.places[index as usize];
        let value = entry.value.take()?;
        let key = Key { index, generation: entry.generation };
        entry.order = NO_ORDER;
        entry.generation = entry.generation.checked_add(1).unwrap_or(RETIRED);
        if entry.generation != RETIRED {
            entry.deadline = u64::from(self.free);
            self.free = index;
        }
        self.len -= 1;
        Some((key, value))
    }

    /// The live entry that the key names.
    pub(crate) fn find(&self, key: Key) -> Option<&Entry<T>> {
        self.places.get(key.index as usize).filter(|entry| entry.generation == key.generation && entry.value.is_some())
    }

    pub(crate) fn value(&self, key: Key) -> Option<&T> {
        self.find(key)?.value.as_ref()
    }

    pub(crate) fn value_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.places.get_mut(key.index as usize)?;
        if entry.generation == key.generation { entry.value.as_mut() } else { None }
    }

    #[cfg(test)]
    pub(crate) fn entry(&self, index: u32) -> &Entry<T> {
        &self.places[index as usize]
    }

    pub(crate) fn entry_mut(&mut self, index: u32) -> &mut Entry<T> {
        &mut self.places[index as usize]
    }

    /// Whether the entry at this place is still armed as it was when it got this order number.
    pub(crate) fn is_armed(&self, index: u32, order: u32) -> bool {
        self.places.get(index as usize).is_some_and(|entry| entry.order == order)
    }

    /// Gives the live entries the orders from 1 on, in the order that they have. `move_nodes` gets, for each place, the old order
    /// and the new one: nodes that have the old one are to get the new one, and all others are dead. The answer is the highest
    /// order given.
    pub(crate) fn renumber(&mut self, move_nodes: impl FnOnce(&dyn Fn(u32, u32) -> Option<u32>)) -> u32 {
        let live = self.places.iter().enumerate().filter(|(_, entry)| entry.order != NO_ORDER);
        let mut in_order: Vec<(u32, u32)> = live.map(|(index, entry)| (entry.order, index as u32)).collect();
        in_order.sort_unstable();
        let mut new = alloc::vec![NO_ORDER; self.places.len()];
        let mut last = NO_ORDER;
        for &(_, index) in &in_order {
            last += 1;
            new[index as usize] = last;
        }
        // Before the entries change: a node is told dead by the order that its entry had.
        move_nodes(&|index, order| self.is_armed(index, order).then(|| new[index as usize]));
        for (entry, order) in self.places.iter_mut().zip(new) {
            entry.order = order;
        }
        last
    }

    /// Has the entries of these nodes come to the processor's caches, which they left while they waited. In a loop that does
    /// nothing else they are waited for together; as they fire, each would be waited for by itself.
    pub(crate) fn fetch(&self, nodes: &[Node]) {
        let entries = nodes.iter().filter_map(|node| self.places.get(node.index as usize));
        // From all over the entry: many begin in one line and end in the next.
        let words = entries.map(|entry| entry.deadline ^ u64::from(entry.order) ^ u64::from(entry.value.is_some()));
        core::hint::black_box(words.fold(0, |all, word| all ^ word));
    }

    /// Gives back the free places behind the last occupied or retired one.
    pub(crate) fn shrink_to_fit(&mut self) {
        while let Some(last) = self.places.last()
            && last.value.is_none()
            && last.generation != RETIRED
        {
            self.first_generation = self.first_generation.max(last.generation);
            self.places.pop();
        }
        self.places.shrink_to_fit();
        self.free = NIL;
        for (index, entry) in self.places.iter_mut().enumerate().rev() {
            if entry.value.is_none() && entry.generation != RETIRED {
                entry.deadline = u64::from(self.free);
                self.free = index as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_place_is_used_again_under_a_new_key() {
        let mut entries = Entries::with_capacity(0);
        let first = entries.insert(1, 1, 'a');
        assert_eq!(entries.remove(first.index()), Some((first, 'a')));
        assert_eq!(entries.remove(first.index()), None);
        let second = entries.insert(1, 2, 'b');
        assert_eq!(first.index(), second.index());
        assert!(entries.find(first).is_none());
        assert_eq!(entries.value_mut(first), None);
        assert_eq!(entries.value(second), Some(&'b'));
        assert!(!entries.is_armed(first.index(), 1));
        assert!(entries.is_armed(second.index(), 2));
    }

    #[test]
    fn a_place_whose_generations_are_used_up_is_retired() {
        let mut entries = Entries::with_capacity(0);
        let first = entries.insert(1, 1, 'a');
        entries.entry_mut(first.index()).generation = NonZeroU32::new(u32::MAX - 1).unwrap();
        let last = Key { index: first.index(), generation: NonZeroU32::new(u32::MAX - 1).unwrap() };
        assert_eq!(entries.remove(last.index()), Some((last, 'a')));
        let next = entries.insert(1, 2, 'b');
        assert_ne!(next.index(), last.index(), "a retired place was used again");
        assert!(entries.find(last).is_none());
        assert_eq!(entries.remove(next.index()), Some((next, 'b')));
        entries.shrink_to_fit();
        assert_eq!(entries.places.len(), 1, "a retired place must be remembered");
        assert_ne!(entries.insert(1, 3, 'c').index(), last.index());
    }

    #[test]
    fn keys_stay_stale_after_their_places_were_given_back() {
        let mut entries = Entries::with_capacity(0);
        let kept = entries.insert(1, 1, 0);
        let stale: Vec<Key> = (2..100).map(|order| entries.insert(1, order, order)).collect();
        for key in &stale {
            assert!(entries.remove(key.index()).is_some());
        }
        entries.shrink_to_fit();
        assert_eq!((entries.places.len(), entries.len()), (1, 1));
        for order in 100..300 {
            entries.insert(1, order, order);
        }
        assert!(stale.iter().all(|&key| entries.find(key).is_none()));
        assert_eq!(entries.value(kept), Some(&0));
    }

    #[test]
    fn shrinking_keeps_the_free_places_between_live_ones() {
        let mut entries = Entries::with_capacity(0);
        let keys: Vec<Key> = (1..=4).map(|order| entries.insert(1, order, order)).collect();
        entries.remove(keys[0].index());
        entries.remove(keys[2].index());
        entries.shrink_to_fit();
        assert_eq!(entries.insert(1, 5, 5).index(), keys[0].index());
        assert_eq!(entries.insert(1, 6, 6).index(), keys[2].index());
        assert_eq!(entries.insert(1, 7, 7).index(), 4);
    }
}
