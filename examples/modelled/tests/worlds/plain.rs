//! What a plain test finds: one thread polls one task after the other, so nothing that needs two of them at once.

/// There is none.
pub fn bound(_preemptions: usize) -> &'static str {
    "none"
}

pub const FINDS_LOST_WAKES: bool = false;
pub const FINDS_LOOSE_ORDERINGS: bool = false;
