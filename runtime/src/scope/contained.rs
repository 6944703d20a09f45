//! A future whose panic is a value: for whoever has something to do before it goes on.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use weftwork_sync::primitive::{Panic, contain};

pin_project! {
    /// Gives what the future gives, or what it panicked with; by then it is dropped.
    pub(crate) struct Contained<F> {
        #[pin]
        future: Option<F>,
    }
}

impl<F: Future> Contained<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut future = self.project().future;
        let Some(inside) = future.as_mut().as_pin_mut() else {
            panic!("a future was polled after it had given its value")
        };
        let polled = match contain(|| inside.poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(payload) => Err(payload),
        };
        // Also what it held may panic as it goes; the first panic counts.
        match contain(|| future.set(None)) {
            Err(payload) if polled.is_ok() => Poll::Ready(Err(payload)),
            Err(payload) => {
                crate::task::cell::drop_payload(payload);
                Poll::Ready(polled)
            }
            Ok(()) => Poll::Ready(polled),
        }
    }
}
