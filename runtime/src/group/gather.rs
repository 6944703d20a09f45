//! All of several at once.

use super::error::GroupError;
use super::join_set::JoinSet;
use super::run::{group, try_group};
use crate::task::{CancelCause, CancelKind, JoinError, JoinHandle, Panic, TaskId};
use crate::time::timeout;
use core::fmt;
use core::future::{Future, IntoFuture, pending};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::HashMap;

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs futures as tasks side by side, and gives what they came to in the order of the arguments.
///
/// If one panics, the others are cancelled, and the panic goes on here when all have ended. asyncio's counterpart is
/// `asyncio.gather`; for futures that borrow, and stay in this task, there is `futures::future::join_all`.
///
/// ```
/// weftwork::run(async {
///     assert_eq!(weftwork::gather((0..4).map(|n| async move { n * n })).await, [0, 1, 4, 9]);
/// });
/// ```
#[doc(alias = "join_all")]
#[track_caller]
pub fn gather<F>(futures: impl IntoIterator<Item = F>) -> Gather<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let at = Location::caller();
    let futures: Vec<F> = futures.into_iter().collect();
    let ended = group(async move |group| values(futures.into_iter().map(|future| group.spawn_at(future, at))).await);
    Gather(Box::pin(async move {
        match ended.await {
            Ok(values) => values,
            // Nobody else has the group, so it is what surrounds it that was cancelled.
            Err(_) => pending().await,
        }
    }))
}

/// As [`gather`], for futures that may fail: the first error cancels the others.
///
/// # Errors
/// All errors there were when all had ended, in the order of the arguments.
///
/// ```
/// weftwork::run(async {
///     let answers = weftwork::try_gather((1..4).map(|n| async move { 12_u32.checked_rem(n).ok_or("zero") }));
///     assert_eq!(answers.await.unwrap(), [0, 0, 0]);
/// });
/// ```
#[doc(alias = "try_join_all")]
#[track_caller]
pub fn try_gather<F, T, E>(futures: impl IntoIterator<Item = F>) -> TryGather<T, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let at = Location::caller();
    let futures: Vec<F> = futures.into_iter().collect();
    let ended =
        try_group(async move |group| Ok(values(futures.into_iter().map(|future| group.spawn_at(future, at))).await));
    TryGather(Box::pin(ended))
}

/// What tasks came to, in their order. If one has no value its group ends, and this with it.
async fn values<T>(handles: impl Iterator<Item = JoinHandle<T>>) -> Vec<T> {
    let handles: Vec<_> = handles.collect();
    let mut values = Vec::with_capacity(handles.len());
    for handle in handles {
        match handle.await {
            Ok(value) => values.push(value),
            Err(_) => pending().await,
        }
    }
    values
}

/// Runs futures as tasks side by side, and says of each what it came to, in the order of the arguments.
///
/// asyncio's counterpart is `asyncio.gather(return_exceptions=True)`.
///
/// ```
/// use weftwork::group::{Outcome, gather_outcomes};
/// use weftwork::time::Duration;
/// weftwork::run(async {
///     let quick = async |n: u64| {
///         weftwork::sleep(Duration::from_millis(n)).await;
///         if n == 2 { Err("two") } else { Ok(n) }
///     };
///     let all = gather_outcomes([1, 2, 60_000].map(quick)).deadline(Duration::from_millis(50)).await;
///     assert!(matches!(all[..], [Outcome::Ok(1), Outcome::Err("two"), Outcome::Cancelled(_)]));
/// });
/// ```
#[doc(alias = "return_exceptions")]
#[track_caller]
pub fn gather_outcomes<F, T, E>(futures: impl IntoIterator<Item = F>) -> GatherOutcomes<F>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    GatherOutcomes { futures: futures.into_iter().collect(), at: Location::caller(), deadline: None, limit: usize::MAX }
}

/// What [`gather_outcomes`] will do; await it.
#[must_use = "it does nothing unless awaited"]
pub struct GatherOutcomes<F> {
    futures: Vec<F>,
    at: &'static Location<'static>,
    deadline: Option<Duration>,
    limit: usize,
}

