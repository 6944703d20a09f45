//! What can be chosen about a runtime, and how it is put together.

use super::{OnCtrlC, RunError, Runtime, drive, kept};
use crate::observe::events;
use crate::observe::unhandled::{Hook, Unhandled};
use crate::platform::clock::Clock;
use crate::reactor::{Backend, Reactor};
use crate::scheduler::coarse::Coarse;
use crate::scheduler::idle::Idle;
use crate::scheduler::queue::Injector;
use crate::scheduler::slot::Slot;
use crate::scheduler::spares::Spares;
use crate::scheduler::wind_down::WindDown;
use crate::scheduler::{Config, Core, Gate, Keeper, Outside, Stats, shutdown, watchdog};
use crate::task::TaskInfo;
use crate::task::birth::{self, TaskHook};
use crate::task::owned::OwnedList;
use crate::time::timers::Timers;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::time::Duration;
use crossbeam_utils::CachePadded;
use std::io;
use weftwork_blocking::ThreadPool;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared};

/// Spares beyond the workers, unless told otherwise.
const SPARES: usize = 16;
/// What tasks have for their clean-up, unless told otherwise: as a supervisor's child in Erlang, and a phase of Akka's shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// Builds a runtime.
///
/// What is not set has the defaults of the environment: a worker per core, or `WEFTWORK_WORKERS`; epoll on Linux, or what
/// `WEFTWORK_REACTOR` says (`epoll` or `polling`); debug mode where `WEFTWORK_DEBUG` is `1`.
///
/// tokio's counterpart is `tokio::runtime::Builder`.
///
/// ```
/// let runtime = weftwork::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("web").build().unwrap();
/// assert_eq!(runtime.block_on(async { 1 }), 1);
/// ```
#[must_use = "a builder does nothing until build() or run()"]
pub struct Builder {
    multi: bool,
    workers: Option<usize>,
    spares: usize,
    thread_name: String,
    backend: Option<Backend>,
    limits: watchdog::Limits,
    blocking_threads: usize,
    blocking_keep_alive: Duration,
    clock: Clock,
    grace: Duration,
    on_ctrl_c: OnCtrlC,
    seed: Option<u64>,
    on_unhandled: Option<Box<Hook>>,
    debug: Option<bool>,
    on_spawn: Option<Box<TaskHook>>,
    on_complete: Option<Box<TaskHook>>,
    on_thread_start: Option<Box<dyn Fn() + Send + Sync>>,
    on_thread_stop: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Builder {
    /// A runtime whose tasks run on several threads.
    pub fn new_multi_thread() -> Self {
        Self::new(true)
    }

    /// A runtime whose tasks run, first in first out, on the thread that is inside `block_on`.
    pub fn new_current_thread() -> Self {
        Self::new(false)
    }

    fn new(multi: bool) -> Self {
        Self {
            multi,
            workers: None,
            spares: SPARES,
            thread_name: "weftwork".into(),
            backend: None,
            limits: watchdog::Limits::default(),
            blocking_threads: 512,
            blocking_keep_alive: Duration::from_secs(10),
            clock: Clock::Real,
            grace: GRACE,
            on_ctrl_c: OnCtrlC::LeaveAlone,
            seed: None,
            on_unhandled: None,
            debug: None,
            on_spawn: None,
            on_complete: None,
            on_thread_start: None,
            on_thread_stop: None,
        }
    }

    /// How many workers a multi-thread runtime has; a current-thread runtime has one whatever is said here.
    ///
    /// # Panics
    /// If it is 0.
    pub fn worker_threads(mut self, workers: usize) -> Self {
        assert!(workers > 0, "a runtime needs at least one worker");
        self.workers = Some(workers);
        self
    }

    /// How many spare workers may stand in for blocked ones at the same time (16).
    pub fn max_spare_threads(mut self, spares: usize) -> Self {
        self.spares = spares;
        self
    }

    /// What the threads' names begin with (`weftwork`).
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = name.into();
        self
    }

