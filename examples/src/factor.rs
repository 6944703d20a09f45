//! The prime factors of a number, by trying divisors on many threads. Whoever finds one stops all others.
//!
//! ```text
//!  race_ok                    the first lane with a divisor wins; the others are cancelled
//!   ├─ lane 0:  3  9 15 ..    each lane is a closure on the pool, which asks every so often
//!   ├─ lane 1:  5 11 17 ..    whether anybody still wants to know
//!   └─ lane 2:  7 13 19 ..
//! ```
//!
//! A closure that computes cannot be dropped where it waits, because it does not. Cancelling the task that waits for it lets
//! go of it, and [`weftwork::is_cancelled`] tells it so.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use weftwork::{ThreadPool, is_cancelled, race_ok, run_in_executor};

/// Divisors between two looks at whether to go on: some hundred microseconds.
const STRIDE: u64 = 1 << 15;

/// A pool for the search, and what it has done.
#[derive(Debug, Clone)]
pub struct Search {
    pool: ThreadPool,
    lanes: u64,
    tried: Arc<AtomicU64>,
}

/// Why a lane has no divisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoDivisor {
    /// It has none.
    Exhausted,
    /// Another lane was faster.
    Stopped,
}

impl Search {
    /// A search on `threads` threads of its own, of which there is one at least.
    ///
    /// Of its own, because the runtime's pool is for calls that wait: it starts threads by the hundred, and two of them on
    /// one processor would only be in each other's way.
    pub fn new(threads: usize) -> Self {
        let lanes = threads.max(1);
        let pool = ThreadPool::builder().max_threads(lanes).thread_name("factor").build();
        Self { pool, lanes: lanes as u64, tried: Arc::default() }
    }

    /// How many divisors have been tried so far, in steps of some thousands.
    pub fn tried(&self) -> u64 {
        self.tried.load(Ordering::Relaxed)
    }

    /// The prime factors of a number, in ascending order; 1 has none.
    ///
    /// Dropping the future stops the search.
    pub async fn factors(&self, number: NonZeroU64) -> Vec<u64> {
        let (mut primes, mut left) = (Vec::new(), vec![number.get()]);
        while let Some(number) = left.pop() {
            match self.divisor(number).await {
                Some(divisor) => left.extend([divisor, number / divisor]),
                None if number > 1 => primes.push(number),
                None => {}
            }
        }
        primes.sort_unstable();
        primes
    }

    /// Any divisor between 1 and the number itself.
    async fn divisor(&self, number: u64) -> Option<u64> {
        if number.is_multiple_of(2) {
            return (number > 2).then_some(2);
        }
        let lanes = (0..self.lanes).map(|lane| {
            let search = self.clone();
            async move {
                let candidates = Candidates { number, next: 3 + 2 * lane, step: 2 * search.lanes };
                let found = run_in_executor(&search.pool.clone(), move || candidates.search(&search.tried)).await;
                // A panic is one of ours, and a pool that cannot start a thread cannot search.
                found.unwrap_or_else(|error| panic!("a lane of the search: {error}"))
            }
        });
        race_ok(lanes).await.ok().map(|(_lane, divisor)| divisor)
    }
}

/// The divisors that one lane tries.
struct Candidates {
    number: u64,
    next: u64,
    step: u64,
}

impl Candidates {
    fn search(mut self, tried: &AtomicU64) -> Result<u64, NoDivisor> {
        let last = self.number.isqrt();
        while self.next <= last {
            if is_cancelled() {
                return Err(NoDivisor::Stopped);
            }
            let begin = self.next;
            for _ in 0..STRIDE {
                if self.next > last {
                    break;
                }
                if self.number.is_multiple_of(self.next) {
                    return Ok(self.next);
                }
                self.next += self.step;
            }
            tried.fetch_add((self.next - begin) / self.step, Ordering::Relaxed);
        }
        Err(NoDivisor::Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(number: u64) -> Vec<u64> {
        let number = NonZeroU64::new(number).unwrap();
        weftwork::run(async { Search::new(3).factors(number).await })
    }

    #[test]
    fn small_numbers_have_the_factors_that_one_learns_at_school() {
        assert!(factors(1).is_empty());
        assert_eq!(factors(2), [2]);
        assert_eq!(factors(9), [3, 3]);
        assert_eq!(factors(97), [97]);
        assert_eq!(factors(360), [2, 2, 2, 3, 3, 5]);
    }

    #[test]
    fn every_number_is_the_product_of_its_factors() {
        weftwork::run(async {
            let search = Search::new(2);
            for number in 1..300_u64 {
                let factors = search.factors(NonZeroU64::new(number).unwrap()).await;
                assert_eq!(factors.iter().product::<u64>(), number, "{factors:?}");
            }
        });
    }

    #[test]
    fn the_largest_number_ends_without_overflow() {
        assert_eq!(factors(u64::MAX), [3, 5, 17, 257, 641, 65_537, 6_700_417]);
    }

    #[test]
    fn one_lane_that_finds_a_divisor_stops_all() {
        // 3 times a large prime: the first lane finds 3 at once, the others would have 2^31 candidates to go through. The
        // prime itself is then searched to its end, so that is left out: only the first division is asked for.
        let number = 3 * 2_305_843_009_213_693_951;
        weftwork::run(async {
            let search = Search::new(4);
            assert_eq!(search.divisor(number).await, Some(3));
            // Every thread of the pool is done, or this would not come back.
            search.pool.shutdown(None).unwrap();
            assert!(search.tried() < number.isqrt() / 8, "{}", search.tried());
        });
    }
}
