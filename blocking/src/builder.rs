//! How a pool is made.

use crate::books::Limits;
use crate::pool::ThreadPool;
use crate::roster::Roster;
use crate::worker::{Core, Hook, Naming, Starter};
use core::fmt;
use std::io;
use std::num::NonZero;
use std::time::Duration;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::unmodelled::Counter;

/// When a pool grows.
///
/// Up to `eager` jobs run at once without further questions. Beyond that, a job begins on another thread once it has
/// waited for a whole `period`: `step` jobs in one period, and twice as many in each further one while jobs keep waiting.
/// A thread that has been inside one job for a whole period no longer counts among the `eager`. So a burst of short jobs
/// is run by a few hot threads, and jobs that block get a thread each: while the pool may grow, a job with n jobs before
/// it waits two periods and log2(n / `step`) more at most, and for the starts of that many threads.
///
/// ```
/// use weftwork_blocking::{Growth, ThreadPool};
///
/// let mut growth = Growth::default();
/// growth.eager = 64; // jobs that all wait for the same slow disk
/// let pool = ThreadPool::builder().growth(growth).build();
/// # pool.submit(|| ()).wait().unwrap();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Growth {
    /// Jobs that run at once whatever their age. Default: twice the number of cores, and at least 4.
    pub eager: usize,
    /// The age from which a job counts as waiting too long. Default: 1 ms.
    pub period: Duration,
    /// Jobs that may begin by age in the first period. Default: as `eager`.
    pub step: usize,
}

impl Default for Growth {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let eager = (2 * cores).max(4);
        Self { eager, period: Duration::from_millis(1), step: eager }
    }
}

/// Makes a [`ThreadPool`].
///
/// ```
/// use std::time::Duration;
/// use weftwork_blocking::ThreadPool;
///
/// let pool = ThreadPool::builder()
///     .max_threads(8)
///     .keep_alive(Duration::from_secs(1))
///     .thread_name("thumbnails")
///     .build();
/// assert_eq!(pool.submit(|| std::thread::current().name().map(str::to_owned)).wait().unwrap().unwrap(), "thumbnails-0");
/// ```
#[must_use = "call build to make the pool"]
pub struct Builder {
    max_threads: usize,
    keep_alive: Duration,
    queue_capacity: usize,
    growth: Option<Growth>,
    naming: Naming,
    on_start: Option<Hook>,
    on_stop: Option<Hook>,
    starter: Option<Starter>,
}

impl Builder {
    /// At most 512 threads, none to begin with, idle ones leave after 10 s; the queue is unbounded.
    pub fn new() -> Self {
        Self {
            max_threads: 512,
            keep_alive: Duration::from_secs(10),
            queue_capacity: usize::MAX,
            growth: None,
            naming: Box::new(|n| format!("weft-blocking-{n}")),
            on_start: None,
            on_stop: None,
            starter: None,
        }
    }

    /// Threads at most; 0 counts as 1.
    #[doc(alias("max_blocking_threads", "max_workers"))]
    pub fn max_threads(mut self, threads: usize) -> Self {
        self.max_threads = threads.max(1);
        self
    }

    /// How long a thread without work stays. With zero it leaves at once.
    #[doc(alias = "thread_keep_alive")]
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// Jobs at most that no thread has taken yet; 0 counts as 1. Beyond it, a job's handle gives
    /// [`OffloadError::QueueFull`](crate::OffloadError::QueueFull).
    pub fn queue_capacity(mut self, jobs: usize) -> Self {
        self.queue_capacity = jobs.max(1);
        self
    }

    /// When the pool grows; see [`Growth`].
    pub fn growth(mut self, growth: Growth) -> Self {
        self.growth = Some(growth);
        self
    }

    /// Threads are called `prefix-0`, `prefix-1` and so on.
    #[doc(alias = "thread_name_prefix")]
    pub fn thread_name(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.thread_name_fn(move |n| format!("{prefix}-{n}"))
    }

    /// The n-th thread, counted from 0, is called `name(n)`.
    pub fn thread_name_fn(mut self, name: impl Fn(u64) -> String + Send + Sync + 'static) -> Self {
        self.naming = Box::new(name);
        self
    }

    /// Runs on each thread before its first job. A panic in it is contained.
    #[doc(alias = "initializer")]
    pub fn on_thread_start(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_start = Some(Box::new(hook));
        self
    }

    /// Runs on each thread after its last job. A panic in it is contained.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_stop = Some(Box::new(hook));
        self
    }

    /// Starts threads in the caller's own way: with a larger stack, a priority, or not at all (an error is what the
    /// system's refusal would be). The handler gets the thread's name and what it has to run there, exactly once; if it
    /// says `Ok` and never runs it, jobs wait for that thread for ever.
    ///
    /// ```
    /// use weftwork_blocking::ThreadPool;
    ///
    /// let pool = ThreadPool::builder()
    ///     .spawn_handler(|name, body| {
    ///         std::thread::Builder::new().name(name).stack_size(16 << 20).spawn(body).map(drop)
    ///     })
    ///     .build();
    /// pool.submit(|| std::hint::black_box([0u8; 3 << 20]).len()).wait().unwrap();
    /// ```
    pub fn spawn_handler(
        mut self,
        start: impl Fn(String, Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.starter = Some(Box::new(start));
        self
    }

    /// Makes the pool. It starts no thread.
    #[must_use]
    pub fn build(self) -> ThreadPool {
        let growth = self.growth.unwrap_or_default();
        let limits = Limits {
            cap: self.max_threads,
            eager: growth.eager.max(1),
            period: growth.period,
            step: growth.step.max(1),
            keep_alive: self.keep_alive,
            capacity: self.queue_capacity,
        };
        ThreadPool::from_core(Shared::new(Core {
            roster: Roster::new(limits),
            on_start: self.on_start,
            on_stop: self.on_stop,
            naming: self.naming,
            starter: self.starter,
            started: Counter::new(0),
        }))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("max_threads", &self.max_threads)
            .field("keep_alive", &self.keep_alive)
            .field("queue_capacity", &self.queue_capacity)
            .field("growth", &self.growth)
            .finish_non_exhaustive()
    }
}
