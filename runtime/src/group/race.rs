//! One of several: the first to end, or the first to succeed.

use super::gather::{Boxed, future};
use super::join_set::JoinSet;
use crate::task::{JoinError, TaskId};
use crate::time::{Instant, timeout_at};
use core::fmt;
use core::future::{Future, pending};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use futures_core::Stream;
use std::collections::HashMap;

/// When [`wait`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnWhen {
    /// One task at least has ended.
    FirstCompleted,
    /// One task at least has panicked or was cancelled, or all have ended.
    FirstException,
    /// All have ended.
    AllCompleted,
}

/// Waits for tasks of a set, and takes the outcomes of those that have ended, in the order in which they did. The others stay in the
/// set, and run on.
///
/// At the deadline it returns what there is. asyncio's counterpart is `asyncio.wait`.
///
/// # Panics
/// If the set is empty: it would wait for nothing.
///
/// # Cancel safety
/// Outcomes that were taken before it is dropped are lost; wait for one at a time if that matters.
///
/// ```
/// use weftwork::JoinSet;
/// use weftwork::group::{ReturnWhen, wait};
/// weftwork::run(async {
///     let mut set = JoinSet::new();
///     set.spawn(async { 1 });
///     set.spawn(std::future::pending());
///     let done = wait(&mut set, ReturnWhen::FirstCompleted, None).await;
///     assert_eq!((done.len(), set.len()), (1, 1));
/// });
/// ```
pub async fn wait<T>(
    set: &mut JoinSet<T>,
    when: ReturnWhen,
    deadline: Option<Instant>,
) -> Vec<(TaskId, Result<T, JoinError>)> {
    assert!(!set.is_empty(), "wait() was given an empty set: spawn into it first");
    let mut done = Vec::with_capacity(set.len());
    let take = async {
        while let Some((id, outcome)) = set.join_next_with_id().await {
            let failed = outcome.is_err();
            done.push((id, outcome));
            while let Some(more) = set.try_join_next_with_id() {
                done.push(more);
            }
            let over = match when {
                ReturnWhen::FirstCompleted => true,
                ReturnWhen::FirstException => failed || done.iter().any(|(_, outcome)| outcome.is_err()),
                ReturnWhen::AllCompleted => false,
            };
            if over {
                break;
            }
        }
    };
    match deadline {
        // Late or not, what there is is returned.
        Some(deadline) => drop(timeout_at(deadline, take).await),
        None => take.await,
    }
    while let Some(more) = set.try_join_next_with_id() {
        done.push(more);
    }
    done
}

/// Runs futures as tasks side by side, and gives each outcome, with its place among the arguments, as it comes.
///
/// asyncio's counterpart is `asyncio.as_completed`; tokio's is `JoinSet`.
///
/// ```
/// use weftwork::time::Duration;
/// weftwork::run(async {
///     let mut all = weftwork::as_completed([20, 0].map(async |n| weftwork::sleep(Duration::from_millis(n)).await));
///     let mut order = Vec::new();
///     while let Some((index, outcome)) = all.next().await {
///         outcome.unwrap();
///         order.push(index);
///     }
///     assert_eq!(order, [1, 0]);
/// });
/// ```
#[track_caller]
pub fn as_completed<F>(futures: impl IntoIterator<Item = F>) -> AsCompleted<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let at = Location::caller();
    let (mut set, mut places) = (JoinSet::new(), HashMap::new());
    for (index, future) in futures.into_iter().enumerate() {
        places.insert(set.spawn_at(future, at), index);
    }
    AsCompleted { set, places }
}

/// The outcomes of [`as_completed`], as they come. Dropped, it cancels the rest.
#[derive(Debug)]
pub struct AsCompleted<T> {
    set: JoinSet<T>,
    places: HashMap<TaskId, usize>,
}

impl<T> AsCompleted<T> {
    /// The next outcome and whose it is; `None` after the last. Cancel safe.
    pub async fn next(&mut self) -> Option<(usize, Result<T, JoinError>)> {
        let (id, outcome) = self.set.join_next_with_id().await?;
        Some((self.places.remove(&id).unwrap_or(usize::MAX), outcome))
    }

