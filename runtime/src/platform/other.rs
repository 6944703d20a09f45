//! What stands for Linux's specialities elsewhere.

/// There is no barrier on other threads: both sides of an asymmetric pair fence.
pub(super) fn has_process_barrier() -> bool {
    false
}

pub(super) fn process_barrier() {}

pub(crate) fn sharpen_timers() {}

/// Nanoseconds since this was first asked.
#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]
pub(super) fn monotonic() -> u64 {
    static ORIGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    super::clock::nanoseconds(ORIGIN.elapsed())
}

pub(crate) fn process_id() -> u32 {
    std::process::id()
}
