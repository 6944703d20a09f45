//! A future that is given up after some polls: whoever waits in a primitive may be dropped at any moment.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use weftwork_sync::block_on;
use weftwork_sync::primitive::thread::{self, JoinHandle};

/// Waits on the calling thread; `None` if the future was still not ready in its last poll of so many.
pub(crate) fn wait_at_most<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    block_on(poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => {
            left -= 1;
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    }))
}

/// Starts a thread of the schedule.
pub(crate) fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match thread::spawn(String::new(), f) {
        Ok(thread) => thread,
        Err(error) => panic!("a thread of a schedule always starts: {error}"),
    }
}
