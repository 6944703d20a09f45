//! The entries of the cursor's tick and of the time before it, in the order in which they fire.
//!
//! A tick is the finest the wheel sorts by position; within it, comparing is the only way. A binary heap from the
//! standard library does that; an entry that is removed or reset stays behind in it as a dead node until it reaches
//! the top or the dead outnumber the living. So leaving costs amortised O(log n) and no position has to be kept up to date
//! in the entries.
//!
//! Invariant: the top is alive. It makes the earliest deadline exact and readable through `&self`.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::entries::Entries;

/// Dead nodes below this number are not worth a sweep.
const SWEEP_FLOOR: usize = 64;

/// An arming of an entry; it is dead once the entry has another order number. Ordered as it fires.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(crate) deadline: u64,
    pub(crate) order: u32,
    pub(crate) index: u32,
}

impl Node {
    /// The node with its entry's new order, unless it is dead.
    pub(crate) fn renumbered(self, new: &dyn Fn(u32, u32) -> Option<u32>) -> Option<Self> {
        new(self.index, self.order).map(|order| Self { order, ..self })
    }
}

pub(crate) struct Near {
    heap: BinaryHeap<Reverse<Node>>,
    live: usize,
}

impl Near {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), live: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    #[cfg(test)]
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.heap.iter().map(|Reverse(node)| node)
    }

    #[inline(never)]
    pub(crate) fn push(&mut self, node: Node) {
        self.live += 1;
        self.heap.push(Reverse(node));
    }

    pub(crate) fn first(&self) -> Option<&Node> {
        self.heap.peek().map(|Reverse(node)| node)
    }

    /// Takes the first node off. Its entry is the caller's to remove, before anything else is asked of this heap.
    pub(crate) fn pop<T>(&mut self, entries: &Entries<T>) -> Option<Node> {
        let Reverse(node) = self.heap.pop()?;
        self.live -= 1;
        self.bury(entries);
        Some(node)
    }

    /// Accounts for one node whose entry was just disarmed.
    pub(crate) fn forget_one<T>(&mut self, entries: &Entries<T>) {
        self.live -= 1;
        self.bury(entries);
        // At least half the heap died since the last sweep, so each sweep is paid for by those that left.
        if self.heap.len() > 2 * self.live + SWEEP_FLOOR {
            self.heap.retain(|Reverse(node)| entries.is_armed(node.index, node.order));
        }
    }

    /// Gives the nodes their new orders, and drops those that have none.
    pub(crate) fn renumber(&mut self, new: &dyn Fn(u32, u32) -> Option<u32>) {
        let nodes = core::mem::take(&mut self.heap).into_vec();
        self.heap = nodes.into_iter().filter_map(|Reverse(node)| node.renumbered(new)).map(Reverse).collect();
    }

    pub(crate) fn shrink_to_fit<T>(&mut self, entries: &Entries<T>) {
        self.heap.retain(|Reverse(node)| entries.is_armed(node.index, node.order));
        self.heap.shrink_to_fit();
    }

    fn bury<T>(&mut self, entries: &Entries<T>) {
        while let Some(Reverse(node)) = self.heap.peek()
            && !entries.is_armed(node.index, node.order)
        {
            self.heap.pop();
        }
    }
}