    /// What waits for sockets.
    pub fn reactor(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Whether blocked workers are looked for at all (yes). Without it a poll that blocks strands what is queued behind it.
    pub fn watchdog(mut self, enabled: bool) -> Self {
        self.limits.enabled = enabled;
        self
    }

    /// A poll longer than this is reported (100 ms, as asyncio's `slow_callback_duration`).
    #[doc(alias = "slow_callback_duration")]
    pub fn slow_poll(mut self, bound: Duration) -> Self {
        self.limits.report_after = bound;
        self
    }

    /// How many threads the blocking pool may have (512).
    pub fn max_blocking_threads(mut self, threads: usize) -> Self {
        self.blocking_threads = threads;
        self
    }

    /// How long a blocking thread waits for its next job before it ends (10 s).
    pub fn thread_keep_alive(mut self, keep_alive: Duration) -> Self {
        self.blocking_keep_alive = keep_alive;
        self
    }

    /// What tasks have for their clean-up when a run ends (5 s, as the children of Erlang's supervisors): from the cancellation on,
    /// by the runtime's clock. What has not ended then is dropped where it waits, and reported as
    /// [`CutOff`](super::UnhandledKind::CutOff). With zero, tasks are dropped where they wait at once.
    ///
    /// It is a bound, not a delay: a run is over as soon as its tasks are.
    ///
    /// asyncio's `run` and trio's wait for ever, tokio's runtime not at all.
    ///
    /// ```
    /// use weftwork::runtime::Builder;
    /// use weftwork::scope::{cancellable, cleanup};
    /// use weftwork::time::{Duration, sleep};
    ///
    /// let (tell, told) = std::sync::mpsc::channel();
    /// Builder::new_current_thread()
    ///     .shutdown_grace(Duration::from_secs(1))
    ///     .run(async {
    ///         weftwork::spawn(async move {
    ///             let _ = cancellable(std::future::pending::<()>()).await;
    ///             let _ = cleanup(Duration::from_millis(500), sleep(Duration::from_millis(1))).await;
    ///             tell.send("clean").unwrap();
    ///         })
    ///         .detach();
    ///         weftwork::task::yield_now().await;
    ///     })
    ///     .unwrap();
    /// assert_eq!(told.recv(), Ok("clean"));
    /// ```
    pub fn shutdown_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Told of what ended badly and nobody will read; without it, it is a line on stderr, or an event of `tracing` where the
    /// feature of that name is on and a subscriber is set.
    #[doc(alias("set_exception_handler", "unhandled_panic"))]
    pub fn on_unhandled(mut self, hook: impl Fn(&Unhandled<'_>) + Send + Sync + 'static) -> Self {
        self.on_unhandled = Some(Box::new(hook));
        self
    }

    /// Called on each worker thread as it starts.
    pub fn on_thread_start(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_start = Some(Box::new(hook));
        self
    }

    /// Called on each worker thread as it ends.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_stop = Some(Box::new(hook));
        self
    }

    /// Whether more is noted of each task: who spawned it, what it waits for, how long its polls take (no, or what `WEFTWORK_DEBUG`
    /// says: `1` or `0`). And [`on_unhandled`](Self::on_unhandled) hears of what was forgotten: tasks, and calls of `to_thread`, that never
    /// ran, resources that nobody closed.
    ///
    /// It costs an allocation for each task and two looks at the clock for each poll. asyncio's counterpart is its debug mode,
    /// `PYTHONASYNCIODEBUG`.
    ///
    /// ```
    /// use weftwork::runtime::Builder;
    /// let main = Builder::new_current_thread().debug(true).run(async { weftwork::task::current().unwrap() });
    /// assert!(main.unwrap().busy.is_some());
    /// ```
    #[doc(alias("set_debug", "PYTHONASYNCIODEBUG"))]
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = Some(debug);
        self
    }

