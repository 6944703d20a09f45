//! A clock that stands still until a test moves it.

use crate::platform::clock::{Clock, ManualTime, nanoseconds};
use crate::time::Instant;
use crate::time::timers::NEVER;
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

    /// Moves it to where the next timer of the current runtime is due; `false` if none is armed.
    ///
    /// For a test that has found by `settle().await` that nothing can run before. The runtime has to be on this clock.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn advance_to_next(&self) -> bool {
        let Some(core) = crate::context::current() else { panic!("{}", crate::context::NO_RUNTIME) };
        let next = core.slots.iter().map(|slot| slot.timers.next_due()).min().unwrap_or(NEVER);
        let next = next.min(core.outside_timers.next_due());
        if next == NEVER {
            return false;
        }
        self.time.advance(next.saturating_sub(self.time.now()));
        true
    }

    /// The clock of a runtime, if it is one of these.
    pub(crate) fn of(clock: &Clock) -> Option<Self> {
        match clock {
            Clock::Real => None,
            Clock::Manual(time) => Some(Self { time: time.clone() }),
        }
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