    /// How many are to come.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

impl<T> Stream for AsCompleted<T> {
    type Item = (usize, Result<T, JoinError>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = core::task::ready!(Pin::new(&mut this.set.join_next_with_id()).poll(cx));
        Poll::Ready(next.map(|(id, outcome)| (this.places.remove(&id).unwrap_or(usize::MAX), outcome)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

/// Runs futures as tasks side by side until the first ends, cancels the others and awaits their clean-up; which it was, and what it
/// came to.
///
/// If the first to end panicked, its panic goes on here.
///
/// # Panics
/// If there are no futures.
///
/// asyncio's counterpart is `asyncio.wait(return_when=FIRST_COMPLETED)`.
///
/// ```
/// weftwork::run(async {
///     let first = weftwork::race([weftwork::sleep(weftwork::time::Duration::from_secs(9)), weftwork::sleep(Default::default())]);
///     assert_eq!(first.await.0, 1);
/// });
/// ```
#[track_caller]
pub fn race<F>(futures: impl IntoIterator<Item = F>) -> Race<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut all = as_completed(futures);
    assert!(!all.is_empty(), "race() was given nothing to run");
    Race(Box::pin(async move {
        match all.next().await {
            Some((index, Ok(value))) => {
                all.set.cancel_all().await;
                (index, value)
            }
            Some((_, Err(JoinError::Panicked(panic)))) => {
                all.set.cancel_all().await;
                panic.resume()
            }
            // The runtime ends, and everything with it.
            Some((_, Err(_))) | None => pending().await,
        }
    }))
}

/// As [`race`], until the first succeeds.
///
/// # Errors
/// All failed: the errors, in the order of the arguments.
#[doc(alias = "select_ok")]
#[track_caller]
pub fn race_ok<F, T, E>(futures: impl IntoIterator<Item = F>) -> RaceOk<T, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    staggered(None, futures, Location::caller())
}

/// As [`race_ok`], but each future begins only when the one before it has failed, or has run for `delay`.
///
/// For addresses of which the first is the best ("happy eyeballs", RFC 8305). CPython's counterpart is `staggered_race`.
#[track_caller]
pub fn staggered_race<F, T, E>(delay: Duration, futures: impl IntoIterator<Item = F>) -> RaceOk<T, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    staggered(Some(delay), futures, Location::caller())
}

fn staggered<F, T, E>(
    delay: Option<Duration>,
    futures: impl IntoIterator<Item = F>,
    at: &'static Location<'static>,
) -> RaceOk<T, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let futures: Vec<F> = futures.into_iter().collect();
    RaceOk(Box::pin(async move {
        let mut errors: Vec<Option<E>> = Vec::new();
        errors.resize_with(futures.len(), || None);
        let (mut set, mut places) = (JoinSet::new(), HashMap::new());
        let mut left = futures.into_iter().enumerate().peekable();
        let mut next_at = Instant::now();
        loop {
            while left.peek().is_some() && (delay.is_none() || set.is_empty() || Instant::now() >= next_at) {
                let Some((index, future)) = left.next() else { break };
                places.insert(set.spawn_at(future, at), index);
                next_at = Instant::now() + delay.unwrap_or_default();
            }
            let ended = if left.peek().is_some() {
                match timeout_at(next_at, set.join_next_with_id()).await {
                    Ok(ended) => ended,
                    Err(_) => continue,
                }
            } else {
                set.join_next_with_id().await
            };
            let Some((id, outcome)) = ended else { break };
            let index = places.remove(&id).unwrap_or(usize::MAX);
            match outcome {
                Ok(Ok(value)) => {
                    set.cancel_all().await;
                    return Ok((index, value));
                }
                Ok(Err(error)) => errors[index] = Some(error),
                Err(JoinError::Panicked(panic)) => {
                    set.cancel_all().await;
                    panic.resume()
                }
                // The runtime ends, and everything with it.
                Err(_) => pending().await,
            }
            // The one after a failure does not wait any longer.
            next_at = Instant::now();
        }
        Err(errors.into_iter().flatten().collect())
    }))
}

future!(/// The future of [`race`].
    Race<T> = (usize, T));
future!(/// The future of [`race_ok`] and [`staggered_race`].
    RaceOk<T, E> = Result<(usize, T), Vec<E>>);
