//! What the reads of one descriptor have come to, and whether to guess that the next one would find nothing.
//!
//! A read that fills its buffer says nothing of what is left. Whoever reads frames of a known length tries again after each,
//! and is told `EAGAIN` each time: a system call per frame that only says "wait". Where that was the answer several times
//! in a row, the next try is put off instead (`registration.rs`): the reader waits as if it had been told, and tries
//! when an event comes, which for the data that it waits for is one, or when its worker has nothing else to do.
//!
//! The guess may be wrong, and then the data that is left waits longer than it had to; or it is right, and nothing comes, and
//! the try is made after all. Either makes the guesses rarer: the number of `EAGAIN`s in a row that are asked for doubles.
//! A guess that an event rewarded makes up for all of them.
//!
//! Nothing relies on what stands here, so it is read and written without order, and a loss by two readers at once is no harm.

use core::fmt;
use weftwork_sync::primitive::unmodelled::Counter;

/// The last read gave all that was asked for.
const FILLED: u64 = 1;
/// The next try has been put off.
const DEFERRED: u64 = 1 << 1;
/// From here on: how often in a row a try after such a read found nothing.
const ONE_EMPTY: u64 = 1 << 8;
const EMPTIES: u64 = 0xFFFF * ONE_EMPTY;
/// From here on: guesses in a row that brought nothing.
const ONE_FAILURE: u64 = 1 << 32;
/// Tries that have to find nothing before the first guess.
const NEEDED: u64 = 2;
/// At most `NEEDED << MOST_FAILURES` tries have to.
const MOST_FAILURES: u64 = 10;

/// See the head of this file.
pub struct Habit(Counter);

impl Habit {
    /// Nothing is known.
    pub(super) fn new() -> Self {
        Self(Counter::new(0))
    }

    /// Whether the next try is likely to find nothing.
    pub(super) fn expects_nothing(&self) -> bool {
        let now = self.0.get();
        now & (FILLED | DEFERRED) == FILLED && now & EMPTIES >= (NEEDED << (now / ONE_FAILURE)) * ONE_EMPTY
    }

    /// The next try is put off.
    pub(super) fn deferred(&self) {
        self.0.set(self.0.get() | DEFERRED);
    }

    /// A try that had been put off is made without an event.
    pub(super) fn in_vain(&self) {
        let failures = (self.0.get() / ONE_FAILURE + 1).min(MOST_FAILURES);
        self.0.set(failures * ONE_FAILURE);
    }

    /// A read gave all that was asked for.
    pub(super) fn filled(&self) {
        let now = self.0.get();
        self.change(match now & (FILLED | DEFERRED) {
            0 => now | FILLED,
            // Something had been left.
            FILLED => now & !EMPTIES,
            _ => rewarded(now) | FILLED,
        });
    }

    /// A read gave less than was asked for.
    pub(super) fn fell_short(&self) {
        let now = self.0.get();
        self.change(if now & DEFERRED == 0 { now & !FILLED } else { rewarded(now) });
    }

    /// A read found nothing.
    pub(super) fn found_nothing(&self) {
        let now = self.0.get();
        let counts = now & (FILLED | DEFERRED) == FILLED && now & EMPTIES < EMPTIES;
        let counted = if counts { now + ONE_EMPTY } else { now };
        self.change(counted & !(FILLED | DEFERRED));
    }

    /// Most reads change nothing, and then nothing is written: others may read the line.
    fn change(&self, to: u64) {
        if to != self.0.get() {
            self.0.set(to);
        }
    }
}

/// An event brought what a try was put off for.
fn rewarded(now: u64) -> u64 {
    now & EMPTIES
}

impl fmt::Debug for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Habit").field("expects_nothing", &self.expects_nothing()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that come one by one: each fills the buffer, and the try after it finds nothing.
    fn frames(habit: &Habit, count: u64) {
        for _ in 0..count {
            habit.filled();
            habit.found_nothing();
        }
    }

    /// A guess after a read that filled its buffer, and what it comes to.
    fn guess(habit: &Habit, rewarded: bool) {
        assert!(habit.expects_nothing());
        habit.deferred();
        assert!(!habit.expects_nothing(), "a try that was put off is not put off again");
        if rewarded { habit.filled() } else { habit.in_vain() }
    }

    #[test]
    fn nothing_is_expected_after_it_was_found_often_enough() {
        let habit = Habit::new();
        frames(&habit, NEEDED - 1);
        habit.filled();
        assert!(!habit.expects_nothing());
        habit.found_nothing();
        assert!(!habit.expects_nothing(), "only a read that filled its buffer is followed by a guess");
        habit.filled();
        assert!(habit.expects_nothing());
    }

    #[test]
    fn what_was_left_after_a_read_makes_the_next_try_be_made() {
        let habit = Habit::new();
        frames(&habit, 100);
        habit.filled();
        habit.filled();
        assert!(!habit.expects_nothing());
    }

    #[test]
    fn a_read_that_falls_short_is_followed_by_no_guess() {
        let habit = Habit::new();
        frames(&habit, 100);
        habit.fell_short();
        assert!(!habit.expects_nothing());
    }

    #[test]
    fn guesses_go_on_while_events_come() {
        let habit = Habit::new();
        frames(&habit, NEEDED);
        habit.filled();
        for _ in 0..100 {
            guess(&habit, true);
        }
    }

    #[test]
    fn each_guess_in_vain_doubles_what_the_next_one_asks_for_and_a_reward_forgives() {
        let habit = Habit::new();
        for failures in 0..MOST_FAILURES + 3 {
            let needed = NEEDED << failures.min(MOST_FAILURES);
            frames(&habit, needed - 1);
            habit.filled();
            assert!(!habit.expects_nothing());
            habit.found_nothing();
            habit.filled();
            guess(&habit, false);
        }
        frames(&habit, NEEDED << MOST_FAILURES);
        habit.filled();
        guess(&habit, true);
        guess(&habit, false);
        frames(&habit, NEEDED << 1);
        habit.filled();
        guess(&habit, true);
    }

    #[test]
    fn a_try_that_was_made_early_ends_the_guess() {
        let habit = Habit::new();
        frames(&habit, NEEDED);
        habit.filled();
        habit.deferred();
        habit.found_nothing();
        habit.filled();
        assert!(habit.expects_nothing());
    }
}