    /// Called for each new task, by whoever spawns it, before it can run; a panic in it is reported and ends there.
    ///
    /// asyncio's counterpart is `set_task_factory`, tokio's is `on_task_spawn`.
    ///
    /// ```
    /// use weftwork::runtime::Builder;
    /// let names = |task: &weftwork::task::TaskInfo| println!("new: {task}");
    /// Builder::new_current_thread().on_task_spawn(names).run(async {}).unwrap();
    /// ```
    #[doc(alias = "set_task_factory")]
    pub fn on_task_spawn(mut self, hook: impl Fn(&TaskInfo) + Send + Sync + 'static) -> Self {
        self.on_spawn = Some(Box::new(hook));
        self
    }

    /// Called for each task that has ended, however it did, before its handle knows; a panic in it is reported and ends there.
    ///
    /// tokio's counterpart is `on_task_terminate`.
    #[doc(alias = "on_task_terminate")]
    pub fn on_task_complete(mut self, hook: impl Fn(&TaskInfo) + Send + Sync + 'static) -> Self {
        self.on_complete = Some(Box::new(hook));
        self
    }

    /// The runtime's time stands still until a test moves it.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: &crate::testing::ManualClock) -> Self {
        self.clock = clock.to_clock();
        self
    }

    /// The runtime's time is virtual: it stands still while anything can run, and then jumps to the next timer.
    ///
    /// What keeps it from jumping: a task that is ready or being polled, a closure of `to_thread` or `run_in_executor`, a thread that polls in
    /// `block_on`, and a [`hold`](crate::testing::ManualClock::hold). Other threads are not seen.
    ///
    /// The same as [`clock`](Self::clock) with a [`ManualClock::jumping`](crate::testing::ManualClock::jumping).
    ///
    /// ```
    /// use weftwork::runtime::Builder;
    /// use weftwork::time::Duration;
    ///
    /// let a_year = Duration::from_secs(365 * 86_400);
    /// Builder::new_multi_thread().virtual_clock().run(weftwork::sleep(a_year)).unwrap();
    /// ```
    #[doc(alias("autojump_clock", "start_paused"))]
    #[cfg(feature = "testing")]
    pub fn virtual_clock(self) -> Self {
        self.clock(&crate::testing::ManualClock::jumping())
    }

    /// The ready tasks of a current-thread runtime run in an order that is drawn from this number, one at a time, instead of
    /// first in, first out: the same number gives the same order, another one another. A multi-thread runtime does not look at
    /// it.
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use weftwork::runtime::Builder;
    ///
    /// static ORDER: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    ///
    /// let order = |seed| {
    ///     let all = (0..9).map(|n| async move { ORDER.lock().unwrap().push(n) });
    ///     Builder::new_current_thread().seed(seed).run(weftwork::gather(all)).unwrap();
    ///     std::mem::take(&mut *ORDER.lock().unwrap())
    /// };
    /// assert_eq!(order(1), order(1));
    /// assert_ne!(order(1), order(2));
    /// ```
    #[cfg(feature = "testing")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the runtime and, for a multi-thread one, starts its workers.
    ///
    /// # Errors
    /// The system refused a thread or the reactor's descriptor; or the environment asks for something impossible.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let core = self.assemble()?;
        let runtime = Runtime::from_core(core.clone());
        let first = if core.config.multi { 0 } else { core.config.workers };
        start_threads(&core, first)?;
        Ok(runtime)
    }

    /// What Ctrl-C does to a [`run`](Self::run), and to a [`Runtime::run`] ([`OnCtrlC::LeaveAlone`]; [`weftwork::run`](crate::run) and `#[weftwork::main]`, which are
    /// for whole programs, say [`OnCtrlC::CancelMain`]).
    ///
    /// ```no_run
    /// use weftwork::runtime::{Builder, OnCtrlC, RunError};
    ///
    /// let ended = Builder::new_current_thread().ctrl_c(OnCtrlC::CancelMain).run(std::future::pending::<()>());
    /// // The user pressed Ctrl-C.
    /// assert!(matches!(ended, Err(RunError::Interrupted)));
    /// ```
    pub fn ctrl_c(mut self, policy: OnCtrlC) -> Self {
        self.on_ctrl_c = policy;
        self
    }

    /// Builds the runtime with the calling thread as its first worker, runs `future` to its end, has the tasks that are left end and
    /// clean up ([`shutdown_grace`](Self::shutdown_grace)), and ends the runtime.
    ///
    /// # Errors
    /// As [`build`](Self::build); and the main future was cancelled, by Ctrl-C if [that is said](Self::ctrl_c) or by something else. A
    /// value that it returns all the same is its value.
    ///
    /// # Panics
    /// Inside of a runtime, and if the future panics.
    #[track_caller]
    pub fn run<F: Future>(self, future: F) -> Result<F::Output, RunError> {
        let location = Location::caller();
        drive::assert_outside();
        let core = self.assemble()?;
        let runtime = Runtime::from_core(core.clone());
        // The calling thread is worker 0.
        start_threads(&core, 1)?;
        let (running, press) = kept::interrupts(&core)?;
        let outcome = drive::run(&core, future, location, running.as_ref(), press);
        drop(runtime);
        drop(running);
        outcome.map_err(RunError::of_main)
    }

    /// As [`run`](Self::run), for the main function of a program: after a Ctrl-C that cancelled the main future it ends the process with
    /// 130, which is what a shell says of a program that Ctrl-C ended, once everything has cleaned up.
    ///
    /// # Panics
    /// As [`run`](Self::run), and instead of its other errors.
    #[track_caller]
    pub fn run_main<F: Future>(self, future: F) -> F::Output {
        match self.run(future) {
            Ok(output) => output,
            Err(RunError::Interrupted) => std::process::exit(130),
            Err(RunError::Build(error)) => panic!("weftwork could not start its runtime: {error}"),
            Err(error @ RunError::Cancelled(_)) => panic!("{error}"),
        }
    }

    /// On that clock, in an order that is drawn or the usual one, whatever the environment says of orders.
    #[allow(dead_code, reason = "models that are searched have cores of their own")]
    pub(crate) fn for_model(self, clock: Clock, seed: Option<u64>) -> Self {
        Self { clock, seed, ..self }
    }

    /// Puts the runtime together without starting a thread.
    pub(crate) fn assemble(self) -> Result<Shared<Core>, BuildError> {
        let workers = if self.multi { self.workers.map_or_else(workers_from_environment, Ok)? } else { 1 };
        let backend = self.backend.map_or_else(backend_from_environment, Ok)?;
        let spares = if self.multi { self.spares } else { 0 };
        let debug = self.debug.map_or_else(debug_from_environment, Ok)?;
        if debug || self.on_spawn.is_some() || self.on_complete.is_some() {
            birth::attend_from_now_on();
        }
        let clock = self.clock;
        let pool = ThreadPool::builder()
            .max_threads(self.blocking_threads)
            .keep_alive(self.blocking_keep_alive)
            .thread_name(format!("{}-blocking", self.thread_name));
        let pool = events::tell_of_refused_threads(pool).build();
        let timers = || Timers::new(clock.clone());
        let core = Shared::new(Core {
            slots: (0..workers + spares).map(|_| CachePadded::new(Slot::new(timers()))).collect(),
            coarse: Coarse::default(),
            injector: Injector::new(),
            idle: Idle::new(workers + spares, workers),
            outside: Mutex::new(Outside { owned: OwnedList::new(), gate: Gate::Open }),
            outside_timers: timers(),
            keeper: Keeper {
                seat: Mutex::new(()),
                slot: AtomicUsize::new(0),
                deadline: AtomicU64::new(0),
                entrusted: Counter::new(0),
            },
            reactor: Some(Reactor::new(backend).map_err(BuildError::Reactor)?),
            stopping: AtomicBool::new(false),
            watchdog: watchdog::Watchdog::new(),
            spares: Spares::new(spares),
            exits: Shared::new(shutdown::Exits::default()),
            pool,
            home: Mutex::new(None),
            stats: Stats::default(),
            process: crate::platform::process_id(),
            driven: AtomicBool::new(false),
            wind_down: WindDown::new(),
            jumps: clock.jumps().then(|| crate::scheduler::jumps::Jumps::new(workers + spares)),
            forever: weftwork_sync::Notify::new(),
            config: Config {
                workers,
                multi: self.multi,
                watchdog: self.limits,
                thread_name: self.thread_name.into_boxed_str(),
                on_unhandled: self.on_unhandled,
                debug,
                on_spawn: self.on_spawn,
                on_complete: self.on_complete,
                on_thread_start: self.on_thread_start,
                on_thread_stop: self.on_thread_stop,
                clock,
                on_ctrl_c: self.on_ctrl_c,
                grace: self.grace,
                seed: self.seed,
            },
        });
        core.stats.wake_cost.set(crate::scheduler::sleep::WAKE_COST);
        crate::observe::live::register(&core);
        if let Clock::Manual(time) = &core.config.clock {
            let weak = Shared::downgrade(&core);
            time.attach(move || weak.upgrade().map(|core| core.nudge_all()).is_some());
        }
        Ok(core)
    }
}