impl<F> GatherOutcomes<F> {
    /// After that long those that have not ended are cancelled, waited for, and said to be cancelled; those that have not begun never
    /// do.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// No more than that many run at a time; none is none at all, and so at least one does.
    #[doc(alias("map_concurrent", "buffer_unordered"))]
    pub fn limit(mut self, at_once: usize) -> Self {
        self.limit = at_once.max(1);
        self
    }
}

impl<F, T, E> IntoFuture for GatherOutcomes<F>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Output = Vec<Outcome<T, E>>;
    type IntoFuture = Outcomes<T, E>;

    fn into_future(self) -> Outcomes<T, E> {
        let Self { futures, at, deadline, limit } = self;
        Outcomes(Box::pin(async move {
            let mut all = Collected { outcomes: Vec::new(), places: HashMap::new(), set: JoinSet::new() };
            all.outcomes.resize_with(futures.len(), || None);
            let mut left = futures.into_iter().enumerate();
            let running = async {
                loop {
                    while all.set.len() < limit
                        && let Some((index, future)) = left.next()
                    {
                        let id = all.set.spawn_at(future, at);
                        all.places.insert(id, index);
                    }
                    if !all.next().await {
                        break;
                    }
                }
            };
            match deadline {
                None => running.await,
                Some(after) => {
                    if timeout(after, running).await.is_err() {
                        all.set.cancel_for(&late(at));
                        while all.next().await {}
                    }
                }
            }
            all.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Outcome::Cancelled(late(at)))).collect()
        }))
    }
}

/// Why something was cancelled, or never began, at its deadline.
fn late(at: &'static Location<'static>) -> CancelCause {
    CancelCause::new(CancelKind::Deadline).from(crate::context::current_task(), at)
}

struct Collected<T, E> {
    outcomes: Vec<Option<Outcome<T, E>>>,
    places: HashMap<TaskId, usize>,
    set: JoinSet<Result<T, E>>,
}

impl<T: Send + 'static, E: Send + 'static> Collected<T, E> {
    /// Takes the next outcome; `false` if none is left.
    async fn next(&mut self) -> bool {
        let Some((id, outcome)) = self.set.join_next_with_id().await else { return false };
        if let Some(index) = self.places.remove(&id) {
            self.outcomes[index] = Some(Outcome::of(outcome));
        }
        true
    }
}

/// What one of several came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<T, E> {
    /// A value.
    Ok(T),
    /// An error of its own.
    Err(E),
    /// It was cancelled.
    Cancelled(CancelCause),
    /// It panicked.
    Panicked(Panic),
}

impl<T, E> Outcome<T, E> {
    fn of(ended: Result<Result<T, E>, JoinError>) -> Self {
        match ended {
            Ok(Ok(value)) => Self::Ok(value),
            Ok(Err(error)) => Self::Err(error),
            Err(JoinError::Panicked(panic)) => Self::Panicked(panic),
            Err(JoinError::Cancelled(cause)) => Self::Cancelled(cause),
            // A task of a group alone says so.
            Err(JoinError::Failed(_)) => Self::Cancelled(CancelCause::explicit()),
        }
    }

    /// The value, if there is one.
    pub fn ok(self) -> Option<T> {
        if let Self::Ok(value) = self { Some(value) } else { None }
    }

    /// Whether there is a value.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }
}

/// The future of one of these functions, whose tasks are cancelled if it is dropped.
macro_rules! future {
    ($(#[$doc:meta])* $name:ident<$($generic:ident),*> = $output:ty) => {
        $(#[$doc])*
        #[must_use = "futures do nothing unless awaited"]
        pub struct $name<$($generic),*>(Boxed<$output>);

        impl<$($generic),*> Future for $name<$($generic),*> {
            type Output = $output;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<$output> {
                self.0.as_mut().poll(cx)
            }
        }

        impl<$($generic),*> fmt::Debug for $name<$($generic),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
pub(super) use future;

future!(/// The future of [`gather`].
    Gather<T> = Vec<T>);
future!(/// The future of [`try_gather`].
    TryGather<T, E> = Result<Vec<T>, GroupError<E>>);
future!(/// The future of [`gather_outcomes`].
    Outcomes<T, E> = Vec<Outcome<T, E>>);

impl<F> fmt::Debug for GatherOutcomes<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatherOutcomes").field("futures", &self.futures.len()).finish_non_exhaustive()
    }
}
