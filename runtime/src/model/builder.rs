//! How far a model is searched.

use super::{Failure, Report, search};
use core::future::Future;
use core::panic::Location;
use core::time::Duration;

/// Says how far to search a model.
///
/// Each number has a bound of its own search: what does not concern the one that is built in is ignored.
///
/// ```
/// use weftwork::model::Builder;
///
/// let report = Builder::new().preemptions(3).schedules(200).check(|| async {
///     weftwork::task::yield_now().await;
/// });
/// assert!(report.unwrap().executions() >= 1);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until check()"]
pub struct Builder {
    pub(super) preemptions: Option<usize>,
    pub(super) max_branches: usize,
    pub(super) max_duration: Option<Duration>,
    pub(super) schedules: u64,
    pub(super) seed: Option<u64>,
    pub(super) workers: usize,
    pub(super) blocking_threads: usize,
}

impl Builder {
    /// Two workers, a thread for closures that block, two preemptions under loom, and 2 000 schedules under shuttle.
    pub fn new() -> Self {
        Self {
            preemptions: Some(2),
            max_branches: 50_000,
            max_duration: None,
            schedules: 2_000,
            seed: None,
            workers: 2,
            blocking_threads: 1,
        }
    }

    /// How often a worker is interrupted in one execution at most, under loom. Nearly all known bugs show at 2; each more multiplies the
    /// executions. `WEFTWORK_MODEL_PREEMPTIONS` overrides it, 0 for no bound.
    pub fn preemptions(mut self, most: usize) -> Self {
        self.preemptions = Some(most);
        self
    }

    /// Every order there is, under loom: for the smallest bodies.
    pub fn unbounded(mut self) -> Self {
        self.preemptions = None;
        self
    }

    /// How many operations an execution may have under loom (50 000); a body that needs more is too large, or waits in a loop.
    pub fn max_branches(mut self, most: usize) -> Self {
        self.max_branches = most;
        self
    }

    /// The search stops after about so long, and [says](Report::is_complete) that it did. An execution is never cut short.
    pub fn max_duration(mut self, most: Duration) -> Self {
        self.max_duration = Some(most);
        self
    }

    /// How many schedules shuttle draws, half of them at random and half by priorities that change three times (PCT). A plain build runs
    /// the body at most 32 times, and as often as this says if that is less. `WEFTWORK_MODEL_SCHEDULES` overrides it.
    pub fn schedules(mut self, schedules: u64) -> Self {
        self.schedules = schedules;
        self
    }

    /// What orders are drawn from under shuttle and in a plain build, instead of what the system gives; `WEFTWORK_SEED` overrides it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How many threads poll, under loom and shuttle.
    ///
    /// # Panics
    /// If it is 0, or more than 3: loom has five threads, one of them starts the others and one is for closures that block.
    pub fn workers(mut self, workers: usize) -> Self {
        assert!((1..=3).contains(&workers), "a model has 1, 2 or 3 workers, and not {workers}");
        self.workers = workers;
        self
    }

    /// How many closures of `to_thread` run at once, under loom and shuttle.
    ///
    /// # Panics
    /// If it is 0, or more than 3.
    pub fn blocking_threads(mut self, threads: usize) -> Self {
        assert!((1..=3).contains(&threads), "a model has 1, 2 or 3 threads for closures that block, and not {threads}");
        self.blocking_threads = threads;
        self
    }

    /// Searches.
    ///
    /// # Errors
    /// Some order fails.
    ///
    /// # Panics
    /// Inside of a runtime or another model, and if a variable of the environment holds no number.
    #[track_caller]
    pub fn check<F, B>(mut self, body: B) -> Result<Report, Failure>
    where
        F: Future<Output = ()> + 'static,
        B: Fn() -> F + Send + Sync + 'static,
    {
        if let Some(preemptions) = number("WEFTWORK_MODEL_PREEMPTIONS") {
            self.preemptions = usize::try_from(preemptions).ok().filter(|bound| *bound > 0);
        }
        self.schedules = number("WEFTWORK_MODEL_SCHEDULES").unwrap_or(self.schedules);
        self.seed = number("WEFTWORK_SEED").or(self.seed);
        search::search(self, body, Location::caller())
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

#[track_caller]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.trim().parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable} is {text:?}, but has to be a number"),
    }
}