/// Starts the workers from `first` on, and the watchdog. Where the system refuses one, dropping the runtime ends those that
/// started.
fn start_threads(core: &Shared<Core>, first: usize) -> Result<(), BuildError> {
    watchdog::start(core).map_err(BuildError::Thread)?;
    for slot in first..core.config.workers {
        shutdown::start_worker(core, slot).map_err(BuildError::Thread)?;
    }
    events::runtime_built(core);
    Ok(())
}

fn workers_from_environment() -> Result<usize, BuildError> {
    match std::env::var("WEFTWORK_WORKERS") {
        Err(_) => Ok(num_cpus::get()),
        Ok(text) => match text.trim().parse::<usize>() {
            Ok(workers) if (1..=1024).contains(&workers) => Ok(workers),
            _ => Err(BuildError::Environment {
                name: "WEFTWORK_WORKERS",
                value: text,
                wanted: "a number from 1 to 1024",
            }),
        },
    }
}

fn debug_from_environment() -> Result<bool, BuildError> {
    match std::env::var("WEFTWORK_DEBUG") {
        Err(_) => Ok(false),
        Ok(text) => match text.as_str() {
            "" | "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(BuildError::Environment { name: "WEFTWORK_DEBUG", value: text, wanted: "`0` or `1`" }),
        },
    }
}

