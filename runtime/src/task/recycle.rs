//! Freed cells kept for the next spawn.
//!
//! A worker keeps the cells that it frees, by size class, and hands them to its own next spawns: no lock, no allocator.
//! Where tasks are spawned on one worker and freed on another the surplus moves in magazines of 32 through the depot, one
//! lock per 32 cells (model L11). A worker keeps a good many to itself before that: a cell that comes from another one is not
//! in its caches. Bounds: 1 MiB per worker and class, and two magazines, and in the depot 2 MiB per class; what is beyond
//! goes back to the allocator. Threads that are not workers use the allocator directly. A thread that drives a current-thread
//! runtime for a moment leaves what it kept at the seat, for whoever drives it next.
//!
//! Recycling hides use after free from memory checkers: `WEFTWORK_RECYCLE=off` turns it off, as runs under valgrind or an
//! address sanitizer should.

pub(crate) mod depot;

#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
mod cache;
#[cfg(weftwork_loom)]
#[path = "recycle/no_cache.rs"]
mod cache;
#[cfg(weftwork_shuttle)]
#[path = "recycle/plain.rs"]
mod cache;

pub(crate) use cache::{Kept, allocate, enter_worker, free, leave_worker};

use core::alloc::Layout;
use core::ptr::NonNull;

/// The smallest class. Each class is eight more than a multiple of 16, which is what an allocator that keeps eight bytes
/// before each block has room for: glibc takes 144 bytes for 136 as for 129, and 160 for 137.
const SMALLEST: usize = 104;
/// Up to here classes are 16 bytes apart: most tasks are this small, and where thousands sleep each 16 bytes count.
const FINE_UP_TO: usize = 360;
/// From there on they are this many bytes apart.
const COARSE_STEP: usize = 64;
/// Cells larger than this are left to the allocator.
const LARGEST: usize = FINE_UP_TO + 11 * COARSE_STEP;
const FINE_STEP: usize = 16;
const FINE_CLASSES: usize = (FINE_UP_TO - SMALLEST) / FINE_STEP + 1;
/// How many classes that makes.
pub(crate) const CLASSES: usize = FINE_CLASSES + (LARGEST - FINE_UP_TO) / COARSE_STEP;
/// Cells that move at once.
pub(crate) const MAGAZINE: usize = 32;

/// The class of a layout, if it has one. The layout is known where a task is spawned or freed, and so is the answer.
#[inline(always)]
fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size();
    if size == 0 || size > LARGEST || layout.align() > 16 {
        None
    } else if size <= FINE_UP_TO {
        Some(size.saturating_sub(SMALLEST).div_ceil(FINE_STEP))
    } else {
        Some(FINE_CLASSES - 1 + (size - FINE_UP_TO).div_ceil(COARSE_STEP))
    }
}

/// The bytes of a class's cells.
fn size_of(class: usize) -> usize {
    if class < FINE_CLASSES {
        SMALLEST + class * FINE_STEP
    } else {
        FINE_UP_TO + (class + 1 - FINE_CLASSES) * COARSE_STEP
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_the_smallest_class_that_holds_it() {
        for size in 1..=LARGEST {
            let class = class_of(Layout::from_size_align(size, 16).unwrap()).unwrap();
            assert!(size_of(class) >= size, "{size} bytes in the class of {}", size_of(class));
            assert!(class == 0 || size_of(class - 1) < size, "{size} bytes in the class of {}", size_of(class));
        }
        assert_eq!(size_of(CLASSES - 1), LARGEST);
    }

    #[test]
    fn what_is_too_large_or_aligned_too_far_has_no_class() {
        assert_eq!(class_of(Layout::from_size_align(LARGEST + 1, 16).unwrap()), None);
        assert_eq!(class_of(Layout::from_size_align(128, 32).unwrap()), None);
    }
}
