//! The load on a clock that the test moves, against a server that is a few lines: every latency is known beforehand.

use super::*;
use std::num::NonZeroU64;
use weftwork::runtime::Builder;
use weftwork::testing::{ManualClock, settle};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Answers after a fixed time, and stalls once: what is asked within the stall is answered behind its end.
#[derive(Clone, Copy)]
struct Simulated {
    takes: Duration,
    stall: Option<(Instant, Instant)>,
    fault: fn(u64) -> Option<Kind>,
    refuses: bool,
    is_open: bool,
}

impl Simulated {
    const fn taking(takes: Duration) -> Self {
        Self { takes, stall: None, fault: |_| None, refuses: false, is_open: true }
    }
}

impl Connector for Simulated {
    type Connection = Self;

    async fn connect(&self) -> Result<Self, Fault> {
        if self.refuses { Err(Fault::new(Kind::Refused, "nobody is there")) } else { Ok(*self) }
    }
}

impl Exchange for Simulated {
    async fn exchange(&mut self, number: u64) -> Result<Answered, Fault> {
        if let Some((from, to)) = self.stall
            && (from..to).contains(&Instant::now())
        {
            sleep_until(to).await;
        }
        sleep(self.takes).await;
        let fault = (self.fault)(number).map(|kind| Fault::new(kind, "as planned"));
        match fault {
            Some(fault) if fault.kind == Kind::Reset => Err(fault),
            fault => Ok(Answered { bytes: 7, keep_alive: true, fault }),
        }
    }

    fn is_open(&self) -> bool {
        self.is_open
    }
}

/// Runs a load while the clock goes on in steps of a millisecond; stops it after so many, if said.
fn simulate(plan: Plan, server: Simulated, stop_after: Option<u32>) -> Report {
    let clock = ManualClock::new();
    let hand = clock.clone();
    let test = async move {
        let (tally, stop) = (Arc::new(Tally::default()), Arc::new(Latch::default()));
        let running = weftwork::spawn(run(plan, Arc::new(server), tally, stop.clone()));
        for step in 0.. {
            settle().await;
            if running.is_finished() {
                break;
            }
            if stop_after == Some(step) {
                stop.set();
            } else {
                hand.advance(MS);
            }
        }
        running.await.expect("the load does not panic")
    };
    Builder::new_current_thread().clock(&clock).run(test).expect("a runtime")
}

fn open(per_second: f64, connections: usize, duration: Duration) -> Plan {
    Plan { connections, pace: Pace::Open { per_second }, duration: Some(duration), ..Plan::DEFAULT }
}

fn closed(connections: usize, duration: Duration) -> Plan {
    Plan { connections, duration: Some(duration), ..Plan::DEFAULT }
}

fn faults(report: &Report) -> Vec<(Kind, u64)> {
    report.faults.iter().map(|faults| (faults.kind, faults.count)).collect()
}

/// Of the latencies, how many are longer than the bound.
fn longer_than(report: &Report, bound: Duration) -> u64 {
    let bound = bound.as_nanos() as u64;
    report.latencies.iter_recorded().filter(|step| step.value_iterated_to() > bound).map(|s| s.count_at_value()).sum()
}

fn assert_about(nanos: u64, expected: Duration) {
    let (found, expected) = (nanos as f64, expected.as_nanos() as f64);
    assert!((found - expected).abs() < expected / 500.0, "{found} ns instead of {expected} ns");
}

/// From the third second on, for a second.
fn stalling() -> Simulated {
    // A new clock stands where every clock begins.
    let origin = ManualClock::new().now();
    Simulated { stall: Some((origin + 2 * SECOND, origin + 3 * SECOND)), ..Simulated::taking(MS) }
}

#[test]
fn an_open_loop_counts_the_delay_of_all_that_was_due_while_the_server_stalled() {
    let report = simulate(open(100.0, 1, 10 * SECOND), stalling(), None);
    assert_eq!((report.answered, faults(&report)), (1000, vec![]));
    // The k-th request behind the beginning of the stall is due 10 ms * k later, and is answered 1 ms * k behind the end:
    // 1001 ms, 992 ms, 983 ms ... 2 ms, which are 112 requests, and from then on 1 ms again.
    assert_eq!(longer_than(&report, 3 * MS / 2), 112);
    assert_about(report.latencies.max(), 1001 * MS);
    assert_about(report.latencies.value_at_quantile(0.5), MS);
    assert_about(report.latencies.value_at_quantile(0.9), 101 * MS);
    assert_about(
        report.latencies.mean() as u64,
        (MS * 888 + (0..112).map(|k| MS * (1001 - 9 * k)).sum::<Duration>()) / 1000,
    );
}

