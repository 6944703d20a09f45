#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Giving up waiting: when timeouts end, what wins, what is dropped.

mod fixtures;

use fixtures::{Drops, armed_timers, both_flavors, with_clock};
use futures::future::poll_fn;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use weftwork::spawn;
use weftwork::sync::{channel, oneshot};
use weftwork::task::yield_now;
use weftwork::testing::{ManualClock, settle};
use weftwork::time::{Duration, Elapsed, Instant, sleep, timeout, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

/// Moves the clock by `step` whenever nothing else can run, until `done`.
async fn drive<F: Future>(clock: &ManualClock, step: Duration, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return value;
        }
        settle().await;
        clock.advance(step);
        settle().await;
    }
}

#[test]
fn a_timeout_of_zero_runs_its_future_to_the_first_await_that_waits() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let reached = Arc::new(Mutex::new(Vec::new()));
                let theirs = reached.clone();
                let outcome = timeout(Duration::ZERO, async move {
                    theirs.lock().unwrap().push("begun");
                    async {}.await;
                    theirs.lock().unwrap().push("went on");
                    pending::<()>().await;
                    theirs.lock().unwrap().push("never");
                });
                assert!(outcome.await.is_err());
                assert_eq!(*reached.lock().unwrap(), ["begun", "went on"]);
                assert_eq!(timeout(Duration::ZERO, async { 5 }).await, Ok(5));
            })
            .unwrap();
    });
}

#[test]
fn a_value_that_is_ready_when_the_time_is_up_wins() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let deadline = Instant::now() + Duration::from_secs(1);
                let both = spawn(timeout_at(deadline, async move {
                    sleep(Duration::from_secs(1)).await;
                    "value"
                }));
                settle().await;
                clock.advance(Duration::from_secs(1));
                assert_eq!(both.await.unwrap(), Ok("value"));
            })
            .unwrap();
    });
}

#[test]
fn when_the_outer_timeout_ends_first_the_inner_reports_nothing() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let inner_elapsed = Arc::new(AtomicBool::new(false));
                let theirs = inner_elapsed.clone();
                let outer = timeout(Duration::from_secs(1), async {
                    let inner = timeout(Duration::from_secs(2), pending::<()>()).await;
                    theirs.store(inner.is_err(), Ordering::SeqCst);
                });
                let outcome: Result<(), Elapsed> = drive(&clock, Duration::from_secs(1), outer).await;
                assert!(outcome.is_err());
                clock.advance(Duration::from_secs(10));
                settle().await;
                assert!(!inner_elapsed.load(Ordering::SeqCst));
            })
            .unwrap();
    });
}

#[test]
fn when_the_inner_timeout_ends_first_the_outer_keeps_its_own_deadline() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let start = Instant::now();
                let outer = timeout(Duration::from_secs(5), async {
                    let inner = timeout(Duration::from_secs(1), pending::<()>()).await;
                    assert!(inner.is_err());
                    assert_eq!(start.elapsed(), Duration::from_secs(1));
                    pending::<()>().await;
                });
                assert!(drive(&clock, Duration::from_secs(1), outer).await.is_err());
                assert_eq!(start.elapsed(), Duration::from_secs(5));
            })
            .unwrap();
    });
}

#[test]
fn a_timeout_drops_its_future_before_the_caller_goes_on() {
    both_flavors(|builder| {
        let clock = ManualClock::new();
        builder
            .clock(&clock)
            .run(async {
                let drops = Drops::default();
                let token = drops.token();
                let mut limited = Box::pin(timeout(Duration::from_secs(1), async move {
                    let _token = token;
                    pending::<()>().await;
                }));
                assert!(drive(&clock, Duration::from_secs(1), limited.as_mut()).await.is_err());
                assert_eq!(drops.count(), 1);
            })
            .unwrap();
    });
}

#[test]
fn tokio_4314_a_timeout_ends_a_future_that_always_spends_its_budget() {
    with_clock(async |clock| {
        let limited = spawn(timeout(SECOND, async {
            let (sender, receiver) = channel::bounded(1);
            loop {
                sender.send(()).await.unwrap();
                receiver.recv().await.unwrap();
            }
        }));
        // The greedy task is always ready, so nothing ever settles.
        while armed_timers() == 0 {
            yield_now().await;
        }
        clock.advance(SECOND);
        let outcome: Result<(), _> = limited.await.unwrap();
        assert!(outcome.is_err());
    });
}

#[test]
fn a_timeout_counts_from_its_first_poll_and_timeout_at_from_the_clock() {
    with_clock(async |clock| {
        let start = Instant::now();
        let (relative, absolute) = (timeout(SECOND, pending::<()>()), timeout_at(start + SECOND, pending::<()>()));
        clock.advance(SECOND);
        assert!(absolute.await.is_err(), "its deadline has passed already");
        let relative = spawn(relative);
        settle().await;
        assert!(!relative.is_finished());
        clock.advance(SECOND);
        assert!(relative.await.unwrap().is_err());
        assert_eq!(start.elapsed(), SECOND * 2);
    });
}

#[test]
fn an_elapsed_timeout_is_an_error_of_input_and_output() {
    with_clock(async |_| {
        let elapsed = timeout(Duration::ZERO, pending::<()>()).await.unwrap_err();
        assert_eq!(elapsed.to_string(), "the time was up before the future was ready");
        assert_eq!(std::io::Error::from(elapsed).kind(), std::io::ErrorKind::TimedOut);
    });
}

#[test]
fn a_timeout_that_was_not_needed_leaves_no_timer() {
    with_clock(async |_| {
        for _ in 0..100 {
            assert!(timeout(SECOND, yield_now()).await.is_ok());
        }
        assert_eq!(armed_timers(), 0);
        let (sender, receiver) = oneshot::channel();
        let waits = spawn(timeout(SECOND * 86_400, receiver));
        settle().await;
        assert_eq!(armed_timers(), 1);
        sender.send(1).unwrap();
        assert_eq!(waits.await.unwrap(), Ok(Ok(1)));
        assert_eq!(armed_timers(), 0);
    });
}
