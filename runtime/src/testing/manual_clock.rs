//! A clock that stands still until a test moves it.

use crate::platform::clock::{Clock, ManualTime, nanoseconds};
use crate::time::Instant;
use core::time::Duration;
use weftwork_sync::primitive::Shared;

/// A clock that stands still until a test moves it; give it to `runtime::Builder::clock`.
///
/// trio's counterpart is `MockClock`, tokio's is `tokio::time::pause` and `advance`.
#[doc(alias = "MockClock")]
#[derive(Debug, Clone)]
pub struct ManualClock {
    time: Shared<ManualTime>,
}

impl ManualClock {
    /// A clock at its origin.
    pub fn new() -> Self {
        Self { time: Shared::new(ManualTime::default()) }
    }

    /// What it shows.
    pub fn now(&self) -> Instant {
        Instant::from_nanos(self.time.now())
    }

    /// Moves it on; every runtime on this clock fires what is due.
    ///
    /// Timers fire on their workers: `settle().await` waits until what they woke has run.
    pub fn advance(&self, by: Duration) {
        self.time.advance(nanoseconds(by));
    }

    pub(crate) fn to_clock(&self) -> Clock {
        Clock::Manual(self.time.clone())
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}
