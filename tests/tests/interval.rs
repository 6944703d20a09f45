#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Intervals: when they tick, and what becomes of ticks that nobody waited for.

mod fixtures;

use fixtures::{armed_timers, poll_once, with_clock};
use std::panic::catch_unwind;
use weftwork::testing::{ManualClock, settle};
use weftwork::time::{Duration, Instant, MissedTickBehavior, interval, interval_at};
use weftwork::{JoinHandle, spawn};

const SECOND: Duration = Duration::from_secs(1);

/// The seconds, counted from the start, at which the next `count` ticks were due and at which they came.
async fn ticks(clock: &ManualClock, missed: MissedTickBehavior) -> Vec<(u64, u64)> {
    let start = Instant::now();
    let mut interval = interval(SECOND * 10);
    interval.set_missed_tick_behavior(missed);
    let ticking = spawn_ticks(interval, start, 6);
    settle().await;
    clock.advance(SECOND * 35);
    settle().await;
    while !ticking.is_finished() {
        clock.advance(SECOND);
        settle().await;
    }
    ticking.await.unwrap()
}

fn spawn_ticks(mut interval: weftwork::time::Interval, start: Instant, count: usize) -> JoinHandle<Vec<(u64, u64)>> {
    spawn(async move {
        let mut seen = Vec::new();
        for _ in 0..count {
            let due = interval.tick().await;
            seen.push(((due - start).as_secs(), start.elapsed().as_secs()));
        }
        seen
    })
}

#[test]
fn an_interval_gives_missed_ticks_at_once() {
    with_clock(async |clock| {
        let seen = ticks(&clock, MissedTickBehavior::Burst).await;
        assert_eq!(seen, [(0, 0), (10, 35), (20, 35), (30, 35), (40, 40), (50, 50)]);
    });
}

#[test]
fn an_interval_may_start_anew_after_a_late_tick() {
    with_clock(async |clock| {
        let seen = ticks(&clock, MissedTickBehavior::Delay).await;
        assert_eq!(seen, [(0, 0), (10, 35), (45, 45), (55, 55), (65, 65), (75, 75)]);
    });
}

#[test]
fn an_interval_may_leave_missed_ticks_out() {
    with_clock(async |clock| {
        let seen = ticks(&clock, MissedTickBehavior::Skip).await;
        assert_eq!(seen, [(0, 0), (10, 35), (40, 40), (50, 50), (60, 60), (70, 70)]);
    });
}

#[test]
fn an_interval_may_begin_later_and_be_reset() {
    with_clock(async |clock| {
        let start = Instant::now();
        let mut interval = interval_at(start + SECOND * 3, SECOND * 10);
        assert!(poll_once(&mut interval.tick()).is_pending());
        clock.advance(SECOND * 3);
        assert_eq!(interval.tick().await, start + SECOND * 3);
        interval.reset();
        clock.advance(SECOND * 10);
        assert_eq!(interval.tick().await, start + SECOND * 13);
        interval.reset_at(start + SECOND * 14);
        clock.advance(SECOND);
        assert_eq!(interval.tick().await, start + SECOND * 14);
        assert_eq!((interval.period(), interval.missed_tick_behavior()), (SECOND * 10, MissedTickBehavior::Burst));
        drop(interval);
        assert_eq!(armed_timers(), 0);
    });
}

#[test]
fn giving_up_a_tick_loses_none() {
    with_clock(async |clock| {
        let start = Instant::now();
        let mut interval = interval(SECOND * 10);
        interval.tick().await;
        for _ in 0..5 {
            assert!(poll_once(&mut interval.tick()).is_pending());
        }
        clock.advance(SECOND * 10);
        assert_eq!(interval.tick().await, start + SECOND * 10);
    });
}

#[test]
fn an_interval_of_zero_panics_with_advice() {
    let payload = catch_unwind(|| drop(interval(Duration::ZERO))).unwrap_err();
    assert!(payload.downcast_ref::<&str>().unwrap().contains("give it a period"));
}
