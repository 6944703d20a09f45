//! The feature `tracing` is off: nobody listens, and nothing is left of the events in the program.

use super::Shutdown;
use crate::observe::unhandled::Unhandled;
use crate::scheduler::Core;
use crate::task::Spec;

#[inline(always)]
pub(crate) fn unhandled(_what: &Unhandled<'_>) -> bool {
    false
}

#[cfg(feature = "net")]
#[inline(always)]
pub(crate) fn accept_pauses(_error: &std::io::Error, _pause: core::time::Duration) {}

#[inline(always)]
pub(crate) fn runtime_built(_core: &Core) {}

#[inline(always)]
pub(crate) fn shutdown(_step: Shutdown) {}

#[inline(always)]
pub(crate) fn watchdog<R>(rounds: impl FnOnce() -> R) -> R {
    rounds()
}

#[inline(always)]
pub(crate) fn tell_of_refused_threads(pool: weftwork_blocking::Builder) -> weftwork_blocking::Builder {
    pool
}

#[inline(always)]
pub(crate) fn in_task<F: Future>(future: F, _spec: &Spec, _name: Option<&str>) -> F {
    future
}
