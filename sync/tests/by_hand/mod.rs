//! A future polled by hand, with a waker that counts.
#![allow(clippy::disallowed_types, reason = "the standard library makes wakers of its own Arc only")]
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future, what it gave, and how often it was woken.
pub(crate) struct Task<F: Future> {
    future: Pin<Box<F>>,
    wakes: Arc<Count>,
}

impl<F: Future> Task<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// Polls once.
    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls with another waker than before; the old one must not be needed any more.
    pub(crate) fn poll_as_another(&mut self) -> Poll<F::Output> {
        self.wakes = Arc::default();
        self.poll()
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// How many references to its waker there are beside the task's own.
    pub(crate) fn wakers_held(&self) -> usize {
        Arc::strong_count(&self.wakes) - 1
    }

    pub(crate) fn future(&mut self) -> Pin<&mut F> {
        self.future.as_mut()
    }
}
