//! What stands for the system in models.

/// Both sides of an asymmetric pair fence: a model has no barrier on other threads.
pub(super) fn has_process_barrier() -> bool {
    false
}

pub(super) fn process_barrier() {}

pub(crate) fn sharpen_timers() {}

/// It stands still: a model is searched by repeating what it did, so nothing may be decided by how long that took.
pub(super) fn monotonic() -> u64 {
    0
}

pub(crate) fn process_id() -> u32 {
    std::process::id()
}
