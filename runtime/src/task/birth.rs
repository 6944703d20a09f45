//! What is done for a new task, where there is anything to do.
//!
//! Most programs want none of this, so a spawn looks at one word of the process, which is written once and then only read, and goes on.
//! Whoever wants something says so before there is anything to be seen of it: a task local before its first value can be inherited.

use super::cell::Header;
use super::local::place;
use core::ptr::NonNull;
use weftwork_sync::primitive::unmodelled::Counter;

static ATTENDED: Counter = Counter::new(0);

/// Whether somebody wants something done for new tasks.
///
/// What has been said on this thread, or by whoever this thread knows it from, is seen: it is one word, of which nobody sees an older
/// value than one that happened before.
#[inline(always)]
pub(crate) fn is_attended() -> bool {
    ATTENDED.get() != 0
}

/// From now on there is something to do.
pub(crate) fn attend_from_now_on() {
    if !is_attended() {
        ATTENDED.set(1);
    }
}

/// The task is new, its spawner, who calls this, the only one that knows of it, and nothing has scheduled it.
#[cold]
#[inline(never)]
pub(crate) fn attend(task: NonNull<Header>) {
    // SAFETY: a new task's references are held by the caller.
    let task = unsafe { task.as_ref() };
    place::inherit(task);
}
