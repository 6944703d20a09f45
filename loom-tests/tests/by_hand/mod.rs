//! Futures polled by hand, each only when its waker was called: a wake-up that is lost leaves one of them undone.
//!
//! The flags are the model's, so that it explores polls before and after each wake, and no more than they have to be for
//! that, so that they order nothing.
#![cfg(weftwork_loom)]
#![allow(clippy::disallowed_types, reason = "the standard library makes wakers of its own Arc only")]

use core::pin::Pin;
use core::task::{Context, Waker};
use std::sync::Arc;
use std::task::Wake;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering::Relaxed};

struct Flag(AtomicBool);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.swap(true, Relaxed);
    }
}

pub(crate) struct Task<'a> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    woken: Arc<Flag>,
}

impl<'a> Task<'a> {
    pub(crate) fn new(future: impl Future<Output = ()> + 'a) -> Self {
        Self { future: Some(Box::pin(future)), woken: Arc::new(Flag(AtomicBool::new(true))) }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.future.is_none()
    }

    /// Polls if woken; whether it was.
    pub(crate) fn run(&mut self) -> bool {
        let waker = Waker::from(self.woken.clone());
        let Some(future) = &mut self.future else { return false };
        if !self.woken.0.swap(false, Relaxed) {
            return false;
        }
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.future = None;
        }
        true
    }
}

/// Runs both until neither is woken.
pub(crate) fn run_both(a: &mut Task<'_>, b: &mut Task<'_>) {
    while a.run() | b.run() {}
}
