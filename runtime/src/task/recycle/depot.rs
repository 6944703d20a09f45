//! Where workers leave full magazines and fetch them.

use super::{CLASSES, MAGAZINE, size_of};
use core::ptr::NonNull;
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};

/// Bytes that the depot keeps per class: some ten thousand small tasks that come and go at once.
const BYTES: usize = 2 << 20;

/// Some freed cells of one class.
#[derive(Debug)]
pub struct Magazine {
    cells: [*mut u8; MAGAZINE],
    len: usize,
}

// SAFETY: a magazine owns its cells, which are plain memory that nobody uses.
unsafe impl Send for Magazine {}

impl Magazine {
    pub(crate) const fn new() -> Self {
        Self { cells: [core::ptr::null_mut(); MAGAZINE], len: 0 }
    }

    /// # Errors
    /// Gives the cell back when the magazine is full.
    #[inline]
    pub(crate) fn push(&mut self, cell: NonNull<u8>) -> Result<(), NonNull<u8>> {
        if self.len == MAGAZINE {
            return Err(cell);
        }
        self.cells[self.len] = cell.as_ptr();
        self.len += 1;
        Ok(())
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<NonNull<u8>> {
        self.len = self.len.checked_sub(1)?;
        NonNull::new(self.cells[self.len])
    }
}

/// Full magazines by class.
#[derive(Debug)]
pub struct Depot {
    classes: [Shelf; CLASSES],
}

#[derive(Debug)]
#[allow(clippy::vec_box, reason = "magazines come and go as boxes; moving 264 bytes under the lock would be dearer")]
struct Shelf {
    magazines: Mutex<Vec<Box<Magazine>>>,
    /// How many there are, so that an empty shelf is passed without taking its lock. It orders nothing: a stale answer
    /// costs a trip to the allocator.
    len: AtomicUsize,
}

impl Depot {
    /// An empty depot.
    pub(crate) fn new() -> Self {
        Self {
            classes: core::array::from_fn(|_| Shelf { magazines: Mutex::new(Vec::new()), len: AtomicUsize::new(0) }),
        }
    }

    /// Whether there is room for a magazine; without the lock a hint.
    pub(crate) fn has_room(&self, class: usize) -> bool {
        self.classes[class].len.load(Ordering::Relaxed) * MAGAZINE * size_of(class) < BYTES
    }

    /// Leaves a magazine.
    ///
    /// # Errors
    /// Gives it back when there are enough.
    pub(crate) fn leave(&self, class: usize, magazine: Box<Magazine>) -> Result<(), Box<Magazine>> {
        let shelf = &self.classes[class];
        let mut magazines = shelf.magazines.lock();
        if !self.has_room(class) {
            return Err(magazine);
        }
        magazines.push(magazine);
        shelf.len.store(magazines.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Fetches a full magazine, if there is one.
    pub(crate) fn fetch(&self, class: usize) -> Option<Box<Magazine>> {
        let shelf = &self.classes[class];
        if shelf.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut magazines = shelf.magazines.lock();
        let magazine = magazines.pop();
        shelf.len.store(magazines.len(), Ordering::Relaxed);
        magazine
    }
}
