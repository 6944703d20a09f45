//! Counters that no protocol depends on: identifiers, statistics. They are real in every world, so that counting does
//! not multiply the states a model has to visit. They cannot be used to order anything: every access is relaxed.
#![allow(clippy::disallowed_types, reason = "this is the facade")]

use core::sync::atomic::{AtomicU64, Ordering};

/// A number that only ever says how many.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter at `start`.
    pub const fn new(start: u64) -> Self {
        Self(AtomicU64::new(start))
    }

    /// Adds `n` and returns what was there before; any thread may.
    #[inline]
    pub fn add(&self, n: u64) -> u64 {
        self.0.fetch_add(n, Ordering::Relaxed)
    }

    /// Adds 1, for a counter that one thread alone writes: no read-modify-write.
    #[inline]
    pub fn bump(&self) {
        self.bump_by(1);
    }

    /// Adds `n`, for a counter that one thread alone writes: no read-modify-write.
    #[inline]
    pub fn bump_by(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// Replaces the value.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Reads the value.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
