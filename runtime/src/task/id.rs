//! Task identifiers: unique in the process, handed out in blocks so that spawning writes no line all workers write.

use core::cell::Cell;
use core::fmt;
use core::num::NonZeroU64;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::weft_thread_local;

/// Ids that a thread takes at a time.
const BLOCK: u64 = 1024;

static NEXT_BLOCK: Counter = Counter::new(0);

weft_thread_local! {
    /// The next id of this thread and the end of its block.
    static MINE: Cell<(u64, u64)> = Cell::new((0, 0));
}

/// Names one task among all that the process ever spawns.
///
/// Ids say nothing about order. asyncio's counterpart is the number in `Task-7`, tokio's is `tokio::task::Id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(NonZeroU64);

impl TaskId {
    pub(crate) fn next() -> Self {
        let id = MINE.with(|mine| {
            let (mut next, mut end) = mine.get();
            if next == end {
                next = NEXT_BLOCK.add(1) * BLOCK;
                end = next + BLOCK;
            }
            mine.set((next + 1, end));
            next + 1
        });
        Self(NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN))
    }

    /// The id as a number, for logs and maps.
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
