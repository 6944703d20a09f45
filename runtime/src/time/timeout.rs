//! Waiting for something else at most until a point in time.

use super::{Instant, Sleep};

use core::fmt;
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;
use weftwork_sync::coop;

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
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F> {
    Timeout { future: Some(future.into_future()), limit: Limit::After(duration) }
}

/// Waits for `future`, at most until `deadline`; otherwise as [`timeout`].
///
/// asyncio's counterpart is `asyncio.timeout_at`, tokio's is `tokio::time::timeout_at`.
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout { future: Some(future.into_future()), limit: Limit::At(super::sleep_until(deadline)) }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F: IntoFuture> {
        #[pin]
        future: Option<F::IntoFuture>,
        limit: Limit,
    }
}

enum Limit {
    /// Counted from the first poll that finds the future pending.
    After(Duration),
    At(Sleep),
}

impl Limit {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::After(duration) = self {
            *self = Self::At(match *duration {
                // A sleep of no length lets others run once; a limit of none is over.
                Duration::ZERO => super::sleep_until(Instant::now()),
                // It counts from its first poll, which is now.
                duration => super::sleep(duration),
            });
        }
        let Self::At(sleep) = self else { return Poll::Pending };
        if coop::has_budget() {
            return Pin::new(sleep).poll(cx);
        }
        // The future has spent the whole budget; a deadline that could not be looked at would never pass (tokio 4314).
        coop::unconstrained(|| Pin::new(sleep).poll(cx))
    }
}

impl<F: IntoFuture> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut().expect("a Timeout was polled after it had ended");
        if let Poll::Ready(value) = future.poll(cx) {
            return Poll::Ready(Ok(value));
        }
        if coop::is_cancelled() {
            // The region above drops this; a deadline would be armed for nobody.
            return Poll::Pending;
        }
        core::task::ready!(this.limit.poll(cx));
        // Dropped before the caller goes on: what it held is free again.
        this.future.set(None);
        Poll::Ready(Err(Elapsed(())))
    }
}

impl<F: IntoFuture> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.limit {
            Limit::After(duration) => write!(f, "Timeout {{ {duration:?} from the first poll that waits }}"),
            Limit::At(sleep) => write!(f, "Timeout {{ {sleep:?} }}"),
        }
    }
}

/// The time was up before the future was ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Elapsed(());

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
