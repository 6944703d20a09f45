//! The same doors without a cache: every cell comes from loom's allocator and goes back to it, so that a model fails when a
//! cell is never freed or freed twice.

use core::alloc::Layout;
use core::ptr::NonNull;
use weftwork_sync::primitive::__loom::alloc::{alloc, dealloc};

pub(crate) fn enter_worker() {}

pub(crate) fn leave_worker() {}

pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: a cell has a header and so a size.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| std::alloc::handle_alloc_error(layout))
}

/// # Safety
/// The memory came from [`allocate`] with the same layout and is not used any more.
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: as the caller promises. What was there is overwritten, so that a use after this does not go well by chance.
    unsafe {
        memory.write_bytes(0xA5, layout.size());
        dealloc(memory.as_ptr(), layout);
    }
}
