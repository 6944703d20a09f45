//! Waiting for something else at most until a point in time.

use super::Instant;
use crate::context;
use crate::scope::frame::NEVER;
use crate::scope::limit::{Limit, Timed, Unlimited};
use crate::scope::node::Node;
use crate::scope::region::{Kind, Region};
use core::fmt;
use core::future::{Future, IntoFuture};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;

/// Waits for `future`, at most for `duration` counted from the first poll.
///
/// A value that is ready when the time is up wins. Otherwise the future is dropped and the answer is [`Elapsed`]. With a
/// duration of zero the future is polled once and has to be ready then.
///
/// # Panics
/// Polling it outside of a runtime panics if it has to wait.
///
/// # Cancel safety
/// As the future's own. asyncio's counterparts are `asyncio.timeout` and `wait_for`, tokio's is `tokio::time::timeout`.
///
/// ```
/// use weftwork::time::{Duration, timeout};
/// weftwork::run(async {
///     assert_eq!(timeout(Duration::from_secs(1), async { 3 }).await, Ok(3));
///     assert!(timeout(Duration::from_millis(1), std::future::pending::<()>()).await.is_err());
/// });
/// ```
#[doc(alias = "wait_for")]
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F> {
    Timeout::new(future, Timed::After(duration))
}

/// Waits for `future`, at most until `deadline`; otherwise as [`timeout`].
///
/// asyncio's counterpart is `asyncio.timeout_at`, tokio's is `tokio::time::timeout_at`.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout::new(future, Timed::At(super::sleep_until(deadline)))
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F: IntoFuture> {
        #[pin]
        region: Region<F::IntoFuture>,
        limit: Timed,
    }
}

impl<F: IntoFuture> Timeout<F> {
    #[track_caller]
    fn new(future: F, limit: Timed) -> Self {
        Self { region: Region::new(Kind::Scope, Location::caller(), future.into_future()), limit }
    }
}

impl<F: IntoFuture> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.region.poll(this.limit, cx).map_err(|_| Elapsed(()))
    }
}

impl<F: IntoFuture> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.limit {
            Timed::After(duration) => write!(f, "Timeout {{ {duration:?} from the first poll that waits }}"),
            Timed::At(sleep) => write!(f, "Timeout {{ {sleep:?} }}"),
        }
    }
}

/// Waits for `future`, at most for `duration`; `None` if that was too short. Otherwise as [`timeout`].
///
/// trio's counterpart is `move_on_after`.
///
/// ```
/// use weftwork::time::{Duration, move_on_after};
/// weftwork::run(async {
///     assert_eq!(move_on_after(Duration::from_millis(1), std::future::pending::<()>()).await, None);
/// });
/// ```
#[track_caller]
pub fn move_on_after<F: IntoFuture>(duration: Duration, future: F) -> MoveOn<F> {
    MoveOn { timeout: timeout(duration, future) }
}

pin_project! {
    /// The future of [`move_on_after`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct MoveOn<F: IntoFuture> {
        #[pin]
        timeout: Timeout<F>,
    }
}

impl<F: IntoFuture> Future for MoveOn<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().timeout.poll(cx).map(Result::ok)
    }
}

impl<F: IntoFuture> fmt::Debug for MoveOn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MoveOn").field(&self.timeout).finish()
    }
}

/// Waits for `future`, at most for `duration` counted from the first poll, and leaves it as it is if that was too short.
///
/// Nothing is cancelled: the future may be waited for again. asyncio's counterpart is `asyncio.wait` of one with a timeout.
///
/// # Errors
/// The time was up first.
///
/// ```
/// use weftwork::time::{Duration, wait_timeout};
/// weftwork::run(async {
///     let mut task = weftwork::spawn(weftwork::sleep(Duration::from_millis(5)));
///     assert!(wait_timeout(Duration::ZERO, &mut task).await.is_err());
///     task.await.unwrap();
/// });
/// ```
pub fn wait_timeout<F: Future + Unpin>(duration: Duration, future: &mut F) -> WaitTimeout<'_, F> {
    WaitTimeout { future, limit: Timed::After(duration) }
}

