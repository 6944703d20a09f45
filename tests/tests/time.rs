#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
#![allow(clippy::async_yields_async, reason = "futures and handles are passed between tasks on purpose")]
//! Time: when sleeps end, in which order, what they leave behind; under a clock that only the test moves.

mod fixtures;

use fixtures::{armed_timers, both_flavors, poll_once, two_workers, with_clock};
use futures::future::join_all;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use weftwork::runtime::Builder;
use weftwork::sync::oneshot;
use weftwork::testing::{ManualClock, settle};
use weftwork::time::{Duration, Instant, interval, sleep, sleep_until, timeout};
use weftwork::{JoinHandle, spawn, spawn_local};

const NANOSECOND: Duration = Duration::from_nanos(1);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_sleep_ends_at_its_deadline_and_not_before() {
    let durations = [
        NANOSECOND,
        Duration::from_nanos((1 << 16) - 1),
        Duration::from_nanos(1 << 16),
        Duration::from_nanos((1 << 16) + 1),
        Duration::from_micros(50),
        Duration::from_millis(1),
        Duration::from_nanos((1 << 22) + 12_345),
        SECOND,
        Duration::from_secs(61),
        DAY,
        DAY * 400,
    ];
    with_clock(async |clock| {
        for duration in durations {
            let start = Instant::now();
            let sleeper = spawn(async move {
                sleep(duration).await;
                start.elapsed()
            });
            settle().await;
            clock.advance(duration - NANOSECOND);
            settle().await;
            assert!(!sleeper.is_finished(), "{duration:?} ended early");
            clock.advance(NANOSECOND);
            assert_eq!(sleeper.await.unwrap(), duration);
        }
        assert_eq!(armed_timers(), 0);
    });
}

#[test]
fn a_sleep_goes_by_the_runtime_that_was_entered() {
    let clock = ManualClock::new();
    let other = two_workers().clock(&clock).build().unwrap();
    both_flavors(|builder| {
        builder
            .run(async {
                let mut asleep = {
                    let _entered = other.enter();
                    let mut asleep = Box::pin(sleep(SECOND));
                    assert!(poll_once(&mut asleep).is_pending());
                    asleep
                };
                assert_eq!((armed_timers(), other.metrics().timers), (0, 1));
                clock.advance(SECOND);
                asleep.as_mut().await;
                assert_eq!(other.metrics().timers, 0);
            })
            .unwrap();
    });
}

#[test]
fn a_deadline_that_has_passed_is_not_waited_for() {
    with_clock(async |clock| {
        clock.advance(DAY);
        let now = Instant::now();
        for deadline in [now, now - SECOND, now - DAY] {
            assert!(poll_once(&mut sleep_until(deadline)).is_ready());
        }
        let mut zero = sleep(Duration::ZERO);
        assert!(poll_once(&mut zero).is_pending(), "a sleep of zero lets others run");
        assert!(poll_once(&mut zero).is_ready());
        assert_eq!(armed_timers(), 0);
    });
}

#[test]
fn a_sleep_counts_from_its_first_poll() {
    with_clock(async |clock| {
        let late = sleep(SECOND);
        assert_eq!(late.deadline(), None);
        clock.advance(DAY);
        let sleeper = spawn(late);
        settle().await;
        clock.advance(SECOND - NANOSECOND);
        settle().await;
        assert!(!sleeper.is_finished());
        clock.advance(NANOSECOND);
        sleeper.await.unwrap();
    });
}

#[test]
fn timers_that_are_due_together_fire_by_deadline_and_then_in_the_order_of_arming() {
    let clock = ManualClock::new();
    let order = Builder::new_current_thread().clock(&clock).run(async {
        let order = Arc::new(Mutex::new(Vec::new()));
        let seconds = [5, 1, 3, 1, 4, 3, 9, 2, 1];
        let tasks: Vec<_> = (0..seconds.len())
            .map(|task| {
                let order = order.clone();
                spawn(async move {
                    sleep(SECOND * seconds[task]).await;
                    order.lock().unwrap().push((seconds[task], task));
                })
            })
            .collect();
        settle().await;
        clock.advance(SECOND * 10);
        join_all(tasks).await;
        Arc::into_inner(order).unwrap().into_inner().unwrap()
    });
    assert_eq!(order.unwrap(), [(1, 1), (1, 3), (1, 8), (2, 7), (3, 2), (3, 5), (4, 4), (5, 0), (9, 6)]);
}

