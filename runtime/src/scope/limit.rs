//! Deadlines of regions.

use super::frame::NEVER;
use crate::time::{Instant, Sleep, sleep, sleep_until};
use core::future::Future;
use core::pin::Pin;
use core::task::Context;
use core::time::Duration;
use weftwork_sync::coop;

/// When a region is over by itself.
pub(crate) trait Limit {
    /// Whether it is known to be, without a look at the clock.
    fn is_over(&self) -> bool;
    /// Looks whether it is, and otherwise sees to it that the caller is woken then.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool;
    /// What those inside can look at; `None` if there is no limit.
    fn timed(&self) -> Option<&Timed>;
    /// It counts from now on: this is the deadline.
    fn fix(&mut self, deadline: u64);
}

/// No deadline.
pub(crate) struct Unlimited;

impl Limit for Unlimited {
    #[inline(always)]
    fn is_over(&self) -> bool {
        false
    }
    #[inline(always)]
    fn poll(&mut self, _cx: &mut Context<'_>) -> bool {
        false
    }
    #[inline(always)]
    fn timed(&self) -> Option<&Timed> {
        None
    }
    #[inline(always)]
    fn fix(&mut self, _deadline: u64) {}
}

/// A deadline that nobody changes.
pub(crate) enum Timed {
    /// Counted from the first poll that finds the future pending.
    After(Duration),
    At(Sleep),
}

impl Limit for Timed {
    #[inline(always)]
    fn is_over(&self) -> bool {
        // A limit that has not begun lets the future run to its first wait, even if it is none at all.
        matches!(self, Self::At(sleep) if sleep.has_fired())
    }

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::After(duration) = self {
            *self = Self::At(match *duration {
                // A sleep of no length lets others run once; a limit of none is over.
                Duration::ZERO => sleep_until(Instant::now()),
                // It counts from its first poll, which is now.
                duration => sleep(duration),
            });
        }
        let Self::At(sleep) = self else { return false };
        wait(sleep, cx)
    }

    #[inline(always)]
    fn timed(&self) -> Option<&Timed> {
        Some(self)
    }

    #[cold]
    fn fix(&mut self, deadline: u64) {
        if let Self::After(_) = self {
            *self = Self::At(sleep_until(Instant::from_nanos(deadline)));
        }
    }
}

impl Timed {
    /// Nanoseconds on the clock; [`NEVER`] as long as it has not begun.
    pub(super) fn deadline(&self) -> u64 {
        match self {
            Self::After(Duration::ZERO) => 0,
            Self::After(_) => NEVER,
            Self::At(sleep) => sleep.deadline().map_or(NEVER, Instant::as_nanos),
        }
    }

    /// How long it will be, if it has not begun.
    pub(super) fn not_begun(&self) -> Option<Duration> {
        match self {
            Self::After(Duration::ZERO) | Self::At(_) => None,
            Self::After(after) => Some(*after),
        }
    }
}

/// The deadline is no part of what it limits: neither its budget nor its cancellation concerns it (tokio issue 4314).
#[inline]
pub(super) fn wait(sleep: &mut Sleep, cx: &mut Context<'_>) -> bool {
    if coop::has_budget() && !coop::is_cancelled() {
        return Pin::new(sleep).poll(cx).is_ready();
    }
    coop::unconstrained(|| Pin::new(sleep).poll(cx)).is_ready()
}
