//! Cancelling one future at each of its awaits in turn.

use crate::scope::{CancelScope, ScopeCancelled};
use core::future::Future;
use core::pin::pin;
use std::future::poll_fn;

/// Runs the future that `make` makes again and again, cancelled where it is pending for the 1st time, then for the 2nd, and so on until
/// it ends before that; `check` is called after each run. How often it was pending when it ran undisturbed.
///
/// `check` gets what the run came to: `Err` where the cancel got through, `Ok` with the value otherwise. What it asserts is what
/// has to hold wherever the future is cancelled: nothing is lost, nothing is left half done.
///
/// The future runs in the task of the caller, under a [`CancelScope`] of its own, so landing pads and clean-up inside of it run as
/// they would.
///
/// # Panics
/// With the future, and with `check`; before that it prints at which await that was.
///
/// asyncio, trio and tokio have no counterpart.
///
/// ```
/// use weftwork::sync::channel;
/// use weftwork::testing::cancel_at_every_await;
///
/// weftwork::run(async {
///     let (sender, receiver) = channel::bounded(1);
///     let forwards = || async {
///         sender.send(1).await.unwrap();
///         weftwork::task::yield_now().await;
///         receiver.recv().await.unwrap()
///     };
///     let awaits = cancel_at_every_await(forwards, async |ended| {
///         // Whoever was cancelled has left the item there.
///         assert_eq!(receiver.len(), usize::from(ended.is_err()));
///         while receiver.try_recv().is_ok() {}
///     });
///     assert_eq!(awaits.await, 1);
/// });
/// ```
pub async fn cancel_at_every_await<M, F, C>(mut make: M, mut check: C) -> usize
where
    M: FnMut() -> F,
    F: Future,
    C: AsyncFnMut(Result<F::Output, ScopeCancelled>),
{
    for at in 1.. {
        let told = ToldOnPanic(at);
        let scope = CancelScope::new();
        let mut pending = 0;
        let canceller = scope.clone();
        let future = make();
        let ended = scope
            .run(async {
                let mut future = pin!(future);
                poll_fn(|cx| {
                    let polled = future.as_mut().poll(cx);
                    if polled.is_pending() {
                        pending += 1;
                        if pending == at {
                            canceller.cancel();
                        }
                    }
                    polled
                })
                .await
            })
            .await;
        let undisturbed = pending < at;
        check(ended).await;
        core::mem::forget(told);
        if undisturbed {
            return pending;
        }
    }
    unreachable!("a future that is pending for ever is cancelled at some time")
}

/// Prints where it was cancelled if the run or its check fails.
struct ToldOnPanic(usize);

impl Drop for ToldOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it failed in the run that was cancelled where it was pending for the {}. time", self.0);
        }
    }
}