#[test]
fn a_closed_loop_sees_the_same_stall_once() {
    let report = simulate(closed(1, 10 * SECOND), stalling(), None);
    assert_eq!(longer_than(&report, 3 * MS / 2), 1);
    assert_about(report.latencies.max(), 1000 * MS + MS);
    // A millisecond for each, a second for none.
    assert_eq!(report.answered, 9_000);
}

#[test]
fn requests_are_sent_when_they_are_due_over_all_connections_together() {
    let report = simulate(open(1000.0, 7, 2 * SECOND), Simulated::taking(5 * MS), None);
    assert_eq!((report.answered, report.opened, report.lost), (2000, 7, 0));
    assert_about(report.latencies.max(), 5 * MS);
    assert_about(report.latencies.min(), 5 * MS);
    assert_eq!(report.elapsed, 2 * SECOND + 4 * MS);
}

#[test]
fn what_was_due_and_never_sent_is_an_error() {
    let plan = Plan { timeout: SECOND / 2, ..open(100.0, 1, SECOND) };
    let report = simulate(plan, Simulated::taking(100 * MS), None);
    // One every 100 ms until half a second behind the end.
    assert_eq!((report.answered, faults(&report)), (15, vec![(Kind::NotSent, 85)]));
    assert!(!report.is_clean());
}

#[test]
fn a_number_of_requests_is_kept_to_exactly() {
    for pace in [Pace::Closed, Pace::Open { per_second: 400.0 }] {
        for warmup in [Duration::ZERO, 50 * MS] {
            let requests = NonZeroU64::new(25);
            let plan = Plan { pace, warmup, requests, duration: None, ..Plan::DEFAULT };
            let report = simulate(plan, Simulated::taking(MS), None);
            assert_eq!((report.answered, report.is_clean()), (25, true), "{pace:?} after {warmup:?}");
        }
    }
}

#[test]
fn the_warm_up_is_not_counted() {
    let plan = Plan { warmup: SECOND, ..open(100.0, 3, SECOND) };
    let report = simulate(plan, Simulated { stall: None, ..Simulated::taking(MS) }, None);
    assert_eq!((report.answered, report.elapsed), (100, SECOND));
    let plan = Plan { warmup: SECOND, ..closed(1, SECOND) };
    assert_eq!(simulate(plan, Simulated::taking(10 * MS), None).answered, 100);
}

#[test]
fn an_answer_that_is_late_costs_its_connection() {
    let plan = Plan { timeout: 100 * MS, ..closed(2, SECOND) };
    let report = simulate(plan, Simulated::taking(SECOND), None);
    assert_eq!((report.answered, faults(&report)), (0, vec![(Kind::TimedOut, 20)]));
    assert_eq!((report.opened, report.lost), (20, 20));
}

#[test]
fn a_connection_that_breaks_is_lost_and_made_anew() {
    let breaks = |number| (number == 50).then_some(Kind::Reset);
    let report = simulate(open(100.0, 4, SECOND), Simulated { fault: breaks, ..Simulated::taking(MS) }, None);
    assert_eq!((report.answered, faults(&report)), (99, vec![(Kind::Reset, 1)]));
    assert_eq!((report.opened, report.lost), (5, 1));
}

#[test]
fn a_bad_status_is_an_error_and_keeps_its_connection() {
    let every_tenth = |number| (number % 10 == 0).then_some(Kind::BadStatus);
    let report = simulate(open(100.0, 4, SECOND), Simulated { fault: every_tenth, ..Simulated::taking(MS) }, None);
    assert_eq!((report.answered, faults(&report)), (90, vec![(Kind::BadStatus, 10)]));
    assert_eq!((report.opened, report.lost), (4, 0));
}

#[test]
fn a_connection_that_ends_while_nothing_is_asked_is_lost() {
    let report = simulate(open(100.0, 4, SECOND), Simulated { is_open: false, ..Simulated::taking(MS) }, None);
    assert_eq!((report.lost, faults(&report)), (4, vec![(Kind::ClosedEarly, 4)]));
}

#[test]
fn where_nobody_listens_the_load_ends_at_once() {
    let report = simulate(closed(100, SECOND), Simulated { refuses: true, ..Simulated::taking(MS) }, Some(0));
    assert_eq!((report.answered, faults(&report)), (0, vec![(Kind::Refused, 100)]));
    assert!(!report.interrupted);
}

#[test]
fn a_load_that_is_stopped_reports_what_it_has() {
    let report = simulate(open(100.0, 4, 1000 * SECOND), Simulated::taking(MS), Some(1005));
    // Due at 0, 10, ... 1000 ms.
    assert_eq!((report.answered, report.is_clean(), report.interrupted), (101, true, true));
    assert_eq!(report.elapsed, 1001 * MS);
}
