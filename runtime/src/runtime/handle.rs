//! A reference to a runtime from anywhere.

use super::{Metrics, fork};
use crate::context;
use crate::scheduler::Core;
use crate::task::{self, JoinHandle};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use weftwork_sync::primitive::Shared;

/// A reference to a runtime, cheap to clone; it does not keep the runtime from being shut down.
///
/// asyncio's counterpart is the running loop, tokio's is `tokio::runtime::Handle`.
///
/// ```
/// let runtime = weftwork::Runtime::new().unwrap();
/// let handle = runtime.handle().clone();
/// let thread = std::thread::spawn(move || handle.block_on(async { 5 }));
/// assert_eq!(thread.join().unwrap(), 5);
/// ```
#[doc(alias = "get_running_loop")]
#[derive(Clone)]
pub struct Handle {
    core: Shared<Core>,
}

impl Handle {
    pub(crate) fn from_core(core: Shared<Core>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Shared<Core> {
        &self.core
    }

    /// The current runtime: that of the task that runs, or the one last entered.
    ///
    /// # Panics
    /// If there is none; [`try_current`](Self::try_current) says so instead.
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// The current runtime.
    ///
    /// # Errors
    /// There is none.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        context::current().map(Self::from_core).ok_or(TryCurrentError(()))
    }

    /// Starts a task on this runtime; otherwise as [`weftwork::spawn`](crate::spawn). After the runtime has shut down the
    /// task is born cancelled.
    ///
    /// # Panics
    /// In a forked child of the process that built the runtime.
    #[doc(alias("call_soon_threadsafe", "run_coroutine_threadsafe"))]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn_on(&self.core, future, Location::caller(), ())
    }

    /// Runs a future to its end on the calling thread, with this as its current runtime.
    ///
    /// The calling thread runs no tasks meanwhile, so on a current-thread runtime somebody else has to drive it.
    ///
    /// # Panics
    /// Inside of a runtime, because it would block a worker; and if the future panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        super::drive::assert_outside();
        fork::assert_parent(&self.core);
        let _entered = context::enter(self.core.clone());
        crate::scope::frame::outside(|| self.core.wait_for(future))
    }

    /// Has [`Runtime::run_forever`](super::Runtime::run_forever) return: the one that has waited longest, or if nobody waits, the next.
    ///
    /// It ends no task and not the runtime. asyncio's counterpart is `loop.stop`.
    pub fn stop(&self) {
        self.core.forever.notify_one();
    }

    /// Makes this the calling thread's current runtime until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard { entered: context::enter(self.core.clone()), handle: PhantomData }
    }

    /// What the runtime counts.
    pub fn metrics(&self) -> Metrics {
        Metrics::of(&self.core)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.core.config;
        f.debug_struct("Handle")
            .field("flavor", &if config.multi { "multi_thread" } else { "current_thread" })
            .field("workers", &config.workers)
            .field("stopping", &self.core.is_stopping())
            .finish()
    }
}

/// Leaves the runtime that was entered when dropped; made by [`Handle::enter`].
///
/// Guards are dropped in the reverse order of their making, on the thread that made them.
#[derive(Debug)]
#[must_use = "the runtime is left when the guard is dropped"]
pub struct EnterGuard<'a> {
    #[allow(dead_code, reason = "held for its drop")]
    entered: context::Entered,
    /// Not Send: the guard belongs to its thread.
    handle: PhantomData<(&'a Handle, *const ())>,
}

/// There is no current runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryCurrentError(());

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(context::NO_RUNTIME)
    }
}

impl std::error::Error for TryCurrentError {}
