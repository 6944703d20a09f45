//! What a pool says about itself: counters it keeps anyway, read in one piece.

use crate::books::Figures;

/// A pool's counters, all read at one moment.
///
/// ```
/// let pool = weftwork_blocking::ThreadPool::new(2);
/// pool.submit(|| ()).wait().unwrap();
/// assert_eq!(pool.metrics().threads_started(), 1);
/// assert_eq!(pool.metrics().queued(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolMetrics {
    threads: usize,
    idle: usize,
    queued: usize,
    running: usize,
    completed: u64,
    threads_started: u64,
}

impl PoolMetrics {
    pub(crate) fn new(figures: Figures) -> Self {
        Self {
            threads: figures.threads,
            idle: figures.idle,
            queued: figures.queued,
            running: figures.running,
            completed: figures.completed,
            threads_started: figures.started,
        }
    }

    /// Threads, from the decision to start them until their stop hook has run.
    #[doc(alias = "num_blocking_threads")]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Threads that sleep and may be woken for the next job.
    #[doc(alias = "num_idle_blocking_threads")]
    pub fn idle(&self) -> usize {
        self.idle
    }

    /// Jobs that no thread has taken yet, among them those that were cancelled but not yet cleared away.
    #[doc(alias = "blocking_queue_depth")]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Jobs that a thread is inside of.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Jobs that have left their thread since the pool was made, however they ended. A job's handle may be woken before
    /// it is counted here.
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Threads that the pool decided to start since it was made.
    pub fn threads_started(&self) -> u64 {
        self.threads_started
    }
}
