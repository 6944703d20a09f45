//! What is done for a new task, where there is anything to do.
//!
//! Most programs want none of this, so a spawn looks at one word of the process, which is written once and then only read, and goes on.
//! Whoever wants something says so before there is anything to be seen of it: a task local before its first value can be inherited.

use super::TaskInfo;
use super::cell::Header;
use super::local::place;
use super::watched::Watched;
use crate::context;
use crate::observe::unhandled::UnhandledKind;
use crate::scheduler::{Config, Core};
use core::ptr::NonNull;
use weftwork_sync::primitive::contain;
use weftwork_sync::primitive::unmodelled::Counter;

/// What is called as tasks begin and end.
pub(crate) type TaskHook = dyn Fn(&TaskInfo) + Send + Sync;

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

/// The task is new, nothing has scheduled it, and but for its spawner, who calls this, at most its group knows of it.
#[cold]
#[inline(never)]
pub(crate) fn attend(core: &Core, task: NonNull<Header>) {
    let Config { debug, on_spawn, on_complete, .. } = &core.config;
    // SAFETY: a new task's references are the caller's.
    let header = unsafe { task.as_ref() };
    if *debug || on_complete.is_some() {
        header.root().watch(Watched::new(context::current_task(), *debug));
    }
    if *debug {
        header.state.watch();
    }
    place::inherit(header);
    if let Some(hook) = on_spawn {
        // SAFETY: as above.
        tell(core, &**hook, unsafe { TaskInfo::of(task) });
    }
}

/// Calls a hook; a panic in it is reported and ends there.
pub(crate) fn tell(core: &Core, hook: &TaskHook, info: TaskInfo) {
    if let Err(payload) = contain(|| hook(&info)) {
        core.report_panic(UnhandledKind::HookPanicked, payload);
    }
}
