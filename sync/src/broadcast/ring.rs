//! The places of the channel: which node holds the value of which position.
//!
//! Nodes are allocated with the ring; more only if a value is being cloned while the ring goes round to its place. None is
//! freed before the ring is, so a pointer that was read from a place stays good.

use super::node::{Cleared, Node};
use crate::primitive::atomic::{AtomicPtr, Ordering};
use core::ptr::NonNull;

pub(super) struct Ring<T> {
    places: Box<[AtomicPtr<Node<T>>]>,
    /// The nodes that were there from the beginning.
    nodes: NonNull<[Node<T>]>,
}

/// What belongs to the sender that has its turn.
pub(super) struct Spares<T> {
    /// Nodes without a place; some have somebody inside still.
    evicted: Vec<NonNull<Node<T>>>,
    /// Nodes that were allocated one by one.
    added: Vec<NonNull<Node<T>>>,
}

// SAFETY: both own nodes, whose values several threads read and any may take.
unsafe impl<T: Send + Sync> Send for Ring<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Ring<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for Spares<T> {}

impl<T> Ring<T> {
    /// A ring of `capacity` places, a power of two.
    pub(super) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_power_of_two());
        let nodes: Box<[Node<T>]> = (0..capacity).map(|_| Node::new()).collect();
        let nodes = NonNull::from(Box::leak(nodes));
        let first = nodes.as_ptr().cast::<Node<T>>();
        let places = (0..capacity).map(|at| AtomicPtr::new(first.wrapping_add(at))).collect();
        Self { places, nodes }
    }

    pub(super) fn capacity(&self) -> usize {
        self.places.len()
    }

    fn place(&self, position: usize) -> &AtomicPtr<Node<T>> {
        &self.places[position & (self.places.len() - 1)]
    }

    /// The node that holds the value of `position`, if any does.
    pub(super) fn node(&self, position: usize) -> &Node<T> {
        // Ordering: Acquire pairs with the Release in put(), for a node that was added since.
        let node = self.place(position).load(Ordering::Acquire);
        // SAFETY: nodes live as long as the ring.
        unsafe { &*node }
    }

    /// Puts the value of `position` in its place; gives the value that was there and was not received by all.
    ///
    /// # Safety
    /// Called by one sender at a time, with the spares that belong to this ring.
    pub(super) unsafe fn put(&self, position: usize, value: T, receivers: usize, spares: &mut Spares<T>) -> Option<T> {
        let node = self.node(position);
        // SAFETY: by contract this is the one sender.
        match unsafe { node.clear() } {
            Cleared::Free(old) => {
                // SAFETY: it is free, and this is the one sender.
                unsafe { node.fill(position, value, receivers) };
                old
            }
            Cleared::Evicted => {
                let other = spares.another();
                spares.evicted.push(NonNull::from(node));
                // SAFETY: it is free, it lives as long as the ring, and this is the one sender.
                unsafe { other.as_ref().fill(position, value, receivers) };
                // Ordering: Release publishes a node that is new.
                self.place(position).store(other.as_ptr(), Ordering::Release);
                None
            }
        }
    }
}

impl<T> Spares<T> {
    pub(super) fn new() -> Self {
        Self { evicted: Vec::new(), added: Vec::new() }
    }

    /// A node without a place that is free.
    #[cold]
    fn another(&mut self) -> NonNull<Node<T>> {
        // SAFETY: nodes live as long as the ring.
        if let Some(at) = self.evicted.iter().position(|node| unsafe { node.as_ref() }.is_free()) {
            return self.evicted.swap_remove(at);
        }
        let node = NonNull::from(Box::leak(Box::new(Node::new())));
        self.added.push(node);
        node
    }

    /// How many nodes there are beside the first.
    #[cfg(test)]
    pub(super) fn added(&self) -> usize {
        self.added.len()
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // SAFETY: leaked in new(), and nobody looks at the places any more.
        drop(unsafe { Box::from_raw(self.nodes.as_ptr()) });
    }
}

impl<T> Drop for Spares<T> {
    fn drop(&mut self) {
        for node in self.added.drain(..) {
            // SAFETY: leaked in another(), and nobody looks at the places any more: the spares end with the ring.
            drop(unsafe { Box::from_raw(node.as_ptr()) });
        }
    }
}
