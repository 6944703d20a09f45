//! Noticing that the process forked (promise P11).
//!
//! A fork copies one thread and all memory: in the child a runtime's workers do not exist, its locks may be held by nobody
//! and its poller is shared with the parent. So every way in compares the process with the one that built the runtime:
//! handles, and what finds the current runtime by itself, since the one thread that was copied may have entered it. The
//! child may start a new runtime, or exec.

use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::scheduler::Core;
use weftwork_sync::primitive::Shared;

/// What every refusal says.
pub(crate) const FORKED: &str = "the process forked after this runtime was built, and its threads exist in the parent only: \
                                 build a new runtime in the child, or exec there";

/// Whether this is a child of the process that built the runtime.
#[inline]
pub(crate) fn is_child(core: &Core) -> bool {
    core.process != crate::platform::process_id()
}

/// # Panics
/// In a child.
#[inline]
#[track_caller]
pub(crate) fn assert_parent(core: &Core) {
    assert!(!is_child(core), "{FORKED}");
}

/// The child's copy of a runtime ends: nothing of it is run, dropped or waited for.
pub(super) fn abandon(core: &Shared<Core>) {
    // Its tasks are incomplete and refer to the core without counting.
    core::mem::forget(core.clone());
    core.report(&Unhandled::elsewhere(UnhandledKind::Forked, None));
}
