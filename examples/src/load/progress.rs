//! The line that is rewritten while a load runs: how far, how fast, what went wrong, how long to go.

use super::plan::Plan;
use super::tally::Tally;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use weftwork::time::{Instant, MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_millis(500);
const BAR_WIDTH: usize = 20;
/// To the head of the line, and clears it.
const REWRITE: &str = "\r\u{1b}[K";

/// Hands a new line to `show` twice a second, for ever; the end of the load is the end of it.
pub async fn follow(plan: Plan, tally: Arc<Tally>, mut show: impl FnMut(&str)) -> Infallible {
    let start = Instant::now();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = (start, 0);
    loop {
        ticks.tick().await;
        let (now, answers) = (Instant::now(), tally.answers());
        let span = now.duration_since(before.0).as_secs_f64();
        let rate = if span > 0.0 { (answers - before.1) as f64 / span } else { 0.0 };
        before = (now, answers);
        let so_far = SoFar {
            elapsed: now.duration_since(start),
            rate,
            answers,
            errors: tally.errors(),
            connections: tally.connections_opened() - tally.connections_lost(),
        };
        show(&format!("{REWRITE}{}", line(&plan, &so_far)));
    }
}

/// What is left on the terminal when it is over: nothing.
pub fn wiped() -> &'static str {
    REWRITE
}

struct SoFar {
    elapsed: Duration,
    rate: f64,
    answers: u64,
    errors: u64,
    connections: u64,
}

fn line(plan: &Plan, so_far: &SoFar) -> String {
    let seconds = so_far.elapsed.as_secs();
    let by_time = plan.length().map(|length| so_far.elapsed.as_secs_f64() / length.as_secs_f64().max(1e-9));
    let by_number = plan.requests.map(|requests| so_far.answers as f64 / requests.get() as f64);
    let done = by_time.into_iter().chain(by_number).fold(0.0, f64::max).clamp(0.0, 1.0);
    let filled = (done * BAR_WIDTH as f64) as usize;
    let mut line = format!("[{:<BAR_WIDTH$}] {seconds} s", "#".repeat(filled));
    // Writing to a String does not fail.
    let _ = match plan.length() {
        Some(length) => write!(line, ", {} s to go", length.saturating_sub(so_far.elapsed).as_secs_f64().ceil()),
        None => write!(line, ", {:.0} %", done * 100.0),
    };
    let SoFar { rate, answers, errors, connections, .. } = so_far;
    let _ = write!(line, " | {rate:.0}/s | {answers} answers, {errors} errors | {connections} connections");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    fn at(seconds: u64, answers: u64) -> SoFar {
        SoFar { elapsed: Duration::from_secs(seconds), rate: 1234.5, answers, errors: 3, connections: 10 }
    }

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long_to_go() {
        let expected = "[##########          ] 5 s, 5 s to go | 1234/s | 600 answers, 3 errors | 10 connections";
        assert_eq!(line(&Plan::DEFAULT, &at(5, 600)), expected);
        assert!(line(&Plan::DEFAULT, &at(15, 0)).starts_with("[####################] 15 s, 0 s to go |"));
    }

    #[test]
    fn a_number_of_requests_is_a_measure_too() {
        let plan = Plan { duration: None, requests: NonZeroU64::new(1000), ..Plan::DEFAULT };
        assert!(line(&plan, &at(5, 250)).starts_with("[#####               ] 5 s, 25 % |"));
    }
}
