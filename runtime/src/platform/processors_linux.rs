//! Which processors a thread runs on and may run on, as Linux has it.

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// The processor that the calling thread runs on, which may be another one the moment after.
#[inline]
pub(crate) fn processor() -> Option<u32> {
    // SAFETY: asks for a number; it is -1 where the system cannot say.
    u32::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// A thread of this process, as the system names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemThread(Pid);

/// The calling thread.
pub(crate) fn this_thread() -> Option<SystemThread> {
    Some(SystemThread(rustix::thread::gettid()))
}

/// The processors that a thread may run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processors(CpuSet);

/// Forbids a thread some processors, unless no other is left to it. What it might use before, to be given back by
/// [`allow`]; `None` if nothing was changed.
pub(crate) fn forbid(thread: SystemThread, processors: impl Iterator<Item = u32>) -> Option<Processors> {
    let before = sched_getaffinity(Some(thread.0)).ok()?;
    let mut left = before;
    for processor in processors.filter(|&processor| (processor as usize) < CpuSet::MAX_CPU) {
        left.unset(processor as usize);
    }
    if left.count() == 0 || left.count() == before.count() {
        return None;
    }
    // A sandbox may refuse it, or the group of the process have lost what is left: then nothing is changed.
    sched_setaffinity(Some(thread.0), &left).ok()?;
    Some(Processors(before))
}

/// The calling thread may run on these processors again. It stays where it is.
pub(crate) fn allow(processors: Processors) {
    // It fails if the group of the process lost them all meanwhile; then the system has chosen others itself.
    let _ = sched_setaffinity(None, &processors.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_leaves_the_processor_that_it_is_forbidden_and_may_return() {
        let allowed = sched_getaffinity(None).unwrap();
        let here = processor().unwrap();
        let before = forbid(this_thread().unwrap(), core::iter::once(here));
        assert_eq!(before.is_some(), allowed.count() > 1, "the last one is never forbidden");
        if let Some(before) = before {
            assert_ne!(processor(), Some(here));
            allow(before);
        }
        assert_eq!(sched_getaffinity(None).unwrap(), allowed);
    }

    #[test]
    fn a_processor_that_was_not_allowed_is_nothing_to_give_back() {
        let never = core::iter::once(u32::MAX);
        assert!(forbid(this_thread().unwrap(), never).is_none());
    }
}
