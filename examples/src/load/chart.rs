//! Latencies as a histogram in text: rows of 1, 2 and 5 of every power of ten, so that microseconds and seconds fit into
//! one picture and the same row means the same in every run.

use super::report::brief;
use hdrhistogram::Histogram;
use std::fmt::Write as _;
use std::time::Duration;

const WIDTH: usize = 50;

/// The rows from the one with the shortest latency to the one with the longest; nothing if there are none.
pub fn of(latencies: &Histogram<u64>) -> String {
    let mut counts: Vec<u64> = Vec::new();
    for step in latencies.iter_recorded() {
        // The buckets are finer than the rows, and have no common bounds with them: each counts as its least.
        let row = row_of(latencies.lowest_equivalent(step.value_iterated_to()));
        if counts.len() <= row {
            counts.resize(row + 1, 0);
        }
        counts[row] += step.count_at_value();
    }
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    let (most, all) = (counts.iter().max().copied().unwrap_or(0), latencies.len());
    let mut text = String::new();
    for (row, &count) in counts.iter().enumerate().skip(first) {
        let bound = brief(Duration::from_nanos(bound_of(row)));
        let marks = (count as f64 / most as f64 * WIDTH as f64).round() as usize;
        let bar = if count > 0 && marks == 0 { ".".to_owned() } else { "#".repeat(marks) };
        let share = count as f64 / all as f64 * 100.0;
        // Writing to a String does not fail.
        let _ = writeln!(text, "  to {bound:>8}  {bar:<WIDTH$} {count:>9}  {share:>6.2} %");
    }
    text
}

/// The first row whose bound is not exceeded.
fn row_of(nanos: u64) -> usize {
    (0..).find(|&row| nanos <= bound_of(row)).unwrap_or(usize::MAX)
}

/// 1, 2, 5, 10, 20, 50 ... microseconds.
fn bound_of(row: usize) -> u64 {
    let power = u32::try_from(row / 3).unwrap_or(u32::MAX);
    [1_000_u64, 2_000, 5_000][row % 3].saturating_mul(10_u64.saturating_pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tally;

    #[test]
    fn rows_go_from_the_shortest_to_the_longest_and_hold_every_answer() {
        let mut latencies = tally::latencies();
        for (micros, count) in [(150, 1000), (450, 500), (4_000, 1), (1_500, 20)] {
            latencies.record_n(micros * 1000, count).unwrap();
        }
        let chart = of(&latencies);
        let rows: Vec<Vec<&str>> = chart.lines().map(|line| line.split_whitespace().collect()).collect();
        let bounds: Vec<String> = rows.iter().map(|row| format!("{} {}", row[1], row[2])).collect();
        assert_eq!(bounds, ["200 us", "500 us", "1.00 ms", "2.00 ms", "5.00 ms"], "{chart}");
        let bars: Vec<usize> = rows.iter().map(|row| row[3].matches('#').count()).collect();
        assert_eq!(bars, [50, 25, 0, 1, 0], "{chart}");
        assert_eq!(rows[4][3], ".", "one answer is seen too");
        let counts: u64 = rows.iter().map(|row| row[row.len() - 3].parse::<u64>().unwrap()).sum();
        assert_eq!(counts, 1521, "{chart}");
    }

    #[test]
    fn nothing_has_no_rows_and_everything_has_one() {
        assert_eq!(of(&tally::latencies()), "");
        for nanos in [0, 1, 999, 1_000, 1_001, 5_000_000, u64::MAX] {
            assert!(nanos <= bound_of(row_of(nanos)));
            assert!(row_of(nanos) == 0 || nanos > bound_of(row_of(nanos) - 1));
        }
    }
}
