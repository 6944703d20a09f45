//! Whether a thread that has nothing to do should wait a moment before it sleeps.
//!
//! Sleeping and being woken on another processor costs 2 to 3 us there and up to 25 here, so two threads that hand small
//! things to each other pay 50 us for what takes one. A thread that waits awake instead saves that, if what it waits for
//! comes soon; if not, it has burnt the time, and may have kept the very thread it waits for from running.
//!
//! So it waits on evidence only. A sleep that another thread ended within [`SHORT`] is evidence, and so is a wait that
//! was rewarded. A wait is at most [`LIMIT`] long, which is what it can save (two wake-ups). One that was not rewarded makes
//! the next chances be passed by, twice as many each time, so that what is burnt for nothing stays below a thousandth of
//! the chances; a reward makes up for all of them.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use super::hint;
use std::time::{Duration, Instant};

/// A sleep that somebody ended sooner than this could have been a wait.
const SHORT: Duration = Duration::from_micros(100);
/// How long a wait is at most.
const LIMIT: Duration = Duration::from_micros(50);
/// Looks between two readings of the clock, which takes as long as several of them.
const LOOKS: u32 = 16;
/// At most `1 << MOST_PENALTY` chances in a row are passed by.
const MOST_PENALTY: u32 = 10;

/// What one thread has learned about waiting awake; its own, not shared.
#[derive(Debug, Default)]
pub struct Patience {
    /// The last thing waited for came soon.
    expecting: bool,
    /// Waits in a row that were not rewarded.
    penalty: u32,
    /// Chances still to be passed by.
    passing: u32,
}

/// When a sleep began.
#[derive(Debug)]
pub struct Asleep(Instant);

impl Patience {
    /// Waits until `arrived`, for a moment and only if that is likely to be rewarded; says whether it was.
    pub fn wait(&mut self, mut arrived: impl FnMut() -> bool) -> bool {
        if !self.expecting {
            return false;
        }
        if self.passing > 0 {
            self.passing -= 1;
            return false;
        }
        let start = Instant::now();
        loop {
            for _ in 0..LOOKS {
                if arrived() {
                    self.penalty = 0;
                    return true;
                }
                hint::spin_loop();
            }
            if start.elapsed() >= LIMIT {
                self.passing = 1 << self.penalty;
                self.penalty = (self.penalty + 1).min(MOST_PENALTY);
                self.expecting = false;
                return false;
            }
        }
    }

    /// What was waited for came without a wait: likely to be so again.
    pub fn expect(&mut self) {
        self.expecting = true;
    }

    /// A sleep begins.
    pub fn sleep(&self) -> Asleep {
        Asleep(Instant::now())
    }

    /// It is over; `woken` if another thread ended it.
    pub fn woke(&mut self, asleep: &Asleep, woken: bool) {
        self.expecting = woken && asleep.0.elapsed() < SHORT;
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_PENALTY, Patience};

    /// How many times `wait` looked, if nothing ever comes.
    fn looks(patience: &mut Patience) -> u32 {
        let mut looks = 0;
        assert!(!patience.wait(|| {
            looks += 1;
            false
        }));
        looks
    }

    #[test]
    fn without_evidence_it_does_not_wait() {
        assert_eq!(looks(&mut Patience::default()), 0);
    }

    #[test]
    fn a_sleep_that_time_ended_is_no_evidence() {
        let mut patience = Patience::default();
        patience.expect();
        let asleep = patience.sleep();
        patience.woke(&asleep, false);
        assert_eq!(looks(&mut patience), 0);
    }

    #[test]
    fn a_wait_that_is_rewarded_is_evidence_for_the_next() {
        let mut patience = Patience::default();
        patience.expect();
        for _ in 0..3 {
            let mut left = 5;
            assert!(patience.wait(|| {
                left -= 1;
                left == 0
            }));
        }
    }

    #[test]
    fn each_wait_for_nothing_passes_twice_as_many_chances_by() {
        let mut patience = Patience::default();
        for penalty in 0..4 {
            patience.expect();
            assert!(looks(&mut patience) > 0);
            for _ in 0..1 << penalty {
                patience.expect();
                assert_eq!(looks(&mut patience), 0);
            }
        }
        patience.expect();
        assert!(patience.wait(|| true), "a reward makes up for all of them");
        patience.penalty = MOST_PENALTY;
        patience.expect();
        assert!(looks(&mut patience) > 0);
        assert_eq!(patience.passing, 1 << MOST_PENALTY, "and their number is bounded");
    }
}
