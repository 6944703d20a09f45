//! What may run although its surroundings are cancelled.

use super::limit::{Timed, Unlimited};
use super::region::{Kind, Region};
use crate::time::{Duration, Elapsed};
use core::fmt;
use core::future::{Future, IntoFuture};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

/// Runs `future` to its end although what surrounds it is cancelled; the cancellation takes effect afterwards.
///
/// Scopes and deadlines inside work as ever. A shield without a bound holds up whoever cancels for as long as it takes, so
/// [`cleanup`] is the better choice for cleaning up.
///
/// asyncio's `shield` keeps a task alive behind the back of whoever cancelled; for that, keep the `JoinHandle` outside and await
/// `&mut handle`. trio's counterpart is `CancelScope(shield=True)`.
///
/// ```
/// use weftwork::time::{Duration, timeout};
/// weftwork::run(async {
///     let slow = weftwork::scope::shield(async {
///         weftwork::sleep(Duration::from_millis(5)).await;
///         1
///     });
///     assert_eq!(timeout(Duration::from_millis(1), slow).await, Ok(1));
/// });
/// ```
#[track_caller]
pub fn shield<F: IntoFuture>(future: F) -> Shield<F> {
    Shield { region: Region::new(Kind::Shield, Location::caller(), future.into_future()) }
}

pin_project! {
    /// The future of [`shield`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Shield<F: IntoFuture> {
        #[pin]
        region: Region<F::IntoFuture>,
    }
}

impl<F: IntoFuture> Future for Shield<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().region.poll(&mut Unlimited, cx) {
            Poll::Ready(Ok(value)) => Poll::Ready(value),
            // Cancelled by its own scope: the region around ends with it.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<F: IntoFuture> fmt::Debug for Shield<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").field("at", &format_args!("{}", self.region.place())).finish_non_exhaustive()
    }
}

/// Cleans up: runs `future` although what surrounds it is cancelled, for `grace` at most.
///
/// # Errors
/// [`Elapsed`] if it took longer; then it was dropped.
///
/// trio's counterpart is `move_on_after(grace, shield=True)`. For an example see [`cancellable`](super::cancellable()).
#[track_caller]
pub fn cleanup<F: IntoFuture>(grace: Duration, future: F) -> Cleanup<F> {
    Cleanup { region: Region::new(Kind::Shield, Location::caller(), future.into_future()), limit: Timed::After(grace) }
}

pin_project! {
    /// The future of [`cleanup`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Cleanup<F: IntoFuture> {
        #[pin]
        region: Region<F::IntoFuture>,
        limit: Timed,
    }
}

impl<F: IntoFuture> Future for Cleanup<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.region.poll(this.limit, cx).map_err(|_| Elapsed::new())
    }
}

impl<F: IntoFuture> fmt::Debug for Cleanup<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleanup").field("at", &format_args!("{}", self.region.place())).finish_non_exhaustive()
    }
}
