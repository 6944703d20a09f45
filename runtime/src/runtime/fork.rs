//! Noticing that the process forked (promise P11).
//!
//! A fork copies one thread and all memory: in the child a runtime's workers do not exist, its locks may be held by nobody
//! and its poller is shared with the parent. So every way in compares the process with the one that built the runtime. The
//! child may start a new runtime, or exec.

use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::scheduler::Core;

/// Whether this is a child of the process that built the runtime.
pub(super) fn is_child(core: &Core) -> bool {
    core.process != crate::platform::process_id()
}

/// # Panics
/// In a child.
#[track_caller]
pub(super) fn assert_parent(core: &Core) {
    assert!(
        !is_child(core),
        "the process forked after this runtime was built, and its threads exist in the parent only: build a new runtime in \
         the child, or exec there"
    );
}

/// Tells that a child used the runtime.
pub(super) fn report(core: &Core) {
    core.report(&Unhandled::elsewhere(UnhandledKind::Forked, None));
}