/// The future of [`wait_timeout`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitTimeout<'a, F> {
    future: &'a mut F,
    limit: Timed,
}

impl<F: Future + Unpin> Future for WaitTimeout<'_, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Poll::Ready(value) = Pin::new(&mut *this.future).poll(cx) {
            return Poll::Ready(Ok(value));
        }
        // Where the surroundings are cancelled a deadline would be armed for nobody.
        if !coop::is_cancelled() && this.limit.poll(cx) { Poll::Ready(Err(Elapsed(()))) } else { Poll::Pending }
    }
}

impl<F> fmt::Debug for WaitTimeout<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitTimeout").finish_non_exhaustive()
    }
}

/// Runs what `f` makes, at most until a deadline that it, or whoever it gives the handle, may move; `None` is no deadline yet.
///
/// asyncio's counterpart is `asyncio.timeout` with `reschedule`.
///
/// ```
/// use weftwork::time::{Duration, Instant, timeout_with};
/// weftwork::run(async {
///     let soon = Instant::now() + Duration::from_secs(1);
///     let done = timeout_with(Some(soon), async |limit| {
///         limit.reschedule(Some(soon + Duration::from_secs(9))).unwrap();
///         limit.when() > Some(soon)
///     });
///     assert_eq!(done.await, Ok(true));
/// });
/// ```
#[track_caller]
pub fn timeout_with<T, F: Future<Output = T>>(
    deadline: Option<Instant>,
    f: impl FnOnce(TimeoutHandle) -> F,
) -> TimeoutWith<F> {
    let node = Node::new();
    node.set_deadline(deadline.map_or(NEVER, |deadline| deadline.as_nanos().min(NEVER - 1)));
    let future = f(TimeoutHandle { node: node.clone() });
    TimeoutWith { region: Region::with_node(Kind::Scope, Location::caller(), node, future) }
}

pin_project! {
    /// The future of [`timeout_with`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct TimeoutWith<F> {
        #[pin]
        region: Region<F>,
    }
}

impl<F: Future> Future for TimeoutWith<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().region.poll(&mut Unlimited, cx).map_err(|_| Elapsed(()))
    }
}

impl<F> fmt::Debug for TimeoutWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutWith").field("at", &format_args!("{}", self.region.place())).finish_non_exhaustive()
    }
}

/// Looks at the deadline of a [`timeout_with`], and moves it.
#[derive(Clone)]
pub struct TimeoutHandle {
    node: Shared<Node>,
}

impl TimeoutHandle {
    /// Moves the deadline; `None` takes it away, and one that has passed is over at once.
    ///
    /// # Errors
    /// It is too late: the time was up, or what it limited has ended.
    pub fn reschedule(&self, deadline: Option<Instant>) -> Result<(), RescheduleError> {
        let passed = self.node.deadline() <= context::now();
        if self.node.is_cancelled() || passed {
            return Err(RescheduleError(Late::Expired));
        }
        if self.node.is_closed() {
            return Err(RescheduleError(Late::Ended));
        }
        self.node.set_deadline(deadline.map_or(NEVER, |deadline| deadline.as_nanos().min(NEVER - 1)));
        Ok(())
    }

    /// The deadline, if there is one.
    pub fn when(&self) -> Option<Instant> {
        let deadline = self.node.deadline();
        (deadline != NEVER).then(|| Instant::from_nanos(deadline))
    }

    /// Whether the time was up before the future was ready.
    pub fn expired(&self) -> bool {
        self.node.is_cancelled()
    }
}

impl fmt::Debug for TimeoutHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutHandle").field("when", &self.when()).field("expired", &self.expired()).finish()
    }
}

/// A deadline could not be moved any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescheduleError(Late);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    Expired,
    Ended,
}

impl fmt::Display for RescheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Late::Expired => "the time was up already: move a deadline before it passes",
            Late::Ended => "what this deadline limited has ended: it belongs to one timeout_with",
        })
    }
}

impl std::error::Error for RescheduleError {}

/// The time was up before the future was ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Elapsed(());

impl Elapsed {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl fmt::Debug for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Elapsed")
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up before the future was ready")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for std::io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}
