//! Reading what the counting world wrote down, and doing operations at a seat.
#![allow(dead_code, reason = "each test file uses its part")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use weftwork::testing::Seat;
pub use weftwork_sync::primitive::tally::{Access, Kind, record};

/// Where fences stand that only a system without `membarrier` needs; they are left out, so that the counts are the same on
/// both.
const WITHOUT_MEMBARRIER: &str = "runtime/src/platform/asymmetric.rs";

/// The file in which an access was asked for, from the workspace's root.
pub fn file(access: &Access) -> &'static str {
    access.by.file()
}

/// What `f` did.
pub fn recorded<R>(f: impl FnOnce() -> R) -> Vec<Access> {
    let (out, mut accesses) = record(f);
    drop(out);
    accesses.retain(|access| access.kind != Kind::Fence || file(access) != WITHOUT_MEMBARRIER);
    accesses
}

/// Runs `f` in one poll of a task, with nothing else ready before it.
pub fn in_task<R: Send + 'static>(seat: &Seat<'_>, f: impl FnOnce(&mut Context<'_>) -> R + Send + 'static) -> R {
    let mut f = Some(f);
    let mut task = weftwork::spawn(poll_fn(move |cx| match f.take() {
        Some(f) => Poll::Ready(f(cx)),
        None => unreachable!("a task that ended is not polled again"),
    }));
    assert!(seat.step(), "the new task is ready");
    match task.try_take() {
        Some(Ok(out)) => out,
        Some(Err(error)) => panic!("{error}"),
        None => panic!("an operation takes one poll"),
    }
}

/// The output of what does not have to wait.
pub fn now<F: Future>(future: F, cx: &mut Context<'_>) -> F::Output {
    match pin!(future).poll(cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("an operation that need not wait waited"),
    }
}

/// The first poll of what has to wait.
pub fn begin<F: Future + Unpin>(future: &mut F, cx: &mut Context<'_>) {
    assert!(pin!(future).poll(cx).is_pending(), "an operation that has to wait did not");
}
