//! Where full magazines of freed cells are left.

use crate::task::recycle::depot::{self, Magazine};
use core::ptr::NonNull;

/// The depot, with magazines that hold one marked cell each.
pub struct Depot(depot::Depot);

impl Default for Depot {
    fn default() -> Self {
        Self::new()
    }
}

impl Depot {
    /// An empty depot.
    pub fn new() -> Self {
        Self(depot::Depot::new())
    }

    /// Leaves a magazine with one cell at this address, which is never looked at; `false` if the shelf is full.
    pub fn leave(&self, class: usize, cell: usize) -> bool {
        let mut magazine = Box::new(Magazine::new());
        let pushed = NonNull::new(core::ptr::without_provenance_mut(cell)).map(|cell| magazine.push(cell));
        matches!(pushed, Some(Ok(()))) && self.0.leave(class, magazine).is_ok()
    }

    /// Fetches a magazine; the address of its cell.
    pub fn fetch(&self, class: usize) -> Option<usize> {
        self.0.fetch(class).and_then(|mut magazine| magazine.pop()).map(|cell| cell.as_ptr().addr())
    }
}
