//! Trying again by the clock, where the system says "not now" and will not say when.
//!
//! Two calls on Unix sockets are like that: a connect to a listener whose queue is full (Linux), and a datagram to a
//! receiver whose queue is full, by a socket that is not connected to it. Neither makes room visible as readiness of the
//! own socket: waiting for it would spin or never end.

use crate::reactor::Reactor;
use crate::time::{Sleep, sleep};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// Pauses between attempts, each twice as long as the one before.
#[derive(Debug)]
pub(super) struct Again {
    pause: Duration,
    sleep: Option<Sleep>,
}

impl Again {
    pub(super) fn new() -> Self {
        Self { pause: FIRST_PAUSE, sleep: None }
    }

    /// Whether a pause goes on.
    pub(super) fn is_pausing(&self) -> bool {
        self.sleep.is_some()
    }

    /// Waits for the end of the pause, and begins one if none goes on.
    ///
    /// # Errors
    /// The socket's runtime has shut down, or there is none on this thread and so no timer.
    pub(super) fn poll(&mut self, reactor: &Reactor, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        reactor.is_open()?;
        let sleeping = match &mut self.sleep {
            Some(sleeping) => sleeping,
            none => {
                crate::context::reactor()?;
                let sleeping = none.insert(sleep(self.pause));
                self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
                sleeping
            }
        };
        ready!(sleeping.try_poll(cx)).map_err(io::Error::other)?;
        self.sleep = None;
        Poll::Ready(Ok(()))
    }
}
