//! Freed cells kept for the next spawn.
//!
//! A worker keeps the cells that it frees, by size class, and hands them to its own next spawns: no lock, no allocator.
//! Where tasks are spawned on one worker and freed on another the surplus moves in magazines of 32 through the depot, one
//! lock per 32 cells (model L11). Bounds: per worker and class two magazines, in the depot 2 MiB per class; what is beyond
//! goes back to the allocator. Threads that are not workers use the allocator directly.
//!
//! Recycling hides use after free from memory checkers: `WEFTWORK_RECYCLE=off` turns it off, as runs under valgrind or an
//! address sanitizer should.

pub(crate) mod depot;

#[cfg(not(weftwork_loom))]
mod cache;
#[cfg(weftwork_loom)]
#[path = "recycle/no_cache.rs"]
mod cache;

pub(crate) use cache::{allocate, enter_worker, free, leave_worker};

use core::alloc::Layout;
use core::ptr::NonNull;

/// Classes are this many bytes apart.
const STEP: usize = 32;
/// Cells larger than this are left to the allocator.
const LARGEST: usize = 1024;
/// How many classes that makes.
pub(crate) const CLASSES: usize = LARGEST / STEP;
/// Cells that move at once.
pub(crate) const MAGAZINE: usize = 32;

/// The class of a layout, if it has one.
#[inline(always)]
fn class_of(layout: Layout) -> Option<usize> {
    (layout.size() <= LARGEST && layout.size() > 0 && layout.align() <= 16).then(|| (layout.size() - 1) / STEP)
}

/// The bytes of a class's cells.
fn size_of(class: usize) -> usize {
    (class + 1) * STEP
}

/// The layout that a class allocates.
fn layout_of(class: usize) -> Layout {
    // SAFETY: 16 is a power of two and the size is at most LARGEST.
    unsafe { Layout::from_size_align_unchecked(size_of(class), 16) }
}

/// Memory from the allocator, for `layout` or for its class.
fn allocate_plain(layout: Layout) -> NonNull<u8> {
    let layout = class_of(layout).map_or(layout, layout_of);
    // SAFETY: a cell has a header and so a size.
    NonNull::new(unsafe { std::alloc::alloc(layout) }).unwrap_or_else(|| std::alloc::handle_alloc_error(layout))
}

/// # Safety
/// The memory came from [`allocate_plain`] with the same layout, or its class, and is not used any more.
unsafe fn free_plain(memory: NonNull<u8>, layout: Layout) {
    let layout = class_of(layout).map_or(layout, layout_of);
    // SAFETY: as the caller promises.
    unsafe { std::alloc::dealloc(memory.as_ptr(), layout) };
}
