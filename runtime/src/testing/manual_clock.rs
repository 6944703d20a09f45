//! A clock that stands still until a test moves it.

use crate::platform::clock::{Clock, Hold, ManualTime, nanoseconds};
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

    /// A clock at its origin that also moves by itself: to the next timer, whenever nothing can run.
    ///
    /// See [`Builder::virtual_clock`](crate::runtime::Builder::virtual_clock) for what keeps it from that. Of several runtimes on one
    /// such clock, each moves it when it has nothing to do itself.
    ///
    /// trio's counterpart is `MockClock(autojump_threshold=0)`, tokio's is `start_paused`.
    ///
    /// ```
    /// use weftwork::runtime::Builder;
    /// use weftwork::testing::ManualClock;
    /// use weftwork::time::Duration;
    ///
    /// let clock = ManualClock::jumping();
    /// let began = clock.now();
    /// let day = Duration::from_secs(86_400);
    /// Builder::new_current_thread().clock(&clock).run(weftwork::sleep(day)).unwrap();
    /// assert_eq!(clock.now() - began, day);
    /// ```
    #[doc(alias("autojump", "start_paused"))]
    pub fn jumping() -> Self {
        Self { time: Shared::new(ManualTime::jumping()) }
    }

    /// Keeps the clock from moving by itself until this is dropped: for another thread that is going to wake a task.
    ///
    /// ```
    /// use weftwork::runtime::Builder;
    /// use weftwork::sync::oneshot;
    /// use weftwork::testing::ManualClock;
    /// use weftwork::time::{Duration, timeout};
    ///
    /// let clock = ManualClock::jumping();
    /// let hold = clock.hold();
    /// let (give, got) = oneshot::channel();
    /// let thread = std::thread::spawn(move || {
    ///     give.send(1).unwrap();
    ///     drop(hold);
    /// });
    /// let waits = timeout(Duration::from_millis(1), got);
    /// assert_eq!(Builder::new_current_thread().clock(&clock).run(waits).unwrap(), Ok(Ok(1)));
    /// thread.join().unwrap();
    /// ```
    pub fn hold(&self) -> ClockHold {
        ClockHold { _hold: ManualTime::hold(&self.time) }
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

/// Keeps a [`ManualClock`] from moving by itself until it is dropped; made by [`ManualClock::hold`].
#[must_use = "the clock is held until this is dropped"]
pub struct ClockHold {
    _hold: Hold,
}

impl core::fmt::Debug for ClockHold {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClockHold").finish_non_exhaustive()
    }
}
