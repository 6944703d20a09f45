//! What is counted while the load runs: cheap to add to from every connection, readable at any time.
//!
//! Latencies are kept in HDR histograms, three digits each, a handful of them under locks of their own: a connection adds
//! to the one of its number. One for each connection would take hundreds of kilobytes a time, one for all would be a queue.

use super::fault::{Fault, Kind};
use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use weftwork::time::Instant;

/// More than the workers that add at the same time.
const SHARDS: usize = 16;
/// What is told apart at least, and what is held at most; longer ones count as this long.
const LEAST_NANOS: u64 = 100;
const MOST_NANOS: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

const KINDS: usize = Kind::ALL.len();

/// The counts. Ordering: all are Relaxed, each is a number by itself; the end of the tasks that add to them comes before
/// the report that reads them.
#[derive(Debug)]
pub struct Tally {
    answered: AtomicU64,
    bytes: AtomicU64,
    opened: AtomicU64,
    lost: AtomicU64,
    faults: [AtomicU64; KINDS],
    /// The first of each kind, in words.
    examples: Mutex<[Option<String>; KINDS]>,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug)]
struct Shard {
    latencies: Histogram<u64>,
    last: Option<Instant>,
}

/// How often something went wrong in one way, and an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// In which way.
    pub kind: Kind,
    /// How often.
    pub count: u64,
    /// What exactly, the first time.
    pub example: String,
}

/// No latencies.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(LEAST_NANOS, MOST_NANOS, DIGITS).expect("the bounds above are in order")
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            answered: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            faults: Default::default(),
            examples: Mutex::default(),
            shards: std::array::from_fn(|_| Mutex::new(Shard { latencies: latencies(), last: None })),
        }
    }
}

impl Tally {
    /// A connection was made.
    pub fn opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection ended that should not have.
    pub fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer came, whole and right.
    pub fn answered(&self, connection: usize, latency: Duration, bytes: u64, at: Instant) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut shard = locked(&self.shards[connection % SHARDS]);
        shard.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(MOST_NANOS));
        shard.last = shard.last.max(Some(at));
    }

    /// Something went wrong.
    pub fn failed(&self, fault: Fault) {
        self.failed_often(fault, 1);
    }

    /// The same went wrong so many times.
    pub fn failed_often(&self, fault: Fault, times: u64) {
        let place = fault.kind as usize;
        self.faults[place].fetch_add(times, Ordering::Relaxed);
        locked(&self.examples)[place].get_or_insert(fault.what);
    }

    /// Answers until now.
    pub fn answers(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Errors until now, of all kinds.
    pub fn errors(&self) -> u64 {
        self.faults.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Connections made until now.
    pub fn connections_opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Connections lost until now.
    pub fn connections_lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Bytes of all answers until now.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What went wrong, kind by kind; nothing that never did.
    pub fn faults(&self) -> Vec<Faults> {
        let examples = locked(&self.examples);
        let of = |kind: Kind| {
            let count = self.faults[kind as usize].load(Ordering::Relaxed);
            let example = examples[kind as usize].clone().unwrap_or_default();
            (count > 0).then_some(Faults { kind, count, example })
        };
        Kind::ALL.into_iter().filter_map(of).collect()
    }

    /// All latencies, and when the last answer came.
    pub fn latencies(&self) -> (Histogram<u64>, Option<Instant>) {
        let (mut all, mut last) = (latencies(), None);
        for shard in &self.shards {
            let shard = locked(shard);
            all.add(&shard.latencies).expect("all have the same bounds");
            last = last.max(shard.last);
        }
        (all, last)
    }
}

/// Nothing under these locks can leave a count half made.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_connections_count_apart_comes_together() {
        let tally = Tally::default();
        let start = Instant::now();
        for connection in 0..100_usize {
            let latency = Duration::from_millis(1 + connection as u64);
            tally.answered(connection, latency, 10, start + latency);
        }
        let (latencies, last) = tally.latencies();
        assert_eq!((latencies.len(), tally.answers(), tally.bytes()), (100, 100, 1000));
        assert_eq!(last, Some(start + Duration::from_millis(100)));
        let median = Duration::from_nanos(latencies.value_at_quantile(0.5));
        assert!(median.abs_diff(Duration::from_millis(50)) < Duration::from_micros(50), "{median:?}");
    }

    #[test]
    fn a_latency_out_of_bounds_counts_as_the_longest() {
        let tally = Tally::default();
        tally.answered(0, Duration::MAX, 0, Instant::now());
        tally.answered(0, Duration::ZERO, 0, Instant::now());
        let (latencies, _) = tally.latencies();
        assert_eq!(latencies.len(), 2);
        assert!(latencies.max() >= MOST_NANOS);
    }

    #[test]
    fn the_first_fault_of_a_kind_is_its_example() {
        let tally = Tally::default();
        tally.failed(Fault::new(Kind::BadAnswer, "first"));
        tally.failed(Fault::new(Kind::BadAnswer, "second"));
        tally.failed_often(Fault::new(Kind::NotSent, "busy"), 40);
        let expected = [(Kind::BadAnswer, 2, "first"), (Kind::NotSent, 40, "busy")];
        let expected = expected.map(|(kind, count, example)| Faults { kind, count, example: example.to_owned() });
        assert_eq!(tally.faults(), expected);
        assert_eq!(tally.errors(), 42);
    }
}
