//! The two wheels of one owner. Who fires says what time it is, so no test waits.
#![allow(clippy::disallowed_types, reason = "std's Wake takes std's Arc")]

use super::*;
use crate::platform::clock::ManualTime;
use std::sync::Arc;
use std::task::Wake;
use weftwork_sync::primitive::{Mutex, Shared};

/// What the wakers write down when they are called.
type Log = Shared<Mutex<Vec<u64>>>;

struct Writes(u64, Log);

impl Wake for Writes {
    fn wake(self: Arc<Self>) {
        self.1.lock().push(self.0);
    }
}

fn waker(name: u64, log: &Log) -> Waker {
    Arc::new(Writes(name, log.clone())).into()
}

/// Fires as a worker does, and says what the wakers wrote.
fn fire(timers: &Timers, now: u64, log: &Log) -> Vec<u64> {
    let mut due = Vec::new();
    while timers.fire(now, &mut due) {
        due.drain(..).for_each(Waker::wake);
    }
    due.drain(..).for_each(Waker::wake);
    core::mem::take(&mut log.lock())
}

/// Timers on the real clock, and a time that none of theirs is before.
fn real() -> (Timers, u64, Log) {
    let timers = Timers::new(Clock::Real);
    let start = timers.now() + 1_000_000_000;
    (timers, start, Log::new(Mutex::new(Vec::new())))
}

/// As many long waits as are fired together, but for one; they end an hour after `start`.
fn nearly_a_crowd(timers: &Timers, start: u64, log: &Log) -> Vec<(Timer, bool)> {
    let hour = 3_600_000_000_000;
    (1..CROWD as u64).map(|n| timers.arm(start + hour, hour, waker(n + 1_000, log)).unwrap()).collect()
}

#[test]
fn a_long_wait_among_many_is_looked_at_by_a_millisecond_later_and_fires_when_it_is_due() {
    let (timers, start, log) = real();
    let deadline = start + COARSE_FROM;
    let others = nearly_a_crowd(&timers, start, &log);
    let (_timer, earliest) = timers.arm(deadline, COARSE_FROM, waker(1, &log)).unwrap();
    assert!(earliest);
    assert_eq!(timers.next_due() - deadline, 1_048_576);
    assert_eq!(fire(&timers, deadline - 1, &log), [], "it fired early");
    assert_eq!(timers.next_due() - deadline, 1_048_576);
    assert_eq!(fire(&timers, deadline, &log), [1], "who looks fires what is due");
    drop(others);
    assert_eq!(timers.len(), 0);
}

#[test]
fn a_long_wait_among_few_is_looked_at_to_the_nanosecond() {
    let (timers, start, log) = real();
    let mut others = nearly_a_crowd(&timers, start, &log);
    drop(others.pop());
    let deadline = start + COARSE_FROM;
    let timer = timers.arm(deadline, COARSE_FROM, waker(1, &log)).unwrap();
    assert_eq!(timers.next_due(), deadline);
    assert_eq!(fire(&timers, deadline - 1, &log), []);
    assert_eq!(timers.next_due(), deadline);
    drop(timer);
}

#[test]
fn a_wait_just_short_of_long_is_looked_at_to_the_nanosecond() {
    let (timers, start, log) = real();
    let deadline = start + COARSE_FROM - 1;
    let _timer = timers.arm(deadline, COARSE_FROM - 1, waker(1, &log)).unwrap();
    assert_eq!(timers.next_due(), deadline);
}

#[test]
fn a_long_wait_does_not_put_off_a_short_one() {
    let (timers, start, log) = real();
    let others = nearly_a_crowd(&timers, start, &log);
    let long = timers.arm(start + COARSE_FROM, COARSE_FROM, waker(1, &log)).unwrap();
    let (short, earliest) = timers.arm(start + COARSE_FROM + COARSE_TICK - 1, 5, waker(2, &log)).unwrap();
    assert!(earliest, "it is due before the long one has to be looked at");
    assert_eq!(timers.next_due(), start + COARSE_FROM + COARSE_TICK - 1);
    drop(short);
    assert_eq!(fire(&timers, start + COARSE_FROM - 1, &log), []);
    assert_eq!(timers.next_due(), start + COARSE_FROM + COARSE_TICK);
    drop((long, others));
    assert_eq!(timers.len(), 0);
}

#[test]
fn a_clock_that_is_moved_by_hand_has_no_coarse_timers() {
    let timers = Timers::new(Clock::Manual(Shared::new(ManualTime::default())));
    let log = Log::new(Mutex::new(Vec::new()));
    let hour = 3_600_000_000_000;
    let _timer = timers.arm(hour, hour, waker(1, &log)).unwrap();
    assert_eq!(timers.next_due(), hour);
    assert_eq!(fire(&timers, hour - 1, &log), []);
    assert_eq!(fire(&timers, hour, &log), [1]);
}

