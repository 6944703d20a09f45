//! Memory that costs the same instructions each time, whatever was allocated and freed before.
//!
//! What the system's allocator does for a call depends on the whole history of the process and on which thread frees, by
//! hundreds of instructions. Here a freed block goes to the list of its size, and the next of that size is taken from there:
//! about as many instructions as the system's fast path. Blocks are never given back.
#![allow(clippy::disallowed_types, reason = "no model ever runs under it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// The smallest block is 2 to the power of this, in bytes.
const SMALLEST: usize = 4;
/// The lists: blocks of up to 64 KiB. Larger ones are the system's.
const LISTS: usize = 13;

/// Lists of free blocks, by size.
pub(crate) struct Lists {
    locked: AtomicBool,
    heads: UnsafeCell<[*mut Free; LISTS]>,
}

/// What a free block begins with.
struct Free {
    next: *mut Free,
}

// SAFETY: the heads are touched under the lock only.
unsafe impl Sync for Lists {}
// SAFETY: blocks belong to no thread.
unsafe impl Send for Lists {}

impl Lists {
    pub(crate) const fn new() -> Self {
        Self { locked: AtomicBool::new(false), heads: UnsafeCell::new([null_mut(); LISTS]) }
    }

    /// Runs `f` with the list of that number to itself. Nothing that it does allocates.
    fn with<R>(&self, list: usize, f: impl FnOnce(&mut *mut Free) -> R) -> R {
        // Ordering: Acquire pairs with the Release below.
        while self.locked.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        // SAFETY: the lock is held.
        let out = f(unsafe { &mut (*self.heads.get())[list] });
        self.locked.store(false, Ordering::Release);
        out
    }
}

/// The list for a layout and the size of its blocks, which they are aligned to as well.
fn list_of(layout: Layout) -> Option<(usize, usize)> {
    let size = layout.size().max(layout.align()).max(1 << SMALLEST).next_power_of_two();
    let list = size.trailing_zeros() as usize - SMALLEST;
    (list < LISTS).then_some((list, size))
}

// SAFETY: a block is at least as large and as aligned as was asked for; it is in a list or with one owner, never both.
unsafe impl GlobalAlloc for Lists {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((list, size)) = list_of(layout) else {
            // SAFETY: the caller's layout.
            return unsafe { System.alloc(layout) };
        };
        let taken = self.with(list, |head| {
            let block = *head;
            // SAFETY: null, or a free block, which begins with its successor.
            if let Some(free) = unsafe { block.as_ref() } {
                *head = free.next;
            }
            block
        });
        if !taken.is_null() {
            return taken.cast();
        }
        // SAFETY: a power of two that is not zero.
        unsafe { System.alloc(Layout::from_size_align_unchecked(size, size)) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let Some((list, _)) = list_of(layout) else {
            // SAFETY: as the caller promises, and it came from there.
            return unsafe { System.dealloc(memory, layout) };
        };
        let block = memory.cast::<Free>();
        self.with(list, |head| {
            // SAFETY: the caller gives the block up, and it holds a Free: 16 bytes at least, aligned to them.
            unsafe { block.write(Free { next: *head }) };
            *head = block;
        });
    }
}
