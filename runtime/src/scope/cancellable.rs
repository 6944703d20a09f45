//! The landing pad: code that goes on after a cancellation, to clean up.

use super::frame;
use super::limit::Unlimited;
use super::region::{Kind, Region, Unwound};
use crate::task::CancelCause;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::marker::PhantomData;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use weftwork_sync::coop;

/// Runs `future`, and says so if it was cancelled, so that the code around can clean up.
///
/// On a cancellation of anything around (the task, a scope, a deadline, a group) the future is dropped where it waits, and the
/// answer is [`Cancelled`]. The code that follows runs on, but it is still cancelled: whatever it awaits next ends it, unless
/// that lies in [`cleanup`](super::cleanup) or [`shield`](super::shield). A value that is ready wins over the cancellation.
///
/// To end as cancelled after cleaning up, [`propagate`](Cancelled::propagate); to give a value in spite of the cancellation, return it.
///
/// asyncio's counterpart is `except CancelledError`; tokio has none.
///
/// ```
/// use weftwork::scope::{cancellable, cleanup};
/// use weftwork::time::Duration;
///
/// async fn flush() {}
///
/// weftwork::run(async {
///     let task = weftwork::spawn(async {
///         match cancellable(std::future::pending::<()>()).await {
///             Ok(()) => "finished",
///             Err(cancelled) => {
///                 cleanup(Duration::from_secs(1), flush()).await.ok();
///                 cancelled.propagate().await
///             }
///         }
///     });
///     weftwork::task::yield_now().await;
///     task.cancel();
///     assert!(task.await.unwrap_err().is_cancelled());
/// });
/// ```
#[track_caller]
#[doc(alias = "CancelledError")]
pub fn cancellable<F: IntoFuture>(future: F) -> Cancellable<F> {
    Cancellable { region: Region::new(Kind::Pad, Location::caller(), future.into_future()) }
}

pin_project! {
    /// The future of [`cancellable`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Cancellable<F: IntoFuture> {
        #[pin]
        region: Region<F::IntoFuture>,
    }
}

impl<F: IntoFuture> Future for Cancellable<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.project().region.poll(&mut Unlimited, cx);
        polled.map_err(|Unwound(cause)| Cancelled { cause })
    }
}

impl<F: IntoFuture> fmt::Debug for Cancellable<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellable").field("at", &format_args!("{}", self.region.place())).finish_non_exhaustive()
    }
}

/// What ran in [`cancellable`] was cancelled, and is gone.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the cancellation goes on: clean up, then propagate() it or return"]
pub struct Cancelled {
    cause: CancelCause,
}

impl Cancelled {
    /// Why, by whom and where it was cancelled.
    pub fn cause(&self) -> &CancelCause {
        &self.cause
    }

    /// Ends the surrounding region as cancelled: it never returns, and what is around drops it. asyncio's counterpart is `raise`.
    ///
    /// # Panics
    /// If nothing around is cancelled, because it would wait for ever: this `Cancelled` was kept and awaited elsewhere.
    pub fn propagate<T>(self) -> Propagate<T> {
        Propagate { cause: self.cause, value: PhantomData }
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelled").field(&self.cause).finish()
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Cancelled {}

/// The future of [`Cancelled::propagate`].
#[must_use = "futures do nothing unless awaited"]
pub struct Propagate<T> {
    cause: CancelCause,
    value: PhantomData<fn() -> T>,
}

impl<T> Future for Propagate<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<T> {
        // A deadline around may have passed although its timer has not fired: then it is about to.
        assert!(
            coop::is_cancelled() || frame::has_passed(crate::context::now()),
            "propagate() was awaited where nothing is cancelled, so it would wait for ever ({}): await it in the task and scope in \
             which `cancellable` gave it, or return a value instead",
            self.cause
        );
        Poll::Pending
    }
}

impl<T> fmt::Debug for Propagate<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Propagate").field(&self.cause).finish()
    }
}