#[test]
fn ten_thousand_timers_fire_once_each_and_none_early() {
    with_clock(async |clock| {
        let start = Instant::now();
        let tasks: Vec<_> = (0..10_000_u64)
            .map(|task| {
                // Spread over an hour, with many that are equal.
                let duration = Duration::from_millis(task.wrapping_mul(2_654_435_761) % 3_600_000);
                spawn(async move {
                    sleep(duration).await;
                    start.elapsed() >= duration
                })
            })
            .collect();
        settle().await;
        for _ in 0..60 {
            clock.advance(SECOND * 60);
            settle().await;
        }
        assert!(tasks.iter().all(JoinHandle::is_finished));
        assert!(join_all(tasks).await.into_iter().all(Result::unwrap));
        assert_eq!(armed_timers(), 0);
    });
}

#[test]
fn tokio_3551_the_longest_durations_wait_and_do_no_harm() {
    let longest = [
        Duration::MAX,
        Duration::from_secs(u64::MAX),
        Duration::from_millis(u64::MAX),
        Duration::from_micros(u64::MAX),
        Duration::from_nanos(u64::MAX),
        Duration::from_nanos(u64::MAX - 1),
        Duration::from_nanos(i64::MAX as u64),
    ];
    with_clock(async |clock| {
        let start = Instant::now();
        let sleepers: Vec<_> = longest.into_iter().map(|duration| spawn(sleep(duration))).collect();
        let until: Vec<_> = longest.into_iter().map(|duration| spawn(sleep_until(start + duration))).collect();
        let short = spawn(sleep(SECOND));
        settle().await;
        clock.advance(SECOND);
        short.await.unwrap();
        clock.advance(DAY * 36_500);
        settle().await;
        for sleeper in sleepers.into_iter().chain(until) {
            assert!(!sleeper.is_finished());
            assert!(sleeper.cancel());
            assert!(sleeper.await.unwrap_err().is_cancelled());
        }
        assert_eq!(armed_timers(), 0);
    });
}

#[test]
fn tokio_4495_the_longest_timeouts_and_periods_wait() {
    with_clock(async |clock| {
        assert_eq!(timeout(Duration::MAX, ready(1)).await, Ok(1));
        let waits = spawn(timeout(Duration::MAX, pending::<()>()));
        let (sender, receiver) = oneshot::channel();
        let ends = spawn(timeout(Duration::MAX, receiver));
        let mut ticks = interval(Duration::MAX);
        assert_eq!(ticks.tick().await, Instant::now());
        let ticking = spawn(async move { ticks.tick().await });
        settle().await;
        clock.advance(DAY * 36_500);
        settle().await;
        assert!(!waits.is_finished() && !ticking.is_finished());
        sender.send(5).unwrap();
        assert_eq!(ends.await.unwrap(), Ok(Ok(5)));
    });
}

#[test]
fn tokio_6612_a_far_sleep_can_be_moved_near() {
    with_clock(async |clock| {
        let mut far = sleep(Duration::from_nanos(u64::MAX));
        assert!(poll_once(&mut far).is_pending());
        far.reset(Instant::now() + SECOND);
        let sleeper = spawn(far);
        settle().await;
        clock.advance(SECOND);
        sleeper.await.unwrap();
    });
}

