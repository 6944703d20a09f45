//! Waiting again and again.

use super::{Instant, Sleep, sleep_until};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

/// Ticks at once and then every `period`.
///
/// # Panics
/// If `period` is zero.
///
/// tokio's counterpart is `tokio::time::interval`; asyncio has none.
///
/// ```
/// use weftwork::time::{Duration, interval};
/// weftwork::run(async {
///     let mut ticks = interval(Duration::from_millis(1));
///     let first = ticks.tick().await;
///     assert!(ticks.tick().await >= first + Duration::from_millis(1));
/// });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    make(None, period)
}

/// Ticks at `start` and then every `period`; otherwise as [`interval`].
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    make(Some(start), period)
}

#[track_caller]
fn make(start: Option<Instant>, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval of zero would never let anything else run; give it a period");
    Interval { next: start.map(sleep_until), due: start, period, missed: MissedTickBehavior::Burst }
}

/// What an [`Interval`] does when ticks passed while nobody waited for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MissedTickBehavior {
    /// Gives the missed ticks one after another without waiting, until it has caught up.
    #[default]
    Burst,
    /// Starts anew from the late tick: the next is a whole period later.
    Delay,
    /// Leaves the missed ticks out and keeps to the original times.
    Skip,
}

/// Ticks with a fixed period; made by [`interval`] and [`interval_at`].
pub struct Interval {
    /// None until the first tick of an interval that starts at once.
    next: Option<Sleep>,
    due: Option<Instant>,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick and gives the time at which it was due.
    ///
    /// # Cancel safety
    /// Dropping it loses no tick.
    pub fn tick(&mut self) -> Tick<'_> {
        Tick { interval: self }
    }

    /// As [`tick`](Self::tick), for hand-written futures.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let due = *self.due.get_or_insert_with(Instant::now);
        let sleep = self.next.get_or_insert_with(|| sleep_until(due));
        ready!(Pin::new(sleep).poll(cx));
        let now = Instant::now();
        let next = if now <= due + self.period {
            due + self.period
        } else {
            match self.missed {
                MissedTickBehavior::Burst => due + self.period,
                MissedTickBehavior::Delay => now + self.period,
                MissedTickBehavior::Skip => {
                    let late = now.duration_since(due).as_nanos() % self.period.as_nanos();
                    now + self.period - Duration::from_nanos(u64::try_from(late).unwrap_or(0))
                }
            }
        };
        self.reset_at(next);
        Poll::Ready(due)
    }

    /// The next tick is a whole period from now.
    pub fn reset(&mut self) {
        self.reset_at(Instant::now() + self.period);
    }

    /// The next tick is at `instant`.
    pub fn reset_at(&mut self, instant: Instant) {
        self.due = Some(instant);
        match &mut self.next {
            Some(sleep) => sleep.reset(instant),
            None => self.next = Some(sleep_until(instant)),
        }
    }

    /// The time between ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// What happens to ticks that passed while nobody waited.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Sets what happens to ticks that passed while nobody waited.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("period", &self.period)
            .field("next", &self.due)
            .field("missed", &self.missed)
            .finish()
    }
}

/// The future of [`Interval::tick`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Tick<'a> {
    interval: &'a mut Interval,
}

impl Future for Tick<'_> {
    type Output = Instant;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        self.interval.poll_tick(cx)
    }
}
