//! The magazines of one worker: per class one that is filled and emptied, and one full or empty behind it, so that a
//! worker that alternates at a boundary does not go further each time (Bonwick and Adams, "Magazines and Vmem", 2001); and
//! behind those full ones of its own, before it leaves any for others.

use super::depot::{Depot, Magazine};
use super::{CLASSES, MAGAZINE, allocate_plain, class_of, free_plain, layout_of, size_of};
use core::alloc::Layout;
use core::cell::Cell;
use core::mem;
use core::ptr::{self, NonNull};
use std::sync::LazyLock;
use weftwork_sync::weft_thread_local;

static DEPOT: LazyLock<Depot> = LazyLock::new(Depot::new);
static ENABLED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("WEFTWORK_RECYCLE").is_none_or(|v| v != "off"));

/// Bytes of new cells for which the allocator is made to grow at once; below the size from which glibc tidies up on freeing.
const STRETCH: usize = 48 << 10;
/// Bytes that glibc takes for large.
const TIDY: usize = 2 << 10;

/// Bytes of cells that a worker keeps per class.
const KEPT: usize = 1 << 20;

#[allow(clippy::vec_box, reason = "magazines come and go as boxes")]
struct Magazines {
    front: Box<Magazine>,
    back: Box<Magazine>,
    /// Full ones.
    kept: Vec<Box<Magazine>>,
}

struct Cache {
    classes: [Magazines; CLASSES],
    /// Bytes that new cells may still take before the allocator is stretched again.
    stretched: usize,
}

impl Cache {
    fn new() -> Self {
        let magazines =
            |_| Magazines { front: Box::new(Magazine::new()), back: Box::new(Magazine::new()), kept: Vec::new() };
        Self { classes: core::array::from_fn(magazines), stretched: STRETCH }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, own) in self.classes.iter_mut().enumerate() {
            free_all(class, &mut own.front);
            free_all(class, &mut own.back);
            own.kept.iter_mut().for_each(|magazine| free_all(class, magazine));
        }
    }
}

/// What a worker kept, for the next thread at its seat. Dropped, it goes back to the allocator.
pub(crate) struct Kept(Box<Cache>);

impl core::fmt::Debug for Kept {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

weft_thread_local! {
    /// This worker's cache; null on every other thread.
    static CACHE: Cell<*mut Cache> = Cell::new(ptr::null_mut());
}

/// The calling thread becomes a worker: it keeps what it frees, beginning with what was kept at its seat. `true` if it was
/// none before, and so has to [leave](leave_worker) again; a worker that drives another runtime inside of `block_in_place` is
/// one already.
pub(crate) fn enter_worker(kept: impl FnOnce() -> Option<Kept>) -> bool {
    if !*ENABLED {
        return false;
    }
    let first = CACHE.with(Cell::get).is_null();
    if first {
        let cache = kept().map_or_else(|| Box::new(Cache::new()), |kept| kept.0);
        CACHE.with(|place| place.set(Box::into_raw(cache)));
    }
    first
}

/// The calling thread is a worker no longer: what it kept, if it was one.
pub(crate) fn leave_worker() -> Option<Kept> {
    let cache = CACHE.with(|cache| cache.replace(ptr::null_mut()));
    // SAFETY: null, or made by enter_worker on this thread and taken out of the slot.
    (!cache.is_null()).then(|| Kept(unsafe { Box::from_raw(cache) }))
}

#[inline]
pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    let (cache, Some(class)) = (CACHE.with(Cell::get), class_of(layout)) else { return allocate_plain(layout) };
    // SAFETY: null, or this thread's own cache, which nothing else borrows: no code of ours or others runs in between.
    let Some(cache) = (unsafe { cache.as_mut() }) else { return allocate_plain(layout) };
    let own = &mut cache.classes[class];
    if let Some(cell) = own.front.pop() {
        return cell;
    }
    refill(own, &mut cache.stretched, class, layout)
}

