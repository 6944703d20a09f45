//! What came of a load, and how it is shown to a reader.

use super::chart;
use super::plan::{Pace, Plan};
use super::tally::{Faults, Tally};
use crate::log::Quoted;
use hdrhistogram::Histogram;
use std::fmt::{self, Write as _};
use std::time::Duration;
use weftwork::time::Instant;

/// The quantiles that are shown, for a reader and for a program.
pub const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was asked for.
    pub plan: Plan,
    /// What was measured: without the warm-up, up to the last answer.
    pub elapsed: Duration,
    /// Whole and right answers.
    pub answered: u64,
    /// Their length together.
    pub bytes: u64,
    /// What went wrong, kind by kind.
    pub faults: Vec<Faults>,
    /// Connections made.
    pub opened: u64,
    /// Connections that ended though they should not have.
    pub lost: u64,
    /// Of the answers, in nanoseconds.
    pub latencies: Histogram<u64>,
    /// It was stopped before its end.
    pub interrupted: bool,
}

impl Report {
    pub(super) fn new(plan: Plan, tally: &Tally, start: Instant, interrupted: bool) -> Self {
        let (latencies, last) = tally.latencies();
        let answers_for = last.map_or(Duration::ZERO, |last| last.duration_since(start).saturating_sub(plan.warmup));
        // A number of requests ends the load earlier than its duration does, as a stop does.
        let planned = plan.duration.filter(|_| !interrupted && plan.requests.is_none()).unwrap_or_default();
        Self {
            plan,
            elapsed: answers_for.max(planned),
            answered: tally.answers(),
            bytes: tally.bytes(),
            faults: tally.faults(),
            opened: tally.connections_opened(),
            lost: tally.connections_lost(),
            latencies,
            interrupted,
        }
    }

    /// Errors of all kinds.
    pub fn errors(&self) -> u64 {
        self.faults.iter().map(|faults| faults.count).sum()
    }

    /// Nothing went wrong, and something was answered.
    pub fn is_clean(&self) -> bool {
        self.errors() == 0 && self.lost == 0 && self.answered > 0
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        per_second(self.answered, self.elapsed)
    }

    /// Bytes of answers a second.
    pub fn byte_rate(&self) -> f64 {
        per_second(self.bytes, self.elapsed)
    }

    /// The latency that so large a part of the answers does not exceed; zero if there are none.
    pub fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(quantile))
    }
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { count as f64 / elapsed.as_secs_f64() }
}

/// Three digits and a unit.
pub fn brief(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let (value, unit) = match nanos {
        // Below the next unit also when it is rounded.
        ..999.5e3 => (nanos / 1e3, "us"),
        ..999.5e6 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// The table and the histogram.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = match self.plan.pace {
            Pace::Open { .. } => "from when a request was due to the end of its answer",
            Pace::Closed => "from when a connection was free to the end of its answer",
        };
        if self.interrupted {
            writeln!(f, "stopped before its end")?;
        }
        writeln!(
            f,
            "answered     {:>10}   {:.1} a second, {:.2} MB a second, in {:.2} s",
            self.answered,
            self.rate(),
            self.byte_rate() / 1e6,
            self.elapsed.as_secs_f64()
        )?;
        writeln!(f, "errors       {:>10}", self.errors())?;
        for faults in &self.faults {
            writeln!(f, "  {:<18} {:>10}   the first: {}", faults.kind.title(), faults.count, Quoted(&faults.example))?;
        }
        writeln!(f, "connections  {:>10}   made, {} lost", self.opened, self.lost)?;
        if self.answered == 0 {
            return Ok(());
        }
        writeln!(f, "\nlatency, {since}")?;
        let mut row = |name: &str, latency: Duration| writeln!(f, "  {name:<6} {:>10}", brief(latency));
        for (name, quantile) in QUANTILES {
            row(name, self.quantile(quantile))?;
        }
        row("max", Duration::from_nanos(self.latencies.max()))?;
        row("mean", Duration::from_nanos(self.latencies.mean() as u64))?;
        f.write_char('\n')?;
        f.write_str(&chart::of(&self.latencies))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::load::fault::{Fault, Kind};

    /// A thousand answers, of 1 ms, 2 ms ... 1 s, and a few errors.
    pub(crate) fn report() -> Report {
        let tally = Tally::default();
        let start = Instant::now();
        for number in 1..=1000_u32 {
            tally.answered(number as usize, Duration::from_millis(1) * number, 100, start + Duration::from_secs(10));
        }
        tally.opened();
        tally.failed_often(Fault::new(Kind::BadAnswer, "a \"quoted\"\n\u{1b}[2Jline"), 2);
        tally.lost();
        let plan = Plan { pace: Pace::Open { per_second: 100.0 }, ..Plan::DEFAULT };
        Report::new(plan, &tally, start, false)
    }

    #[test]
    fn quantiles_are_those_of_the_latencies() {
        let report = report();
        for (quantile, expected) in [(0.0, 1), (0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999), (1.0, 1000)] {
            let (found, expected) = (report.quantile(quantile), Duration::from_millis(expected));
            assert!(found.abs_diff(expected) * 500 <= expected, "{quantile}: {found:?}, not {expected:?}");
        }
    }

    #[test]
    fn the_table_says_what_was_asked_what_came_and_what_went_wrong() {
        let table = report().to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "answered           1000   100.0 a second, 0.01 MB a second, in 10.00 s");
        assert_eq!(lines[1], "errors                2");
        assert!(
            lines[2].starts_with("  bad answer                  2   the first: 'a \"quoted\"\\n\\u{1b}"),
            "{}",
            lines[2]
        );
        assert!(table.contains("connections           1   made, 1 lost"), "{table}");
        for row in [
            "p50        500 ms",
            "p90        900 ms",
            "p99        990 ms",
            "max        1.00 s",
            "from when a request was due",
        ] {
            assert!(table.contains(row), "{row:?} is not in\n{table}");
        }
    }

    #[test]
    fn without_an_answer_there_are_no_latencies() {
        let report = Report::new(Plan::DEFAULT, &Tally::default(), Instant::now(), true);
        assert!(!report.is_clean());
        let table = report.to_string();
        assert!(table.starts_with("stopped before its end\n") && !table.contains("p50"), "{table}");
    }

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        for (nanos, expected) in [
            (0, "0.00 us"),
            (1_234, "1.23 us"),
            (12_345, "12.3 us"),
            (123_456, "123 us"),
            (999_499, "999 us"),
            (999_500, "1.00 ms"),
            (9_994_999, "9.99 ms"),
            (9_995_001, "10.0 ms"),
            (99_950_001, "100 ms"),
            (1_500_000_000, "1.50 s"),
            (3_600_000_000_000, "3600 s"),
        ] {
            assert_eq!(brief(Duration::from_nanos(nanos)), expected);
        }
    }
}
