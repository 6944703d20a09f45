//! A part of a task that can be cancelled by itself.

use super::frame::{self, NEVER};
use super::limit::Unlimited;
use super::node::Node;
use super::region::{Kind, Region, Unwound};
use crate::platform::clock::nanoseconds;
use crate::task::CancelCause;
use crate::time::Instant;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use weftwork_sync::Notified;
use weftwork_sync::primitive::Shared;

/// A part of a task that can be cancelled by itself, by whoever has a clone of this.
///
/// One future runs [inside](Self::run) of it. Cancelled, that future is dropped where it waits, code inside can clean up by
/// [`cancellable`](super::cancellable()), and `run` says [`ScopeCancelled`]. A cancellation is never taken back; a scope that is cancelled
/// before it runs ends at its first wait.
///
/// trio's counterpart is `trio.CancelScope`; asyncio has `timeout(None)`, tokio-util the `CancellationToken` without the unwinding.
///
/// ```
/// use weftwork::scope::CancelScope;
/// weftwork::run(async {
///     let scope = CancelScope::new();
///     let theirs = scope.clone();
///     weftwork::spawn(async move { theirs.cancel() }).detach();
///     assert!(scope.run(std::future::pending::<()>()).await.is_err());
///     assert!(scope.cancelled_caught());
/// });
/// ```
#[doc(alias("CancellationToken", "timeout"))]
#[derive(Clone)]
pub struct CancelScope(Shared<Node>);

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelScope {
    /// A scope without a deadline.
    pub fn new() -> Self {
        Self(Node::new())
    }

    pub(crate) fn of(node: Shared<Node>) -> Self {
        Self(node)
    }

    /// A scope that is cancelled at `deadline`.
    pub fn with_deadline(deadline: Instant) -> Self {
        let scope = Self::new();
        scope.0.set_deadline(nanos(Some(deadline)));
        scope
    }

    /// Runs `future` inside of the scope.
    ///
    /// # Errors
    /// The scope was cancelled while the future waited. Where what surrounds the scope is cancelled too, that ends everything
    /// here, and this never returns.
    ///
    /// # Panics
    /// If something runs inside of this scope already, or did: a scope is for one future; make another.
    #[track_caller]
    pub fn run<F: IntoFuture>(&self, future: F) -> ScopeRun<F> {
        assert!(
            self.0.begins(),
            "a CancelScope runs one future, and this one has run already: make a new scope for each"
        );
        let region = Region::with_node(Kind::Scope, Location::caller(), self.0.clone(), future.into_future());
        ScopeRun { region }
    }

    /// Cancels what runs inside, or will; `false` if that was done before, or what ran inside has ended.
    #[track_caller]
    pub fn cancel(&self) -> bool {
        self.0.cancel(CancelCause::explicit())
    }

    /// As [`cancel`](Self::cancel), with a reason that the error will tell.
    #[track_caller]
    pub fn cancel_with(&self, why: impl Into<Cow<'static, str>>) -> bool {
        self.0.cancel(CancelCause::explicit().saying(why))
    }

    pub(crate) fn cancel_for(&self, cause: CancelCause) -> bool {
        self.0.cancel(cause)
    }

    /// As [`cancel`](Self::cancel), but [`shield`](super::shield()) and [`cleanup`](super::cleanup()) inside hold for `grace` at most.
    ///
    /// Everything sees the cancellation at once: what is not shielded is dropped where it waits, landing pads go on,
    /// [`is_cancelled`](crate::is_cancelled) is true. Code behind a shield runs on. When the grace is over, shields hold no longer: what
    /// they kept is dropped, with its destructors, `cleanup` says `Elapsed`, and the runtime's `on_unhandled` is told the place of each. That reaches the
    /// children of groups inside too, and tasks that were waited for. A closure of `to_thread` with `join_on_cancel` is waited for no longer; it
    /// runs on.
    ///
    /// Of a scope that was cancelled before it bounds the shields all the same, and says `false`; of several graces the one that ends first counts. The grace
    /// counts from when the scope is polled, which is at once unless something blocks.
    ///
    /// trio has wished for its counterpart since 2017 (issue 147).
    ///
    /// ```
    /// use weftwork::scope::{CancelScope, shield};
    /// use weftwork::time::Duration;
    /// weftwork::runtime::Builder::new_current_thread()
    ///     .on_unhandled(|what| assert!(what.to_string().contains("shield")))
    ///     .run(async {
    ///         let scope = CancelScope::new();
    ///         let theirs = scope.clone();
    ///         weftwork::spawn(async move { theirs.cancel_soft(Duration::from_millis(5)) }).detach();
    ///         assert!(scope.run(shield(std::future::pending::<()>())).await.is_err());
    ///     })
    ///     .unwrap();
    /// ```
    #[track_caller]
    pub fn cancel_soft(&self, grace: Duration) -> bool {
        // A grace of centuries is one without an end.
        self.0.cancel_softly(CancelCause::explicit(), nanoseconds(grace))
    }

    /// Moves the deadline, or takes it away; one that has passed cancels at once. What has been cancelled stays so.
    ///
    /// # Panics
    /// If this is a task's own scope, from [`current_scope`]: a task has no deadline, what runs in it may have.
    #[track_caller]
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        assert!(
            !self.0.is_task(),
            "a task has no deadline of its own: run what shall have one in CancelScope::with_deadline, or in timeout"
        );
        self.0.set_deadline(nanos(deadline));
    }

    /// The deadline, if it was given one.
    pub fn deadline(&self) -> Option<Instant> {
        let deadline = self.0.deadline();
        (deadline != NEVER).then(|| Instant::from_nanos(deadline))
    }

    /// Whether the scope was cancelled, or its deadline came while something ran inside.
    pub fn cancel_called(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Whether [`run`](Self::run) ended because of that. A value that was ready in time wins.
    pub fn cancelled_caught(&self) -> bool {
        self.0.has_caught()
    }

    /// Why it was cancelled, if it was.
    pub fn cancel_cause(&self) -> Option<CancelCause> {
        self.0.cause()
    }

    /// Waits until the scope is cancelled, for code that wants to know and go on.
    ///
    /// Cancel safe. Its own surroundings may be that scope: then it never returns.
    pub fn cancelled(&self) -> WhenCancelled<'_> {
        WhenCancelled { node: &self.0, bell: None }
    }
}

