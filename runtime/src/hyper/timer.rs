//! hyper's timeouts on the runtime's clock.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "hyper's instants are std's")]

use crate::time::{self, Sleep};
use ::hyper::rt;
use core::pin::Pin;
use core::time::Duration;
use std::time::Instant;

/// Keeps hyper's time: `header_read_timeout`, keep-alive of HTTP/2, and whatever else a connection waits for at most.
///
/// It goes by the clock of the runtime that polls, so under a manual clock a test moves hyper's timeouts too.
///
/// # Panics
/// Awaiting its sleeps outside of a runtime panics, as [`sleep`](crate::sleep).
///
/// tokio's counterpart is `hyper_util::rt::TokioTimer`.
///
/// ```
/// use hyper::rt::Timer as _;
/// use std::time::Duration;
/// use weftwork::hyper::Timer;
///
/// weftwork::run(async {
///     let timer = Timer::new();
///     let deadline = timer.now() + Duration::from_millis(2);
///     timer.sleep_until(deadline).await;
///     assert!(timer.now() >= deadline);
/// });
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Timer;

impl Timer {
    /// Time as the runtime that polls has it.
    pub fn new() -> Self {
        Self
    }
}

impl rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        // From now, as hyper expects, and not from the first poll.
        Box::pin(time::sleep_until(time::Instant::now() + duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(time::sleep_until(deadline.into()))
    }

    fn now(&self) -> Instant {
        // A manual clock can stand where no instant of std does; hyper then reads the system's.
        time::Instant::now().into_std().unwrap_or_else(Instant::now)
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(mut ours) => ours.reset(deadline.into()),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

impl rt::Sleep for Sleep {}
