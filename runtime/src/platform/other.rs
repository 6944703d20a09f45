//! What stands for Linux's specialities elsewhere, and in models.

/// There is no barrier on other threads: both sides of an asymmetric pair fence.
pub(super) fn has_process_barrier() -> bool {
    false
}

pub(super) fn process_barrier() {}

pub(crate) fn sharpen_timers() {}

pub(crate) fn process_id() -> u32 {
    std::process::id()
}