fn nanos(deadline: Option<Instant>) -> u64 {
    deadline.map_or(NEVER, |deadline| deadline.as_nanos().min(NEVER - 1))
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("cancelled", &self.cancel_cause())
            .field("deadline", &self.deadline())
            .finish()
    }
}

pin_project! {
    /// The future of [`CancelScope::run`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct ScopeRun<F: IntoFuture> {
        #[pin]
        region: Region<F::IntoFuture>,
    }
}

impl<F: IntoFuture> Future for ScopeRun<F> {
    type Output = Result<F::Output, ScopeCancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().region.poll(&mut Unlimited, cx).map_err(|Unwound(cause)| ScopeCancelled { cause })
    }
}

impl<F: IntoFuture> fmt::Debug for ScopeRun<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeRun").field("at", &format_args!("{}", self.region.place())).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`CancelScope::cancelled`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct WhenCancelled<'a> {
        node: &'a Node,
        #[pin]
        bell: Option<Notified<'a>>,
    }
}

impl Future for WhenCancelled<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.bell.is_none() {
            this.bell.set(Some(this.node.bell().notified()));
        }
        // Looked at once the bell is waited for: it may have rung before.
        let rung = this.bell.as_mut().as_pin_mut().is_none_or(|bell| bell.poll(cx).is_ready());
        if rung || this.node.is_cancelled() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for WhenCancelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenCancelled").field("cancelled", &self.node.is_cancelled()).finish()
    }
}

/// A scope was cancelled, and what ran inside is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct ScopeCancelled {
    cause: CancelCause,
}

impl ScopeCancelled {
    /// Why, by whom and where it was cancelled.
    pub fn cause(&self) -> &CancelCause {
        &self.cause
    }
}

impl fmt::Debug for ScopeCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopeCancelled").field(&self.cause).finish()
    }
}

impl fmt::Display for ScopeCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the scope was {}", self.cause)
    }
}

impl std::error::Error for ScopeCancelled {}

/// The innermost scope around the caller: a [`CancelScope`], a deadline, a group, or the task itself.
///
/// # Panics
/// Outside of every task and scope.
///
/// asyncio's counterpart is `asyncio.current_task()`, of which `cancel` is called.
#[track_caller]
pub fn current_scope() -> CancelScope {
    match frame::scope() {
        Some(node) => CancelScope(node),
        None => panic!(
            "there is no scope here: current_scope() works inside of a task or of CancelScope::run; in the main future of a \
             multi-thread runtime's block_on, spawn first"
        ),
    }
}

/// The earliest deadline of those around the caller that it can see, which is when it will be cancelled if nobody cancels before.
///
/// trio's counterpart is `current_effective_deadline`.
///
/// ```
/// use weftwork::scope::effective_deadline;
/// use weftwork::time::{Duration, Instant, timeout};
/// weftwork::run(async {
///     assert_eq!(effective_deadline(), None);
///     timeout(Duration::from_secs(9), async {
///         assert!(effective_deadline().unwrap() <= Instant::now() + Duration::from_secs(9));
///     })
///     .await
///     .unwrap();
/// });
/// ```
pub fn effective_deadline() -> Option<Instant> {
    let deadline = frame::deadline();
    (deadline != NEVER).then(|| Instant::from_nanos(deadline))
}
