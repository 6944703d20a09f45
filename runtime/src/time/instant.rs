//! A point in time.
#![allow(clippy::disallowed_types, reason = "converts to and from the std type")]

use crate::context;
use crate::platform::clock;
use core::fmt;
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::time::Duration;

/// A point in time on the runtime's clock, to the nanosecond.
///
/// Outside of tests that is the system's monotonic clock; it never goes back. It converts to and from
/// `std::time::Instant`. asyncio's counterpart is `loop.time()`, tokio's is `tokio::time::Instant`.
///
/// ```
/// use weftwork::time::{Duration, Instant};
/// let start = Instant::now();
/// assert!(start + Duration::from_secs(1) > start);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// Now, by the clock of the current runtime, or by the system's where there is none.
    pub fn now() -> Self {
        Self(context::now())
    }

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) fn as_nanos(self) -> u64 {
        self.0
    }

    /// How much later this is than `earlier`; zero if it is not later.
    pub fn duration_since(&self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// How long ago this was; zero if it lies ahead.
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// The instant `duration` later, if it can be said.
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(u64::try_from(duration.as_nanos()).ok()?).map(Self)
    }

    /// The instant `duration` earlier, if it can be said.
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(u64::try_from(duration.as_nanos()).ok()?).map(Self)
    }

    /// The instant `duration` later, or the last there is: 584 years after the program started.
    pub fn saturating_add(&self, duration: Duration) -> Self {
        Self(self.0.saturating_add(clock::nanoseconds(duration)))
    }

    /// The same instant for `std`, where its clock can say it.
    pub fn into_std(self) -> Option<std::time::Instant> {
        clock::to_std(self.0)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(instant: std::time::Instant) -> Self {
        Self(clock::from_std(instant))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// The instant later by a duration; beyond what can be said it is the last instant there is.
    fn add(self, duration: Duration) -> Self {
        self.saturating_add(duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    /// The instant earlier by a duration; before the program started it is its start.
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(clock::nanoseconds(duration)))
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({:?} after start)", Duration::from_nanos(self.0))
    }
}
