//! The same doors without a cache: every cell comes from the allocator and goes back to it.

use core::alloc::Layout;
use core::ptr::NonNull;

pub(crate) fn enter_worker() {}

pub(crate) fn leave_worker() {}

pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    super::allocate_plain(layout)
}

/// # Safety
/// As [`free_plain`](super::free_plain).
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: as the caller promises.
    unsafe { super::free_plain(memory, layout) };
}
