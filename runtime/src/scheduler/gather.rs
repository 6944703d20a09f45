//! Whether a worker sleeps past a timer to fire several at once.
//!
//! A wake-up for a timer costs some 5 us of two system calls and a switch. Where timers come one by one every few
//! microseconds, a worker that has just fired some sleeps for a [`TICK`] before it fires again, and finds them together;
//! none is later by that than a tick, which is what promise P4 allows. Where they are sparse each is fired at its time.
//!
//! It goes by what it sees: after [`DENSE`] firings within a tick of each other it gathers, and if that brings no more than
//! one or two at a time (somebody sleeps for 10 us again and again), it leaves it for a good while.

use core::cell::Cell;

/// Nanoseconds that a timer may be late so that others are fired with it.
pub(crate) const TICK: u64 = 1 << 16;
/// Firings in short order after which it is worth a try.
const DENSE: i32 = 8;
/// Firings until the next try after one that brought nothing.
const AFTER_FAILURE: i32 = -256;
/// Timers at once that are worth it.
const WORTH: usize = 3;

/// What a worker has seen of its timers.
#[derive(Debug, Default)]
pub(super) struct Gather {
    fired_at: Cell<u64>,
    in_short_order: Cell<i32>,
    gathering: Cell<bool>,
}

impl Gather {
    /// So many timers were fired at once.
    pub(super) fn fired(&self, now: u64, count: usize) {
        let dense = now.saturating_sub(self.fired_at.replace(now)) < 2 * TICK;
        let before = self.in_short_order.get();
        let seen = match self.gathering.replace(false) {
            true if count < WORTH => AFTER_FAILURE,
            _ if dense => before.saturating_add(1),
            // What failed is not forgotten by a pause.
            _ => before.min(0),
        };
        self.in_short_order.set(seen);
    }

    /// How long a worker that would sleep until `due` may sleep.
    pub(super) fn until(&self, due: u64) -> u64 {
        let gathers = self.in_short_order.get() >= DENSE && due != u64::MAX;
        self.gathering.set(gathers);
        if gathers { due.max(self.fired_at.get().saturating_add(TICK)) } else { due }
    }
}

#[cfg(all(test, not(weftwork_loom)))]
mod tests {
    use super::*;

    /// Fires every timer of `times` when the worker wakes for it, with `delay` from waking to firing; how often it woke.
    fn wakes(times: impl Iterator<Item = u64>, delay: u64) -> (usize, u64) {
        let (gather, mut wakes, mut latest) = (Gather::default(), 0, 0);
        let mut times = times.peekable();
        while let Some(&due) = times.peek() {
            let now = gather.until(due) + delay;
            let count = core::iter::from_fn(|| times.next_if(|&at| at <= now)).count();
            gather.fired(now, count);
            latest = latest.max(now - due);
            wakes += 1;
        }
        (wakes, latest)
    }

    #[test]
    fn dense_timers_are_fired_together_and_none_is_late_by_more_than_a_tick() {
        let (wakes, latest) = wakes((1..10_000).map(|n| n * 5_000), 1_000);
        assert!(wakes < 1_000, "{wakes}");
        assert!(latest <= TICK + 1_000, "{latest}");
    }

    #[test]
    fn sparse_timers_are_fired_at_their_time() {
        assert_eq!(wakes((1..1_000).map(|n| n * 1_000_000), 1_000), (999, 1_000));
    }

    #[test]
    fn a_task_that_sleeps_again_and_again_is_seldom_kept() {
        // Each sleep is armed when the one before it was fired.
        let (gather, mut now, mut late) = (Gather::default(), 1_u64 << 30, 0);
        for _ in 0..10_000 {
            let due = now + 10_000;
            now = gather.until(due) + 1_000;
            late += usize::from(now > due + 1_000);
            gather.fired(now, 1);
        }
        assert!(late < 100, "{late}");
    }

    #[test]
    fn no_timer_is_no_deadline() {
        let gather = Gather::default();
        for now in 1..100 {
            gather.fired(now, 5);
        }
        assert_eq!(gather.until(u64::MAX), u64::MAX);
    }
}
