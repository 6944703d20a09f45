//! What time it is, for real or as a test says: nanoseconds since an origin of the
//! system's or the process's, never going back.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use std::sync::LazyLock;
use std::time::{Duration, Instant};
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared};

/// One moment on both clocks. Read in this order a moment of std's is never put earlier here than it was, so nothing that
/// was asked for by std's clock comes early.
static PAIR: LazyLock<(Instant, u64)> = LazyLock::new(|| (Instant::now(), real_now()));

/// Nanoseconds of the real clock since its origin; 584 years fit.
#[inline]
pub(crate) fn real_now() -> u64 {
    super::system::monotonic()
}

/// A duration as nanoseconds; one that does not fit is for ever.
#[inline]
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The std instant at `nanos` since the origin, if the platform can say it.
pub(crate) fn to_std(nanos: u64) -> Option<Instant> {
    let (instant, then) = *PAIR;
    match nanos.checked_sub(then) {
        Some(after) => instant.checked_add(Duration::from_nanos(after)),
        None => instant.checked_sub(Duration::from_nanos(then - nanos)),
    }
}

/// Nanoseconds since the origin of a std instant; one before the origin is the origin.
pub(crate) fn from_std(instant: Instant) -> u64 {
    let (other, then) = *PAIR;
    match instant.checked_duration_since(other) {
        Some(after) => then.saturating_add(nanoseconds(after)),
        None => then.saturating_sub(nanoseconds(other.saturating_duration_since(instant))),
    }
}

/// A runtime's source of time.
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests choose another clock"))]
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The system's monotonic clock.
    Real,
    /// A clock that stands still until a test moves it, or until nothing can run.
    Manual(Shared<ManualTime>),
}

impl Clock {
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        match self {
            Self::Real => real_now(),
            Self::Manual(time) => time.now(),
        }
    }

    /// Whether it moves to the next timer when nothing can run.
    pub(crate) fn jumps(&self) -> bool {
        matches!(self, Self::Manual(time) if time.jumps)
    }

    /// Whether both show one time, which somebody moves.
    pub(crate) fn is_that_of(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Manual(mine), Self::Manual(theirs)) if Shared::ptr_eq(mine, theirs))
    }

    /// How many want it to stand still.
    pub(crate) fn holds(&self) -> usize {
        match self {
            Self::Real => 0,
            // Ordering: Acquire pairs with the release of a hold: what was done under it is seen.
            Self::Manual(time) => time.holds.load(Ordering::Acquire),
        }
    }

    /// Keeps it from moving by itself.
    pub(crate) fn hold(&self) -> Option<Hold> {
        match self {
            Self::Manual(time) if time.jumps => Some(ManualTime::hold(time)),
            _ => None,
        }
    }

    /// Moves a clock that jumps.
    pub(crate) fn move_on(&self, nanos: u64) {
        if let Self::Manual(time) = self {
            time.now.add(nanos);
        }
    }

    /// Whether time passes by itself.
    #[inline]
    pub(crate) fn is_real(&self) -> bool {
        matches!(self, Self::Real)
    }

    /// How long a thread may sleep for real until `deadline`, or until the later time that `adjust` makes of it; under a
    /// manual clock only the test can end the sleep.
    pub(crate) fn until(&self, deadline: u64, adjust: impl FnOnce(u64) -> u64) -> Option<Duration> {
        match self {
            _ if deadline == u64::MAX => None,
            Self::Real => Some(Duration::from_nanos(adjust(deadline).saturating_sub(real_now()))),
            Self::Manual(time) => (time.now() >= deadline).then_some(Duration::ZERO),
        }
    }
}

/// Has a runtime look at its timers; `false` once it is gone.
type Look = dyn Fn() -> bool + Send + Sync;

/// A time that stands still until it is moved, and who has to look then.
pub(crate) struct ManualTime {
    now: Counter,
    jumps: bool,
    holds: AtomicUsize,
    lookers: Mutex<Vec<Shared<Box<Look>>>>,
}

impl ManualTime {
    /// A time that also moves by itself: see `scheduler/jumps.rs`.
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests make one"))]
    pub(crate) fn jumping() -> Self {
        Self { jumps: true, ..Self::default() }
    }

    /// It does not move by itself until this is dropped.
    pub(crate) fn hold(this: &Shared<Self>) -> Hold {
        this.holds.fetch_add(1, Ordering::Relaxed);
        Hold(this.clone())
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// Somebody reads this time from now on; `look` is called after each move until it says that nobody is there.
    pub(crate) fn attach(&self, look: impl Fn() -> bool + Send + Sync + 'static) {
        self.lookers.lock().push(Shared::new(Box::new(look)));
    }

    /// Moves on, and has everybody look for what is due.
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests move it"))]
    pub(crate) fn advance(&self, nanos: u64) {
        self.now.add(nanos);
        let lookers = self.lookers.lock().clone();
        let gone: Vec<_> = lookers.into_iter().filter(|look| !look()).collect();
        self.lookers.lock().retain(|look| !gone.iter().any(|gone| Shared::ptr_eq(gone, look)));
    }
}

impl Default for ManualTime {
    fn default() -> Self {
        Self { now: Counter::default(), jumps: false, holds: AtomicUsize::new(0), lookers: Mutex::default() }
    }
}

/// Keeps a time from moving by itself.
pub(crate) struct Hold(Shared<ManualTime>);

impl Drop for Hold {
    fn drop(&mut self) {
        // Ordering: Release: what was done under it is seen by who finds that nobody holds the clock.
        self.0.holds.fetch_sub(1, Ordering::Release);
    }
}

impl core::fmt::Debug for ManualTime {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ManualTime").field("now", &self.now).finish_non_exhaustive()
    }
}
