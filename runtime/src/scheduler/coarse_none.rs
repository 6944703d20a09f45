//! Outside of models there is no coarse scheduler: every door into it is passed by.

use super::Core;
use crate::context;
use crate::task::{Runnable, TaskId};
use core::future::Future;
use core::ptr::NonNull;
use weftwork_blocking::{BlockingHandle, JobOptions};
use weftwork_sync::block_on;
use weftwork_sync::primitive::Shared;

/// Nothing.
#[derive(Debug, Default)]
pub(crate) struct Coarse(());

impl Coarse {
    /// Hands the task back.
    #[inline(always)]
    pub(super) fn take(&self, task: Runnable) -> Option<Runnable> {
        Some(task)
    }
}

/// Hands the task back.
#[inline(always)]
pub(super) fn take_from_inside(_core: NonNull<Core>, task: Runnable) -> Option<Runnable> {
    Some(task)
}

/// Calls nobody.
#[inline(always)]
pub(crate) fn with_core<R>(_f: impl FnOnce(&Shared<Core>) -> R) -> Option<R> {
    None
}

/// The current runtime.
#[inline(always)]
pub(crate) fn hold_current() -> Option<Shared<Core>> {
    context::current()
}

#[inline(always)]
pub(crate) fn is_worker() -> bool {
    false
}

#[inline(always)]
pub(crate) fn current_task() -> Option<TaskId> {
    None
}

/// Hands a closure to the pool.
pub(crate) fn submit<F, T>(core: &Shared<Core>, options: JobOptions, call: F) -> BlockingHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    core.pool.submit_with(options, call)
}

/// Runs a future to its end on a thread that is no worker.
pub(super) fn wait_for<F: Future>(_core: &Core, future: F) -> F::Output {
    block_on(future)
}
