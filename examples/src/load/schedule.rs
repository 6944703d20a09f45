//! When each request of an open loop is due.
//!
//! Request n is due n periods after the start, whatever happened to those before it; it belongs to connection n modulo
//! their number. So each connection has a schedule of its own without talking to the others, neighbours in time are on
//! different connections, and a connection that is held up delays its own requests only, each counted from its due time.
//!
//! Everything here is an offset from the start in nanoseconds, worked out anew from n: nothing adds up, so a rate of three
//! a second is still right after a year.

use std::num::NonZeroU64;
use std::time::Duration;

const NANOS_PER_SECOND: f64 = 1e9;

/// The requests of an open loop, numbered from 0 in the order in which they are due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    per_second: f64,
    connections: u64,
    /// The first number that is counted; those before it are warm-up.
    pub first_measured: u64,
    /// The first number that is not sent any more.
    pub end: u64,
}

impl Schedule {
    /// `per_second` has to be positive and finite.
    ///
    /// Ends after `duration`, or after `requests`, each counted behind the warm-up, whichever comes first; without either,
    /// never.
    pub fn new(
        per_second: f64,
        connections: usize,
        warmup: Duration,
        duration: Option<Duration>,
        requests: Option<NonZeroU64>,
    ) -> Self {
        let mut schedule = Self { per_second, connections: connections as u64, first_measured: 0, end: u64::MAX };
        schedule.first_measured = schedule.due_before(warmup);
        let by_time = duration.map_or(u64::MAX, |duration| schedule.due_before(warmup.saturating_add(duration)));
        let by_number = requests.map_or(u64::MAX, |requests| schedule.first_measured.saturating_add(requests.get()));
        schedule.end = by_time.min(by_number);
        schedule
    }

    /// How long after the start request `number` is due.
    pub fn due(&self, number: u64) -> Duration {
        Duration::from_nanos((number as f64 / self.per_second * NANOS_PER_SECOND).round() as u64)
    }

    /// The `turn`-th request of a connection, both from 0; `None` behind the end.
    pub fn number(&self, connection: usize, turn: u64) -> Option<u64> {
        let number = turn.checked_mul(self.connections)?.checked_add(connection as u64)?;
        (number < self.end).then_some(number)
    }

    /// How many requests a connection has from its `turn`-th on.
    pub fn left(&self, connection: usize, turn: u64) -> u64 {
        match self.number(connection, turn) {
            Some(number) => (self.end - number).div_ceil(self.connections),
            None => 0,
        }
    }

    /// How many requests are due before `offset`.
    fn due_before(&self, offset: Duration) -> u64 {
        let about = (offset.as_secs_f64() * self.per_second).ceil() as u64;
        // The product is rounded: the neighbours decide.
        let from = about.saturating_sub(1);
        (from..=about.saturating_add(1)).find(|&number| self.due(number) >= offset).unwrap_or(about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn of(per_second: f64, connections: usize, warmup: u64, seconds: u64) -> Schedule {
        let duration = Some(Duration::from_secs(seconds));
        Schedule::new(per_second, connections, Duration::from_secs(warmup), duration, None)
    }

    #[test]
    fn a_duration_has_as_many_requests_as_the_rate_says() {
        for (per_second, seconds, expected) in
            [(1.0, 1, 1), (3.0, 10, 30), (0.1, 30, 3), (0.1, 31, 4), (1e6, 60, 60_000_000)]
        {
            assert_eq!(of(per_second, 7, 0, seconds).end, expected, "{per_second} a second for {seconds} s");
        }
    }

    #[test]
    fn the_warm_up_is_sent_and_not_counted() {
        let schedule = of(100.0, 4, 2, 10);
        assert_eq!((schedule.first_measured, schedule.end), (200, 1200));
        assert_eq!(schedule.due(schedule.first_measured), 2 * SECOND);
        let counted = Schedule::new(100.0, 4, 2 * SECOND, Some(10 * SECOND), NonZeroU64::new(50));
        assert_eq!((counted.first_measured, counted.end), (200, 250));
        let endless = Schedule::new(100.0, 4, 2 * SECOND, None, None);
        assert_eq!(endless.end, u64::MAX);
    }

    #[test]
    fn due_times_do_not_drift() {
        let schedule = of(3.0, 1, 0, 1);
        let year = 365 * 24 * 3600;
        assert_eq!(schedule.due(3 * year), Duration::from_secs(year));
        assert_eq!(schedule.due(1), Duration::from_nanos(333_333_333));
        assert_eq!(schedule.due(2), Duration::from_nanos(666_666_667));
    }

    #[test]
    fn every_request_belongs_to_one_connection_and_comes_once() {
        for connections in [1, 2, 7, 30, 31] {
            let schedule = of(3.0, connections, 0, 10);
            let mut seen = Vec::new();
            for connection in 0..connections {
                let mut turn = 0;
                while let Some(number) = schedule.number(connection, turn) {
                    seen.push(number);
                    assert_eq!(schedule.left(connection, turn), schedule.left(connection, turn + 1) + 1);
                    turn += 1;
                }
                assert_eq!(schedule.left(connection, turn), 0);
            }
            seen.sort_unstable();
            assert_eq!(seen, (0..30).collect::<Vec<_>>(), "{connections} connections");
        }
    }

    #[test]
    fn what_lies_before_an_offset_is_exact() {
        for per_second in [0.3, 1.0, 3.0, 7.0, 999.0, 12_345.678] {
            let schedule = of(per_second, 1, 0, 1);
            for number in [1, 2, 10, 999, 1_000_000] {
                let due = schedule.due(number);
                assert_eq!(schedule.due_before(due), number, "{per_second}");
                assert_eq!(schedule.due_before(due + Duration::from_nanos(1)), number + 1, "{per_second}");
            }
        }
    }
}