#[cold]
fn refill(own: &mut Magazines, stretched: &mut usize, class: usize, layout: Layout) -> NonNull<u8> {
    mem::swap(&mut own.front, &mut own.back);
    if let Some(cell) = own.front.pop() {
        return cell;
    }
    if let Some(full) = own.kept.pop().or_else(|| DEPOT.fetch(class)) {
        own.front = full;
    }
    if let Some(cell) = own.front.pop() {
        return cell;
    }
    *stretched = match stretched.checked_sub(size_of(class)) {
        Some(left) => left,
        None => {
            stretch();
            STRETCH
        }
    };
    allocate_plain(layout)
}

/// Has the allocator get that much from the system: what is taken and given back at once stays with it. For the arena of a
/// thread glibc would ask for each page by itself as it is needed, which was ten thousand system calls for 200 000 tasks.
#[cold]
fn stretch() {
    touch(Layout::new::<[u8; STRETCH]>());
}

/// Takes memory and gives it back.
fn touch(layout: Layout) {
    // SAFETY: the callers' layouts have a size; what is freed has the same layout.
    unsafe {
        // Hidden from the compiler, which would leave out what nobody uses.
        let memory = core::hint::black_box(std::alloc::alloc(layout));
        if !memory.is_null() {
            std::alloc::dealloc(memory, layout);
        }
    }
}

/// # Safety
/// The memory came from [`allocate`] with the same layout and is not used any more.
#[inline]
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: as in allocate.
    if let (Some(cache), Some(class)) = (unsafe { CACHE.with(Cell::get).as_mut() }, class_of(layout)) {
        let own = &mut cache.classes[class];
        if let Err(memory) = own.front.push(memory) {
            spill(own, class, memory);
        }
    } else {
        // SAFETY: as the caller promises.
        unsafe { free_plain(memory, layout) };
    }
}

#[cold]
fn spill(own: &mut Magazines, class: usize, memory: NonNull<u8>) {
    // The front is full: it goes behind, and what was behind goes further if it is full too.
    mem::swap(&mut own.front, &mut own.back);
    let Err(memory) = own.front.push(memory) else { return };
    if own.kept.len() * MAGAZINE * size_of(class) < KEPT {
        own.kept.push(mem::replace(&mut own.front, Box::new(Magazine::new())));
    } else if DEPOT.has_room(class) {
        let full = mem::replace(&mut own.front, Box::new(Magazine::new()));
        if let Err(mut full) = DEPOT.leave(class, full) {
            free_all(class, &mut full);
        }
    } else {
        free_all(class, &mut own.front);
        tidy();
    }
    // There is room now.
    let _ = own.front.push(memory);
}

/// Has the allocator put together what has been freed. glibc leaves that, for small blocks, until it is asked for a large one or
/// joins two large ones, and then does it for all at once: of a million boxes that tasks had owned that took 100 ms, inside of
/// whatever poll it happened to be.
#[cold]
fn tidy() {
    touch(Layout::new::<[u8; TIDY]>());
}

fn free_all(class: usize, magazine: &mut Magazine) {
    while let Some(cell) = magazine.pop() {
        // SAFETY: cells in a magazine are unused memory of the class's layout.
        unsafe { free_plain(cell, layout_of(class)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_within_a_worker_leaves_the_cells_to_the_outer_one() {
        if !*ENABLED {
            return;
        }
        assert!(enter_worker(|| None), "the outer one makes the cache");
        assert!(!enter_worker(|| unreachable!("it has one")), "and so the inner one does not end it");
        drop(leave_worker());
        assert!(leave_worker().is_none());
        assert!(enter_worker(|| None));
        drop(leave_worker());
    }

    #[test]
    fn the_next_thread_at_the_seat_finds_what_was_kept_there() {
        if !*ENABLED {
            return;
        }
        let layout = layout_of(3);
        assert!(enter_worker(|| None));
        let cell = allocate(layout);
        // SAFETY: from above, and not used any more.
        unsafe { free(cell, layout) };
        let kept = leave_worker();
        assert!(enter_worker(|| kept));
        let again = allocate(layout);
        assert_eq!(again, cell);
        // SAFETY: as above.
        unsafe { free(again, layout) };
        drop(leave_worker());
    }
}
