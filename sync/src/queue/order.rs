//! In which order the items of a queue come out.
//!
//! The queue's lock is held around all of this, and comparing is foreign code. So whatever compares does so before anything is
//! moved: a comparison that panics leaves the items as they were, and drops none of them under the lock.

use core::cmp::Ordering as Comparison;
use core::mem;
use std::collections::VecDeque;

mod sealed {
    pub trait Sealed {}
}

/// The items of a queue, and which of them comes next. Sealed: [`Fifo`], [`Smallest`] and [`Lifo`] are all there are.
///
/// # Examples
/// ```
/// use weftwork_sync::queue::{Get, Order};
/// fn is_waiting<O: Order>(get: &Get<'_, O>) -> bool {
///     format!("{get:?}").contains("Waiting")
/// }
/// assert!(!is_waiting(&weftwork_sync::Queue::<u8>::unbounded().get()));
/// ```
pub trait Order: sealed::Sealed {
    /// What the queue holds.
    type Item;

    /// Where a new item would go; may run foreign code, and changes nothing.
    #[doc(hidden)]
    fn place(&self, item: &Self::Item) -> usize;

    /// Puts an item where [`place`](Self::place) said. Runs no foreign code.
    #[doc(hidden)]
    fn insert(&mut self, item: Self::Item, place: usize);

    /// Takes the item that comes next. May run foreign code, before anything is changed.
    #[doc(hidden)]
    fn pop(&mut self) -> Option<Self::Item>;

    #[doc(hidden)]
    fn count(&self) -> usize;

    /// Takes all.
    #[doc(hidden)]
    fn take(&mut self) -> Self;
}

/// First in, first out: the order of a [`Queue`](super::Queue).
#[derive(Debug)]
pub struct Fifo<T>(VecDeque<T>);

impl<T> Fifo<T> {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> sealed::Sealed for Fifo<T> {}

impl<T> Order for Fifo<T> {
    type Item = T;

    fn place(&self, _item: &T) -> usize {
        0
    }

    fn insert(&mut self, item: T, _place: usize) {
        self.0.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }
}

/// Last in, first out: the order of a [`LifoQueue`](super::LifoQueue).
#[derive(Debug)]
pub struct Lifo<T>(Vec<T>);

impl<T> Lifo<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }
}

impl<T> sealed::Sealed for Lifo<T> {}

impl<T> Order for Lifo<T> {
    type Item = T;

    fn place(&self, _item: &T) -> usize {
        0
    }

    fn insert(&mut self, item: T, _place: usize) {
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }
}

/// The smallest first, and of equal ones the one that was put first: the order of a [`PriorityQueue`](super::PriorityQueue).
///
/// A binary heap of our own: that of the standard library moves while it compares.
#[derive(Debug)]
pub struct Smallest<T> {
    heap: Vec<Numbered<T>>,
    put: u64,
}

#[derive(Debug)]
struct Numbered<T> {
    item: T,
    /// How many were put before it.
    number: u64,
}

impl<T> Smallest<T> {
    pub(super) const fn new() -> Self {
        Self { heap: Vec::new(), put: 0 }
    }
}

impl<T: Ord> Smallest<T> {
    /// Whether the one at `a` comes out before the one at `b`.
    fn is_before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.heap[a], &self.heap[b]);
        match a.item.cmp(&b.item) {
            Comparison::Less => true,
            Comparison::Equal => a.number < b.number,
            Comparison::Greater => false,
        }
    }
}

impl<T> sealed::Sealed for Smallest<T> {}

impl<T: Ord> Order for Smallest<T> {
    type Item = T;

    /// How many levels it rises. It has the highest number, so it stops below its equals.
    fn place(&self, item: &T) -> usize {
        let (mut at, mut levels) = (self.heap.len(), 0);
        while at > 0 && *item < self.heap[parent(at)].item {
            at = parent(at);
            levels += 1;
        }
        levels
    }

    fn insert(&mut self, item: T, place: usize) {
        let mut at = self.heap.len();
        self.heap.push(Numbered { item, number: self.put });
        self.put += 1;
        for _ in 0..place {
            self.heap.swap(at, parent(at));
            at = parent(at);
        }
    }

    fn pop(&mut self) -> Option<T> {
        let last = self.heap.len().checked_sub(1)?;
        // The way of the last one down from the root, a bit for each level, found before anything is moved. A heap has fewer
        // levels than the word has bits.
        let (mut at, mut turns, mut levels) = (0, 0u64, 0);
        while left(at) < last {
            let right = left(at) + 1;
            let turn = right < last && self.is_before(right, left(at));
            let child = left(at) + usize::from(turn);
            if !self.is_before(child, last) {
                break;
            }
            turns |= u64::from(turn) << levels;
            levels += 1;
            at = child;
        }
        let first = self.heap.swap_remove(0);
        let mut at = 0;
        for level in 0..levels {
            let child = left(at) + usize::from(turns >> level & 1 == 1);
            self.heap.swap(at, child);
            at = child;
        }
        Some(first.item)
    }

    fn count(&self) -> usize {
        self.heap.len()
    }

    fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }
}

fn parent(at: usize) -> usize {
    (at - 1) / 2
}

fn left(at: usize) -> usize {
    2 * at + 1
}
