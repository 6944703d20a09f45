//! A set of tasks whose outcomes are taken as they come.
//!
//! Each task has, where others have a name, its place in the set. When it has completed, it puts that into the set's queue and calls
//! whoever waits for the next one. The queue and the waker are under one lock, so the protocol is that of any queue: whoever
//! finds it empty leaves a waker before it lets go of the lock, and whoever fills it looks for one.

use super::drain::{Crowd, Drained, drain};
use crate::context;
use crate::scope::leaving::{self, Departing};
use crate::task::cell::{Farewell, Header, Name, drop_payload};
use crate::task::{CancelCause, CancelKind, JoinError, JoinHandle, TaskId, spawn_on};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use slab::Slab;
use std::collections::VecDeque;
use weftwork_sync::coop;
use weftwork_sync::primitive::{Mutex, Shared, contain};

/// A set of tasks whose outcomes are taken in the order in which they end.
///
/// Dropped, it cancels its tasks; they have ended before the task that dropped it does.
///
/// asyncio's counterparts are `asyncio.wait` and `as_completed`, tokio's is `tokio::task::JoinSet`.
///
/// ```
/// weftwork::run(async {
///     let mut set = weftwork::JoinSet::new();
///     for n in 0..4 {
///         set.spawn(async move { n });
///     }
///     let mut sum = 0;
///     while let Some(number) = set.join_next().await {
///         sum += number.unwrap();
///     }
///     assert_eq!(sum, 6);
/// });
/// ```
pub struct JoinSet<T> {
    queue: Shared<Queue>,
    handles: Slab<JoinHandle<T>>,
}

struct Queue(Mutex<Ended>);

#[derive(Default)]
struct Ended {
    keys: VecDeque<usize>,
    waker: Option<Waker>,
}

/// A task's place in a set.
pub(crate) struct Place {
    queue: Shared<Queue>,
    key: usize,
}

impl Name for Place {
    type Farewell = Tell;

    const IS_CHILD: bool = true;

    fn text(&self) -> Option<&str> {
        None
    }

    fn attach(&self, _task: NonNull<Header>) -> Option<CancelCause> {
        None
    }

    fn farewell(&self) -> Tell {
        Tell { queue: self.queue.clone(), key: self.key }
    }
}

/// A task has ended.
pub(crate) struct Tell {
    queue: Shared<Queue>,
    key: usize,
}