#[test]
fn tokio_8334_timers_that_straddle_a_boundary_of_the_wheel_fire() {
    // The spans of the wheel's levels in nanoseconds, and tokio's 2^30 milliseconds.
    let spans = (16..=58).step_by(6).map(|bits| 1_u64 << bits).chain([(1 << 30) * 1_000_000]);
    let spans: Vec<_> = spans.map(Duration::from_nanos).collect();
    with_clock(|clock| {
        let spans = spans.clone();
        async move {
            let far = spawn(sleep(Duration::from_millis(i64::MAX as u64)));
            for span in spans {
                let short = span / 2;
                let now = Instant::now();
                let boundary = Instant::default_origin() + span;
                if boundary - short <= now {
                    continue;
                }
                clock.advance((boundary - short) - now);
                let sleepers = [short, short + NANOSECOND, short * 2].map(|duration| spawn(sleep(duration)));
                settle().await;
                clock.advance(short * 2);
                join_all(sleepers).await;
            }
            assert!(!far.is_finished());
        }
    });
}

/// The start of a manual clock's time.
trait Origin {
    fn default_origin() -> Self;
}

impl Origin for Instant {
    fn default_origin() -> Self {
        ManualClock::new().now()
    }
}

#[test]
fn time_that_leaps_fires_everything_that_was_passed() {
    with_clock(async |clock| {
        let sleepers: Vec<_> = (0..40).map(|bit| spawn(sleep(Duration::from_micros(1 << bit)))).collect();
        settle().await;
        clock.advance(DAY * 365);
        join_all(sleepers).await;
        assert_eq!(armed_timers(), 0);
    });
}

// Resetting, dropping, moving.

#[test]
fn a_sleep_can_be_reset_before_while_and_after_it_waits() {
    with_clock(async |clock| {
        let start = Instant::now();
        let mut timer = sleep(SECOND);
        timer.reset(start + SECOND * 2);
        assert!(poll_once(&mut timer).is_pending());
        assert_eq!(timer.deadline(), Some(start + SECOND * 2));
        timer.reset(start + SECOND * 5);
        assert!(poll_once(&mut timer).is_pending());
        assert_eq!(armed_timers(), 1, "the earlier deadline is forgotten");
        clock.advance(SECOND * 4);
        settle().await;
        assert!(poll_once(&mut timer).is_pending());
        clock.advance(SECOND);
        settle().await;
        assert!(poll_once(&mut timer).is_ready() && timer.is_elapsed());
        timer.reset(start + SECOND * 6);
        assert!(!timer.is_elapsed() && poll_once(&mut timer).is_pending());
        clock.advance(SECOND);
        timer.await;
    });
}

#[test]
fn a_sleep_that_is_dropped_is_disarmed() {
    with_clock(async |clock| {
        let mut sleeps: Vec<_> = (1..100).map(|seconds| sleep(SECOND * seconds)).collect();
        assert_eq!(armed_timers(), 0, "nothing is armed before the first poll");
        assert!(sleeps.iter_mut().all(|sleep| poll_once(sleep).is_pending()));
        assert_eq!(armed_timers(), 99);
        sleeps.truncate(10);
        assert_eq!(armed_timers(), 10);
        drop(sleeps);
        assert_eq!(armed_timers(), 0);
        clock.advance(DAY);
        settle().await;
    });
}

#[test]
fn a_sleep_may_move_to_another_task() {
    with_clock(async |clock| {
        let mut timer = spawn(async {
            let mut timer = sleep(SECOND);
            assert!(poll_once(&mut timer).is_pending());
            timer
        })
        .await
        .unwrap();
        for _ in 0..5 {
            timer = spawn(async move {
                assert!(poll_once(&mut timer).is_pending());
                timer
            })
            .await
            .unwrap();
        }
        assert_eq!(armed_timers(), 1);
        let last = spawn(timer);
        settle().await;
        clock.advance(SECOND);
        last.await.unwrap();
    });
}

