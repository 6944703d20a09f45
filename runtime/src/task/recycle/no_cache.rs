//! The same doors without a cache: every cell comes from the allocator and goes back to it. Each is known to loom while it
//! lives, so that a model fails when a cell is never freed.

use core::alloc::Layout;
use core::ptr::NonNull;
use weftwork_sync::primitive::__loom::alloc::Track;

/// What stands before a cell: kept by address, because loom's own allocator aborts when a model fails with cells alive.
type Mark = Box<Track<()>>;

/// Room for the mark that keeps the cell's alignment.
const BEFORE: usize = 16;

/// Nothing.
#[derive(Debug)]
pub(crate) struct Kept(());

pub(crate) fn enter_worker(_kept: impl FnOnce() -> Option<Kept>) -> bool {
    false
}

pub(crate) fn leave_worker() -> Option<Kept> {
    None
}

fn with_mark(layout: Layout) -> Layout {
    // SAFETY: 16 is a power of two; a cell that came near the limit of a layout could not have been written.
    unsafe { Layout::from_size_align_unchecked(layout.size() + BEFORE, layout.align().max(BEFORE)) }
}

pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    assert!(layout.align() <= BEFORE, "a model's futures are not over-aligned");
    let memory = super::allocate_plain(with_mark(layout));
    // SAFETY: fresh memory that begins with room for the mark.
    unsafe {
        memory.cast::<Mark>().write(Box::new(Track::new(())));
        memory.add(BEFORE)
    }
}

/// # Safety
/// The memory came from [`allocate`] with the same layout and is not used any more.
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: as the caller promises. What was there is overwritten, so that a use after this does not go well by chance.
    unsafe {
        memory.write_bytes(0xA5, layout.size());
        let memory = memory.sub(BEFORE);
        drop(memory.cast::<Mark>().read());
        super::free_plain(memory, with_mark(layout));
    }
}
