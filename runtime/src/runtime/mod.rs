//! The runtime as a whole: built, entered, driven, ended.
//!
//! | file | holds |
//! |---|---|
//! | `builder.rs` | what can be chosen, and how it is put together |
//! | `handle.rs` | a reference to a runtime from anywhere |
//! | `calls.rs` | plain functions that a runtime calls soon, or when their time has come |
//! | `from_thread.rs` | calling into a runtime from threads that are none of its workers |
//! | `drive.rs` | running a main future on the calling thread, and having all others end |
//! | `idle_clock.rs` | the manual clock while a run ends |
//! | `outcome.rs` | how a run ends that has no value, and what Ctrl-C has to do with that |
//! | `kept.rs` | runs on a runtime that is kept |
//! | `fork.rs` | noticing that the process forked |

mod builder;
mod calls;
mod drive;
pub(crate) mod fork;
mod from_thread;
mod handle;
#[cfg(not(all(feature = "signal", unix)))]
#[path = "interrupts_none.rs"]
mod interrupts;
mod kept;
mod outcome;
#[cfg(all(feature = "signal", unix))]
use crate::signal::policy as interrupts;
#[cfg(feature = "testing")]
mod idle_clock;
#[cfg(not(feature = "testing"))]
#[path = "idle_clock_none.rs"]
mod idle_clock;

pub use crate::observe::metrics::{Metrics, WorkerMetrics};
pub use crate::observe::tasks::TaskTree;
pub use crate::observe::unhandled::{Unhandled, UnhandledKind};
pub use crate::reactor::Backend as ReactorBackend;
pub use crate::scheduler::shutdown::ShutdownError;
pub use builder::{BuildError, Builder};
pub use calls::{CallHandle, TimerHandle};
pub use from_thread::FromThreadError;
pub use handle::{EnterGuard, Handle, TryCurrentError};
pub use outcome::{OnCtrlC, RunError};

use crate::scheduler::Core;
use crate::task::{JoinHandle, TaskInfo};
use core::future::Future;
use core::panic::Location;
use core::time::Duration;
use weftwork_sync::primitive::{Shared, thread};

/// A runtime: its workers, timers, reactor and blocking pool.
///
/// A multi-thread runtime runs its tasks as soon as it is built. A current-thread runtime runs them while some thread is
/// inside [`block_on`](Self::block_on).
///
/// Dropping it shuts it down, drops its tasks where they wait, and waits for 10 seconds at most for threads that are still inside a
/// poll; dropped inside one of its own tasks it does not wait at all. [`shutdown_timeout`](Self::shutdown_timeout) says what was
/// left behind, [`shutdown`](Self::shutdown) has the tasks clean up first.
///
/// asyncio's counterparts are the event loop and `asyncio.Runner`, tokio's is `tokio::runtime::Runtime`.
///
/// ```
/// let runtime = weftwork::Runtime::new().unwrap();
/// let handle = runtime.spawn(async { 1 + 1 });
/// assert_eq!(runtime.block_on(handle).unwrap(), 2);
/// ```
#[doc(alias("Runner", "loop"))]
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    ended: bool,
}

/// How long a dropped runtime waits for threads that are inside a poll.
const DROP_PATIENCE: Duration = Duration::from_secs(10);

impl Runtime {
    /// A multi-thread runtime with a worker per core.
    ///
    /// # Errors
    /// The system refused a thread or the reactor's descriptor.
    pub fn new() -> Result<Self, BuildError> {
        Builder::new_multi_thread().build()
    }

    pub(crate) fn from_core(core: Shared<Core>) -> Self {
        Self { handle: Handle::from_core(core), ended: false }
    }

