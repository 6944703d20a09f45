//! The one list of this process; what it promises is in `roll.rs`.

use super::roll::Roll;
use crate::scheduler::Core;
use core::ptr::NonNull;
use weftwork_sync::primitive::Shared;

static LIVE: Roll<Core> = Roll::new();

/// A runtime was built.
pub(crate) fn register(core: &Shared<Core>) {
    LIVE.register(core);
}

/// The runtime at this address, if it still lives.
pub(crate) fn find(core: NonNull<Core>) -> Option<Shared<Core>> {
    LIVE.find(core)
}
