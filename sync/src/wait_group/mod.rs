//! Waiting until all who take part are done.
//!
//! The protocol is that of `wait_word.rs`: the word holds how many workers there are, and the last one that goes makes the
//! waking change.

use crate::primitive::Shared;
use crate::wait_count::{WaitCount, is_zero};
use crate::wait_word::Waiting;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A number of workers whose end can be waited for.
///
/// Each [`WaitGroupWorker`] counts while it exists, so nothing can be counted down twice or forgotten: what goes wrong with such a
/// group elsewhere (a count below zero, an `add` that comes after the last `done`) does not compile here. A worker can be
/// made of the group, or cloned of another worker, at any time.
///
/// For tasks whose outcome matters a group of the runtime is better: it hands on errors and cancels.
///
/// # Counterparts
/// Go's `sync.WaitGroup`, crossbeam's `WaitGroup`; tokio-util's `TaskTracker`.
///
/// # Examples
/// ```
/// use weftwork_sync::{WaitGroup, block_on};
///
/// let group = WaitGroup::new();
/// for _ in 0..3 {
///     let worker = group.worker();
///     std::thread::spawn(move || {
///         // ... some work, and then:
///         drop(worker);
///     });
/// }
/// block_on(group.wait());
/// assert_eq!(group.workers(), 0);
/// ```
#[derive(Clone)]
#[doc(alias = "TaskTracker")]
pub struct WaitGroup {
    count: Shared<WaitCount>,
}

impl WaitGroup {
    /// A group without workers.
    ///
    /// # Examples
    /// ```
    /// weftwork_sync::WaitGroup::new().blocking_wait();
    /// ```
    pub fn new() -> Self {
        Self { count: Shared::new(WaitCount::new(0)) }
    }

    /// One more worker, which counts until it is dropped.
    ///
    /// # Counterparts
    /// Go's `WaitGroup.Add(1)`; dropping it is `Done`.
    ///
    /// # Examples
    /// ```
    /// let group = weftwork_sync::WaitGroup::new();
    /// let worker = group.worker();
    /// assert_eq!(group.workers(), 1);
    /// # drop(worker);
    /// ```
    #[doc(alias("add", "token"))]
    pub fn worker(&self) -> WaitGroupWorker {
        self.count.add();
        WaitGroupWorker { count: self.count.clone() }
    }

    /// How many workers there are at this moment.
    ///
    /// # Examples
    /// ```
    /// let group = weftwork_sync::WaitGroup::new();
    /// let worker = group.worker();
    /// let another = worker.clone();
    /// assert_eq!(group.workers(), 2);
    /// # drop((worker, another));
    /// ```
    pub fn workers(&self) -> usize {
        self.count.get()
    }

    /// Waits until there is no worker, which may be so already.
    ///
    /// It completes also if others come in between: then there was a moment without any. What all workers did before they
    /// were dropped is seen after it.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Counterparts
    /// Go's `WaitGroup.Wait`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let group = weftwork_sync::WaitGroup::new();
    /// drop(group.worker());
    /// group.wait().await;
    /// # });
    /// ```
    pub fn wait(&self) -> WaitGroupWait<'_> {
        WaitGroupWait { waiting: Waiting::new(&*self.count) }
    }

    /// Waits until there is no worker, on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and a worker may need that thread.
    ///
    /// # Examples
    /// ```
    /// let group = weftwork_sync::WaitGroup::new();
    /// let worker = group.worker();
    /// std::thread::spawn(move || drop(worker));
    /// group.blocking_wait();
    /// ```
    pub fn blocking_wait(&self) {
        crate::block_on(self.wait());
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = &self.count;
        f.debug_struct("WaitGroup").field("workers", &count.get()).field("waiters", &count.waiting()).finish()
    }
}

/// One who takes part in a [`WaitGroup`]; dropping it says that it is done.
///
/// # Examples
/// ```
/// let group = weftwork_sync::WaitGroup::new();
/// let worker = group.worker();
/// let another = worker.clone();
/// drop(worker);
/// assert_eq!(group.workers(), 1);
/// # drop(another);
/// ```
#[must_use = "a worker that is dropped at once counts for nothing"]
pub struct WaitGroupWorker {
    count: Shared<WaitCount>,
}

impl Clone for WaitGroupWorker {
    fn clone(&self) -> Self {
        self.count.add();
        Self { count: self.count.clone() }
    }
}

impl Drop for WaitGroupWorker {
    fn drop(&mut self) {
        self.count.remove();
    }
}

impl fmt::Debug for WaitGroupWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroupWorker").field("workers", &self.count.get()).finish()
    }
}

/// The future of [`WaitGroup::wait`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct WaitGroupWait<'a> {
    waiting: Waiting<&'a WaitCount>,
}

impl Future for WaitGroupWait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        waiting.poll_as_leaf(cx, "a wait group", is_zero)
    }
}

impl fmt::Debug for WaitGroupWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroupWait").field("phase", &self.waiting).finish_non_exhaustive()
    }
}
