//! Letting others run.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use weftwork_sync::coop;

/// Lets every task that is ready run before the caller goes on.
///
/// The caller goes behind the tasks that are ready on its worker now.
///
/// # Cancel safety
/// Nothing is lost. asyncio's counterpart is `await asyncio.sleep(0)`, tokio's is `tokio::task::yield_now`.
///
/// ```
/// weftwork::run(async { weftwork::task::yield_now().await });
/// ```
#[doc(alias = "sleep(0)")]
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        // In a cancelled region a leaf that has not begun neither begins nor wakes.
        if coop::is_cancelled() {
            return Poll::Pending;
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