    /// Runs a future to its end on the calling thread.
    ///
    /// On a current-thread runtime the calling thread runs the runtime's tasks meanwhile.
    ///
    /// # Panics
    /// Inside of a runtime, because it would block a worker; if the future panics; and on a current-thread runtime that
    /// another thread is driving, or that has local tasks of another thread.
    #[doc(alias = "run_until_complete")]
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        drive::block_on(self.handle.core(), future, Location::caller())
    }

    /// Blocks the calling thread until somebody calls [`Handle::stop`]; on a current-thread runtime it runs the tasks meanwhile.
    ///
    /// A stop that was asked for before lets it run what is ready and return. Afterwards the runtime goes on as after
    /// [`block_on`](Self::block_on): both can be called again and again, and tasks and what they hold stay in between.
    ///
    /// # Panics
    /// As [`block_on`](Self::block_on).
    ///
    /// asyncio's counterpart is `loop.run_forever`; tokio has none.
    ///
    /// ```
    /// let runtime = weftwork::runtime::Builder::new_current_thread().build().unwrap();
    /// let handle = runtime.handle().clone();
    /// runtime.spawn(async move { handle.stop() }).detach();
    /// runtime.run_forever();
    /// ```
    #[track_caller]
    pub fn run_forever(&self) {
        let core = self.handle.core();
        let stopped = async {
            // What is ready has its turn, also after a stop that came before.
            crate::task::yield_now().await;
            core.forever.notified().await;
        };
        drive::block_on(core, stopped, Location::caller());
    }

    /// Starts a task on this runtime; otherwise as [`weftwork::spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// A reference to this runtime that can be cloned and sent.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes this the calling thread's current runtime until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// What the runtime counts.
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
    }

    /// What is known of the tasks that have not ended; see [`Handle::tasks`].
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.handle.tasks()
    }

    /// Ends the runtime in order: cancels every task with the cause `Shutdown`, waits until they have cleaned up, for the
    /// [grace](Builder::shutdown_grace) at most, and then does what [`shutdown_timeout`](Self::shutdown_timeout) does with 10 seconds.
    ///
    /// Inside one of its own tasks it waits for nothing.
    ///
    /// asyncio's counterpart is `Runner.close`.
    ///
    /// # Errors
    /// Names what had not cleaned up when the grace was over, and what a thread is still inside of.
    ///
    /// ```
    /// use weftwork::scope::finally;
    /// use weftwork::time::Duration;
    ///
    /// let runtime = weftwork::Runtime::new().unwrap();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// runtime.block_on(async {
    ///     let (begin, begun) = weftwork::sync::oneshot::channel();
    ///     let work = async move {
    ///         begin.send(()).unwrap();
    ///         std::future::pending::<()>().await;
    ///     };
    ///     let clean = async move || tell.send("clean").unwrap();
    ///     weftwork::spawn(finally(work, Duration::from_secs(1), clean)).detach();
    ///     begun.await.unwrap();
    /// });
    /// runtime.shutdown().unwrap();
    /// assert_eq!(told.recv(), Ok("clean"));
    /// ```
    #[doc(alias("close", "aclose"))]
    #[track_caller]
    pub fn shutdown(mut self) -> Result<(), ShutdownError> {
        self.ended = true;
        let core = self.handle.core();
        drive::end_tasks(core, Location::caller());
        self.end(Some(DROP_PATIENCE))
    }

    /// Ends the runtime at once: stops its threads, drops every task where it waits, wakes everybody who waits for its sockets. Waits
    /// for threads that are inside a poll or a blocking call for `timeout` at most.
    ///
    /// [`shutdown`](Self::shutdown) has the tasks clean up first.
    ///
    /// # Errors
    /// Names what a thread is still inside of; that runs on, and everything else has ended.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Result<(), ShutdownError> {
        self.ended = true;
        self.end(Some(timeout))
    }

    /// Ends the runtime without waiting; a thread of its own sees to it.
    pub fn shutdown_background(mut self) {
        self.ended = true;
        self.end_in_background();
    }

    fn end(&self, timeout: Option<Duration>) -> Result<(), ShutdownError> {
        let core = self.handle.core();
        if fork::is_child(core) {
            // The threads live in the parent; waiting for them would never end.
            fork::abandon(core);
            return Ok(());
        }
        if crate::context::sits_in(core) {
            // A worker cannot wait for itself, in block_in_place neither.
            self.end_in_background();
            return Ok(());
        }
        Core::shutdown(core, timeout)
    }

    fn end_in_background(&self) {
        let core = self.handle.core();
        if fork::is_child(core) {
            fork::abandon(core);
            return;
        }
        core.stop();
        let theirs = core.clone();
        let name = format!("{}-shutdown", core.config.thread_name);
        let started = thread::spawn(name, move || {
            let _ = Core::shutdown(&theirs, Some(DROP_PATIENCE));
        });
        if started.is_err() {
            let _ = Core::shutdown(core, Some(Duration::ZERO));
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if !self.ended {
            // What is left behind has been reported; there is nobody to give the error to.
            let _ = self.end(Some(DROP_PATIENCE));
        }
    }
}

/// Runs a future on a new multi-thread runtime, with the calling thread as one of its workers, and ends the runtime.
///
/// The main future stays on the calling thread and need not be `Send`. When it has ended, in whatever way, tasks that still run are
/// cancelled with the cause `Shutdown`, and have 5 seconds to clean up ([`Builder::shutdown_grace`]).
///
/// The first Ctrl-C cancels the main future ([`OnCtrlC::CancelMain`]), because a program that is stopped by hand has things to clean up
/// too. When that is done the process ends with 130, as [`Builder::run_main`] has it; [`Builder::run`] returns an error instead.
///
/// # Panics
/// Inside of a runtime; if the future panics; and if the runtime cannot be built ([`Builder::run`] gives the error
/// instead).
///
/// asyncio's counterpart is `asyncio.run`, tokio's is `#[tokio::main]`.
///
/// ```
/// assert_eq!(weftwork::run(async { 6 * 7 }), 42);
/// ```
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    Builder::new_multi_thread().ctrl_c(OnCtrlC::CancelMain).run_main(future)
}