fn backend_from_environment() -> Result<Backend, BuildError> {
    match std::env::var("WEFTWORK_REACTOR") {
        Err(_) => Ok(Backend::Default),
        Ok(text) => match text.as_str() {
            "" | "default" => Ok(Backend::Default),
            "epoll" => Ok(Backend::Epoll),
            "polling" | "portable" => Ok(Backend::Portable),
            _ => Err(BuildError::Environment { name: "WEFTWORK_REACTOR", value: text, wanted: "`epoll` or `polling`" }),
        },
    }
}

/// Why a runtime could not be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The system refused a thread.
    Thread(io::Error),
    /// The system refused the reactor.
    Reactor(io::Error),
    /// The handler of Ctrl-C could not be installed.
    Signals(io::Error),
    /// A variable of the environment asks for something that cannot be.
    Environment {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        wanted: &'static str,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(error) => {
                write!(f, "the system refused a thread ({error}): raise the limit on threads, or ask for fewer workers")
            }
            Self::Reactor(error) => {
                write!(f, "the reactor could not be opened ({error}): raise the limit on open files, or close some")
            }
            Self::Signals(error) => {
                write!(
                    f,
                    "Ctrl-C could not be listened for ({error}): raise the limit on open files, or leave it alone"
                )
            }
            Self::Environment { name, value, wanted } => write!(f, "{name} is {value:?}, but has to be {wanted}"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) | Self::Reactor(error) | Self::Signals(error) => Some(error),
            Self::Environment { .. } => None,
        }
    }
}

impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        let kind = match &error {
            BuildError::Thread(error) | BuildError::Reactor(error) | BuildError::Signals(error) => error.kind(),
            BuildError::Environment { .. } => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &if self.multi { "multi_thread" } else { "current_thread" })
            .field("workers", &self.workers)
            .field("spares", &self.spares)
            .field("thread_name", &self.thread_name)
            .finish_non_exhaustive()
    }
}
