//! The edge at which a panic stops.
//!
//! In production a panic in foreign code (a task, a waker, a destructor, a closure, a hook) is caught here and becomes a
//! value. Under a model checker it must not: the checker reports its findings by panicking, and a model that goes through
//! a poll would swallow them and pass. There the call goes straight through, except for a payload made by [`planted`].

use std::any::Any;

/// What a panic carried.
pub type Panic = Box<dyn Any + Send + 'static>;

/// The payload of a panic that a model plants on purpose to see it contained.
struct Planted;

/// Panics with the one payload that [`contain`] stops in every world; for models and tests. No hook is told: a checker's would take it for
/// a finding.
pub fn planted() -> ! {
    std::panic::resume_unwind(Box::new(Planted))
}

/// Runs `f`; a panic in it becomes an `Err` with its payload.
///
/// The caller answers for what `f` left half-done, as with `AssertUnwindSafe`.
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
#[inline]
pub fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
}

/// Runs `f`; only a planted panic becomes an `Err`, any other is a finding of the checker and goes on.
#[cfg(any(weftwork_loom, weftwork_shuttle))]
pub fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
        Err(payload) if !payload.is::<Planted>() => std::panic::resume_unwind(payload),
        other => other,
    }
}
