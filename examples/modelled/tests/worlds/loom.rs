//! What loom finds.

/// What the model says, unless the environment says otherwise.
pub fn bound(preemptions: usize) -> String {
    std::env::var("WEFTWORK_MODEL_PREEMPTIONS").unwrap_or_else(|_| preemptions.to_string())
}

pub const FINDS_LOST_WAKES: bool = true;
pub const FINDS_LOOSE_ORDERINGS: bool = true;
