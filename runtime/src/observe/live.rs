//! The runtimes of this process, so that what a plain thread drops unread is reported to the right one.
//!
//! A handle of a task refers to its runtime without counting and may outlive it. The list holds memory, not runtimes: an
//! address in it is not used again before its entry is gone, so finding it there and upgrading is sound.

use crate::scheduler::Core;
use weftwork_sync::primitive::{Mutex, Shared, WeakShared};

static LIVE: Mutex<Vec<WeakShared<Core>>> = Mutex::new(Vec::new());

/// A runtime was built.
pub(crate) fn register(core: &Shared<Core>) {
    let mut live = LIVE.lock();
    // Upgraded owners are dropped after the lock: the last one ends a core.
    let owners: Vec<_> = live.iter().map(WeakShared::upgrade).collect();
    let mut alive = owners.iter().map(Option::is_some);
    live.retain(|_| alive.next().unwrap_or(false));
    live.push(Shared::downgrade(core));
    drop(live);
    drop(owners);
}

/// The runtime for which `is` holds, if it still lives.
pub(crate) fn find(is: impl Fn(&Shared<Core>) -> bool) -> Option<Shared<Core>> {
    let owners: Vec<_> = LIVE.lock().iter().filter_map(WeakShared::upgrade).collect();
    owners.into_iter().find(|core| is(core))
}
