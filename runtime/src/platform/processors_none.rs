//! Where it is left to the system which processor a thread runs on, and in models, which have none.

pub(crate) fn processor() -> Option<u32> {
    None
}

/// There are none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SystemThread {}

pub(crate) fn this_thread() -> Option<SystemThread> {
    None
}

/// As [`SystemThread`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Processors {}

pub(crate) fn forbid(thread: SystemThread, _processors: impl Iterator<Item = u32>) -> Option<Processors> {
    match thread {}
}

pub(crate) fn allow(processors: Processors) {
    match processors {}
}
