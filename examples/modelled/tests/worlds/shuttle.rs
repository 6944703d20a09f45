//! What shuttle finds: orders of whole operations, and nothing that hangs on what a processor may reorder.

/// There is none.
pub fn bound(_preemptions: usize) -> &'static str {
    "drawn"
}

pub const FINDS_LOST_WAKES: bool = true;
pub const FINDS_LOOSE_ORDERINGS: bool = false;