#[test]
fn a_sleep_may_move_to_another_runtime() {
    let clock = ManualClock::new();
    let (first, second) = (two_workers().clock(&clock).build().unwrap(), two_workers().clock(&clock).build().unwrap());
    let timer = first.spawn(async {
        let mut timer = sleep(SECOND);
        assert!(poll_once(&mut timer).is_pending());
        timer
    });
    let timer = first.block_on(timer).unwrap();
    let moved = second.spawn(timer);
    second.block_on(settle());
    assert_eq!((first.metrics().timers, second.metrics().timers), (1, 0));
    clock.advance(SECOND);
    second.block_on(moved).unwrap();
    assert_eq!(first.metrics().timers, 0);
}

#[test]
fn a_plain_thread_may_wait_for_timers() {
    let clock = ManualClock::new();
    let runtime = two_workers().clock(&clock).build().unwrap();
    let waiters: Vec<_> = (1..=3)
        .map(|seconds| {
            let handle = runtime.handle().clone();
            thread::spawn(move || handle.block_on(sleep(SECOND * seconds)))
        })
        .collect();
    while runtime.metrics().timers < 3 {
        thread::yield_now();
    }
    clock.advance(SECOND * 3);
    for waiter in waiters {
        waiter.join().unwrap();
    }
    assert_eq!(runtime.metrics().timers, 0);
}

#[test]
fn a_plain_thread_may_wait_for_timers_while_another_drives_the_runtime() {
    let clock = ManualClock::new();
    let runtime = Builder::new_current_thread().clock(&clock).build().unwrap();
    let handle = runtime.handle().clone();
    let (done, end) = oneshot::channel();
    let waiter = thread::spawn(move || {
        handle.block_on(sleep(SECOND));
        done.send(()).unwrap();
    });
    while runtime.metrics().timers < 1 {
        thread::yield_now();
    }
    clock.advance(SECOND);
    runtime.block_on(end).unwrap();
    waiter.join().unwrap();
}

#[test]
fn a_sleep_outside_of_a_runtime_panics_with_advice() {
    for polled in [
        catch_unwind(|| futures::executor::block_on(sleep(SECOND))),
        catch_unwind(|| futures::executor::block_on(sleep_until(Instant::now() + SECOND))),
        catch_unwind(AssertUnwindSafe(|| {
            assert!(futures::executor::block_on(timeout(SECOND, pending::<()>())).is_err());
        })),
    ] {
        let payload = polled.unwrap_err();
        let text = payload.downcast_ref::<String>().expect("the panic has a text");
        assert!(text.contains("no weftwork runtime") && text.contains("Handle"), "{text}");
    }
    assert_eq!(futures::executor::block_on(timeout(SECOND, ready(1))), Ok(1), "what need not wait needs no runtime");
}

// Instants and the real clock.

#[test]
fn instants_convert_and_saturate() {
    let now = Instant::now();
    let std = now.into_std().unwrap();
    assert_eq!(Instant::from(std), now);
    assert_eq!(now + Duration::MAX, now + Duration::MAX + SECOND);
    assert_eq!(now.checked_add(Duration::MAX), None);
    assert_eq!(now - Duration::MAX, Instant::default_origin());
    assert_eq!(now.duration_since(now + SECOND), Duration::ZERO);
    assert_eq!((now + SECOND) - now, SECOND);
}

#[test]
fn real_sleeps_are_never_early() {
    both_flavors(|builder| {
        let early = builder
            .run(async {
                let sleepers = (0..200_u64).map(|task| {
                    spawn(async move {
                        let duration = Duration::from_micros(task * 37 % 3000);
                        let start = std::time::Instant::now();
                        sleep(duration).await;
                        start.elapsed() < duration
                    })
                });
                join_all(sleepers.collect::<Vec<_>>())
                    .await
                    .into_iter()
                    .filter(|early| *early.as_ref().unwrap())
                    .count()
            })
            .unwrap();
        assert_eq!(early, 0);
    });
}

#[test]
fn a_local_task_may_sleep() {
    let clock = ManualClock::new();
    Builder::new_current_thread()
        .clock(&clock)
        .run(async {
            let sleeper = spawn_local(sleep(SECOND));
            settle().await;
            clock.advance(SECOND);
            sleeper.await.unwrap();
        })
        .unwrap();
}