/// More than some batches of each, so that the order holds from batch to batch too.
#[test]
fn long_and_short_waits_fire_in_the_order_of_their_deadlines() {
    // Of a hundred in time, so many are of the short waits.
    for short in [0, 1, 30, 50, 97, 100] {
        let (timers, start, log) = real();
        let deadlines: Vec<u64> = (0..500_u64).map(|n| n * 193 % 500).collect();
        let armed: Vec<_> = deadlines
            .iter()
            .map(|&at| {
                let wait = if at % 100 < short { 1 } else { COARSE_FROM };
                timers.arm(start + at * 1_000, wait, waker(at, &log)).unwrap()
            })
            .collect();
        assert_eq!(fire(&timers, start + 249_999, &log), (0..250).collect::<Vec<_>>(), "{short} of 100 are short");
        assert_eq!(fire(&timers, start + 1_000_000, &log), (250..500).collect::<Vec<_>>(), "{short} of 100 are short");
        assert_eq!((timers.next_due(), timers.len()), (NEVER, 0));
        drop(armed);
    }
}

#[test]
fn one_wheel_far_behind_the_other_fires_first() {
    for (early, late) in [(1, COARSE_FROM), (COARSE_FROM, 1)] {
        let (timers, start, log) = real();
        let mut armed = Vec::new();
        for at in 0..300 {
            armed.push(timers.arm(start + 300 + at, late, waker(300 + at, &log)).unwrap());
            armed.push(timers.arm(start + at, early, waker(at, &log)).unwrap());
        }
        assert_eq!(fire(&timers, start + 600, &log), (0..600).collect::<Vec<_>>());
    }
}

#[test]
fn equal_deadlines_of_a_wheel_fire_in_the_order_in_which_they_were_armed() {
    let (timers, start, log) = real();
    let armed: Vec<_> =
        (0..200).map(|n| timers.arm(start, if n < 100 { 1 } else { COARSE_FROM }, waker(n, &log)).unwrap()).collect();
    let fired = fire(&timers, start, &log);
    for wheel in [0..100, 100..200] {
        assert!(fired.iter().copied().filter(|n| wheel.contains(n)).eq(wheel.clone()));
    }
    drop(armed);
}

#[test]
fn a_timer_that_is_dropped_takes_itself_out_of_its_wheel() {
    let (timers, start, log) = real();
    let short = timers.arm(start, 1, waker(1, &log)).unwrap();
    let long = timers.arm(start, COARSE_FROM, waker(2, &log)).unwrap();
    assert_eq!(timers.len(), 2);
    drop(short);
    assert_eq!(timers.len(), 1);
    drop(long);
    assert_eq!(timers.len(), 0);
    assert_eq!(fire(&timers, start, &log), []);
    assert_eq!(Shared::strong_count(&log), 1, "a waker is left");
}

#[test]
fn a_timer_may_outlive_the_runtime_of_its_wheel() {
    let (timers, start, log) = real();
    let (mut timer, _) = timers.arm(start + COARSE_FROM, COARSE_FROM, waker(1, &log)).unwrap();
    timers.close().into_iter().for_each(Waker::wake);
    assert_eq!(core::mem::take(&mut *log.lock()), [1], "who waits is told");
    drop(timers);
    assert_eq!(timer.look(NEVER, &waker(2, &log)), Look::Closed);
    assert_eq!(timer.look(0, &waker(3, &log)), Look::Fired, "it may have been due");
    drop(timer);
    assert_eq!(Shared::strong_count(&log), 1, "a waker is left");
}

#[test]
fn the_end_tells_those_too_that_were_about_to_fire() {
    let (timers, start, log) = real();
    let short: Vec<_> = (0..10).map(|n| timers.arm(start + 1_000, 1, waker(n, &log)).unwrap()).collect();
    let long: Vec<_> = (10..200).map(|n| timers.arm(start + n, COARSE_FROM, waker(n, &log)).unwrap()).collect();
    let mut due = Vec::new();
    assert!(timers.fire(start + 2_000, &mut due), "a batch of the long waits comes before the short ones");
    due.into_iter().chain(timers.close()).for_each(Waker::wake);
    let mut told = core::mem::take(&mut *log.lock());
    told.sort_unstable();
    assert_eq!(told, (0..200).collect::<Vec<_>>());
    drop((short, long));
}
