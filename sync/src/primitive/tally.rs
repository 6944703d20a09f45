//! What the counting world writes down: each access of the calling thread, while it records.
//!
//! It knows what goes through the facade. What other crates do to memory (the queues of crossbeam-deque, parking_lot behind
//! a lock's word, the allocator) and plain memory outside of an `UnsafeCell` of the facade it does not see.

use core::cell::RefCell;
use core::panic::Location;

/// Bytes of a cache line.
pub const LINE: usize = 64;

/// What an access does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Reads an atomic.
    Load,
    /// Writes an atomic.
    Store,
    /// Reads and writes an atomic in one: also a compare-exchange that failed, and a lock's taking and its giving back.
    ReadModifyWrite,
    /// Orders everything.
    Fence,
    /// May write what lies in an `UnsafeCell`: one for each line of it.
    Cell,
}

/// One access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// What it does.
    pub kind: Kind,
    /// Which line it does that to: its address divided by [`LINE`]; 0 for a fence.
    pub line: usize,
    /// Who asked for it.
    pub by: &'static Location<'static>,
}

impl Access {
    /// Whether another processor that holds the line has to give it up.
    pub fn writes(&self) -> bool {
        matches!(self.kind, Kind::Store | Kind::ReadModifyWrite | Kind::Cell)
    }
}

std::thread_local! {
    static RECORDED: RefCell<Option<Vec<Access>>> = const { RefCell::new(None) };
}

/// Runs `f` and says what the calling thread did meanwhile.
///
/// # Panics
/// Inside of another recording.
pub fn record<R>(f: impl FnOnce() -> R) -> (R, Vec<Access>) {
    struct Stop;
    impl Drop for Stop {
        fn drop(&mut self) {
            RECORDED.with_borrow_mut(|recorded| *recorded = None);
        }
    }
    let outer = RECORDED.replace(Some(Vec::with_capacity(256)));
    assert!(outer.is_none(), "a recording inside of a recording");
    let _stop = Stop;
    let out = f();
    let recorded = RECORDED.take().unwrap_or_default();
    (out, recorded)
}

/// Writes an access to one word down, if the calling thread records.
#[track_caller]
pub(super) fn note<T: ?Sized>(kind: Kind, at: *const T) {
    note_at(kind, at.cast::<()>().addr() / LINE, Location::caller());
}

/// Writes a fence down.
#[track_caller]
pub(super) fn note_fence() {
    note_at(Kind::Fence, 0, Location::caller());
}

/// Writes down that every line of a value may be written.
#[track_caller]
pub(super) fn note_cell<T: ?Sized>(value: *const T, size: usize) {
    let first = value.cast::<()>().addr();
    for line in first / LINE..=(first + size.max(1) - 1) / LINE {
        note_at(Kind::Cell, line, Location::caller());
    }
}

pub(super) fn note_at(kind: Kind, line: usize, by: &'static Location<'static>) {
    // An error while the thread's locals are being destroyed: nobody records then.
    let _ = RECORDED.try_with(|recorded| {
        if let Some(recorded) = &mut *recorded.borrow_mut() {
            recorded.push(Access { kind, line, by });
        }
    });
}