impl Farewell for Tell {
    fn say(self, _counted: bool) {
        let waker = {
            let mut ended = self.queue.0.lock();
            ended.keys.push_back(self.key);
            ended.waker.take()
        };
        if let Some(waker) = waker
            && let Err(payload) = contain(|| waker.wake())
        {
            // A waker is foreign code, and the task has ended.
            drop_payload(payload);
        }
    }
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { queue: Shared::new(Queue(Mutex::default())), handles: Slab::new() }
    }

    /// How many outcomes have not been taken.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// The tasks whose outcomes have not been taken.
    pub fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.handles.iter().map(|(_, handle)| handle.id())
    }

    /// Waits for the next outcome; `None` if the set is empty.
    ///
    /// # Cancel safety
    /// An outcome that was not returned stays in the set.
    pub fn join_next(&mut self) -> JoinNext<'_, T> {
        JoinNext { next: self.join_next_with_id() }
    }

    /// As [`join_next`](Self::join_next), and says whose outcome it is.
    pub fn join_next_with_id(&mut self) -> JoinNextWithId<'_, T> {
        JoinNextWithId { set: self, begun: false }
    }

    /// The next outcome, if a task has ended.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(|(_, outcome)| outcome)
    }

    /// As [`try_join_next`](Self::try_join_next), and says whose outcome it is.
    pub fn try_join_next_with_id(&mut self) -> Option<(TaskId, Result<T, JoinError>)> {
        let key = self.queue.0.lock().keys.pop_front()?;
        Some(self.take(key))
    }

    /// Asks every task to stop, without waiting.
    #[track_caller]
    pub fn cancel_each(&self) {
        self.cancel_for(&CancelCause::explicit());
    }

    pub(super) fn cancel_for(&self, cause: &CancelCause) {
        for (_, handle) in &self.handles {
            handle.cancel_for(cause.clone());
        }
    }

    /// Cancels every task and waits until all have ended; what they came to is dropped.
    #[doc(alias = "shutdown")]
    pub async fn cancel_all(&mut self) {
        self.cancel_each();
        while self.join_next().await.is_some() {}
    }

    /// Waits until all have ended, and after `grace` cancels the rest and waits for those; what they came to is dropped.
    pub async fn drain(&mut self, grace: Duration) -> Drained {
        drain(self, grace).await
    }

    /// Lets all tasks go on by themselves, and forgets them.
    pub fn detach_all(&mut self) {
        for handle in self.handles.drain() {
            handle.detach();
        }
        // Those that end from now on find a queue that nobody looks at.
        self.queue = Shared::new(Queue(Mutex::default()));
    }

    fn take(&mut self, key: usize) -> (TaskId, Result<T, JoinError>) {
        let mut handle = self.handles.remove(key);
        match handle.try_take() {
            Some(outcome) => (handle.id(), outcome),
            None => unreachable!("it was put into the queue after it had completed"),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(TaskId, Result<T, JoinError>)>> {
        if self.handles.is_empty() {
            return Poll::Ready(None);
        }
        // Cloned and dropped outside of the lock: foreign code.
        let waker = cx.waker().clone();
        let mut ended = self.queue.0.lock();
        let key = ended.keys.pop_front();
        let before = if key.is_none() { ended.waker.replace(waker) } else { None };
        drop(ended);
        drop(before);
        match key {
            Some(key) => Poll::Ready(Some(self.take(key))),
            None => Poll::Pending,
        }
    }
}

impl<T: Send + 'static> JoinSet<T> {
    /// Starts a task of the set.
    ///
    /// # Panics
    /// If there is no current runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> TaskId
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.spawn_at(future, Location::caller())
    }

    pub(super) fn spawn_at<F>(&mut self, future: F, location: &'static Location<'static>) -> TaskId
    where
        F: Future<Output = T> + Send + 'static,
    {
        let entry = self.handles.vacant_entry();
        let place = Place { queue: self.queue.clone(), key: entry.key() };
        match context::with_current(|core| spawn_on(core, future, location, place)) {
            Some(handle) => entry.insert(handle).id(),
            None => panic!("{}", context::NO_RUNTIME),
        }
    }
}

impl<T> Crowd for JoinSet<T> {
    fn left(&self) -> usize {
        self.len()
    }

    async fn all_gone(&mut self) {
        while self.join_next().await.is_some() {}
    }

    fn cancel_rest(&mut self) {
        self.cancel_for(&CancelCause::new(CancelKind::Deadline));
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        for handle in self.handles.drain().filter(|handle| !handle.is_finished()) {
            handle.cancel_because_dropped();
            // Outside of every task nobody can wait.
            let _ = leaving::leave_behind(Departing::Task(handle.into_joined()));
        }
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handles.iter().map(|(_, handle)| handle)).finish()
    }
}

/// The future of [`JoinSet::join_next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct JoinNext<'a, T> {
    next: JoinNextWithId<'a, T>,
}

impl<T> Future for JoinNext<'_, T> {
    type Output = Option<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.next).poll(cx).map(|next| next.map(|(_, outcome)| outcome))
    }
}

/// The future of [`JoinSet::join_next_with_id`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct JoinNextWithId<'a, T> {
    set: &'a mut JoinSet<T>,
    begun: bool,
}

impl<T> Future for JoinNextWithId<'_, T> {
    type Output = Option<(TaskId, Result<T, JoinError>)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unit = ready!(coop::proceed_for(cx, self.begun, || coop::Wait::new("one of its tasks")));
        self.begun = true;
        let next = ready!(self.set.poll_next(cx));
        unit.made_progress();
        Poll::Ready(next)
    }
}
