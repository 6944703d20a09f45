//! Cleaning up in one call.

use super::contained::Contained;
use super::{cancellable, cleanup};
use crate::context;
use crate::observe::unhandled::{Unhandled, UnhandledKind};
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

/// Opens a resource, runs `body` with it, and closes it, for `grace` at most, however the body ended: with a value, by a panic or by a
/// cancellation, which then goes on.
///
/// There is no await between opening and the body, so a resource that was opened is closed. What takes longer to close than `grace` is dropped;
/// that, and a resource that code drops which knows nothing of clean-up, is told about in [debug mode](crate::runtime::Builder::debug).
///
/// # Errors
/// What `open` failed with; then neither of the others runs.
///
/// asyncio's counterpart is `async with`.
///
/// ```
/// use weftwork::scope::with_resource;
/// use weftwork::time::Duration;
/// weftwork::run(async {
///     let mut closed = false;
///     let open = async { Ok::<_, std::io::Error>(vec![1, 2]) };
///     let sum = with_resource(open, Duration::from_secs(1), async |numbers| numbers.iter().sum::<i32>(), async |_| closed = true);
///     assert_eq!(sum.await.unwrap(), 3);
///     assert!(closed);
/// });
/// ```
#[doc(alias("AsyncExitStack", "aclosing"))]
pub async fn with_resource<R, T, E>(
    open: impl Future<Output = Result<R, E>>,
    grace: Duration,
    body: impl AsyncFnOnce(&mut R) -> T,
    close: impl AsyncFnOnce(R),
) -> Result<T, E> {
    let mut resource = open.await?;
    let opened = Opened(core::any::type_name::<R>());
    let ended = cancellable(Contained::new(body(&mut resource))).await;
    // Late or not, what came before counts.
    if cleanup(grace, close(resource)).await.is_ok() {
        core::mem::forget(opened);
    }
    match ended {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(payload)) => std::panic::resume_unwind(payload),
        Err(cancelled) => cancelled.propagate().await,
    }
}

/// A resource that is not closed yet, by the name of its type. Dropped, it is told about in debug mode.
struct Opened(&'static str);

impl Drop for Opened {
    fn drop(&mut self) {
        context::with_current(|core| {
            if core.config.debug {
                let task = context::current_task();
                core.report(&Unhandled { task, ..Unhandled::elsewhere(UnhandledKind::NotClosed, Some(self.0)) });
            }
        });
    }
}
