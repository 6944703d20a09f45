//! The same doors without a cache, where schedules are drawn: every cell comes from the allocator and goes back to it.

use core::alloc::Layout;
use core::ptr::NonNull;

/// Nothing.
#[derive(Debug)]
pub(crate) struct Kept(());

pub(crate) fn enter_worker(_kept: impl FnOnce() -> Option<Kept>) -> bool {
    false
}

pub(crate) fn leave_worker() -> Option<Kept> {
    None
}

pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    super::allocate_plain(layout)
}

/// # Safety
/// The memory came from [`allocate`] with the same layout and is not used any more.
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: as the caller promises. What was there is overwritten, so that a use after this does not go well by chance.
    unsafe {
        memory.write_bytes(0xA5, layout.size());
        super::free_plain(memory, layout);
    }
}
