//! Cleaning up in one call.

use super::{cancellable, cleanup};
use crate::task::CancelCause;
use core::future::Future;
use core::time::Duration;

/// Runs `future`, and `clean` if it was cancelled, for `grace` at most; the cancellation goes on afterwards.
///
/// asyncio's counterpart is `except CancelledError: ...; raise`.
///
/// ```
/// use weftwork::scope::on_cancel;
/// use weftwork::time::{Duration, timeout};
/// weftwork::run(async {
///     let mut told = None;
///     let body = on_cancel(std::future::pending::<()>(), Duration::from_secs(1), async |cause| {
///         told = Some(cause.to_string());
///     });
///     assert!(timeout(Duration::from_millis(1), body).await.is_err());
///     assert!(told.unwrap().contains("deadline"));
/// });
/// ```
#[track_caller]
pub fn on_cancel<T>(
    future: impl Future<Output = T>,
    grace: Duration,
    clean: impl AsyncFnOnce(&CancelCause),
) -> impl Future<Output = T> {
    let pad = cancellable(future);
    async move {
        match pad.await {
            Ok(value) => value,
            Err(cancelled) => {
                // Late or not, the cancellation goes on.
                let _ = cleanup(grace, clean(cancelled.cause())).await;
                cancelled.propagate().await
            }
        }
    }
}

/// Runs `future`, and then `clean`, for `grace` at most, whether it ended or was cancelled; a cancellation goes on afterwards.
///
/// A panic of `future` is not waited for: destructors are for that. asyncio's counterpart is `finally`.
///
/// ```
/// use weftwork::scope::finally;
/// use weftwork::time::Duration;
/// weftwork::run(async {
///     let mut closed = false;
///     assert_eq!(finally(async { 3 }, Duration::from_secs(1), async || closed = true).await, 3);
///     assert!(closed);
/// });
/// ```
#[track_caller]
pub fn finally<T>(
    future: impl Future<Output = T>,
    grace: Duration,
    clean: impl AsyncFnOnce(),
) -> impl Future<Output = T> {
    let pad = cancellable(future);
    async move {
        let ended = pad.await;
        // Late or not, what came before counts.
        let _ = cleanup(grace, clean()).await;
        match ended {
            Ok(value) => value,
            Err(cancelled) => cancelled.propagate().await,
        }
    }
}
