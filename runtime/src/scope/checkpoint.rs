//! Being asked to stop, for code that awaits nothing of ours.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use weftwork_sync::coop;

/// Ends here if the surroundings are cancelled, and else goes on at once, unless the task has run for long: then others run first.
///
/// For loops that compute, or that await what other libraries made. trio's counterpart is `checkpoint`, tokio's is
/// `task::consume_budget`.
///
/// ```
/// weftwork::run(async {
///     for _ in 0..1_000 {
///         weftwork::scope::checkpoint().await;
///     }
/// });
/// ```
#[doc(alias = "consume_budget")]
pub fn checkpoint() -> Checkpoint {
    Checkpoint { _private: () }
}

/// The future of [`checkpoint`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Checkpoint {
    _private: (),
}

impl Future for Checkpoint {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // In a cancelled region it never returns; with a spent budget, later.
        ready!(coop::proceed(cx, false)).made_progress();
        Poll::Ready(())
    }
}

/// Whether the caller is asked to stop: what surrounds it in its task is cancelled, or inside a closure of `to_thread` nobody
/// waits for that any more.
///
/// asyncio's counterpart is `Task.cancelling()`, trio's is `current_effective_deadline() == -inf`.
pub fn is_cancelled() -> bool {
    coop::is_cancelled() || weftwork_blocking::is_cancelled()
}
