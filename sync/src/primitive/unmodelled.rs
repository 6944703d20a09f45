//! Counters that no protocol depends on: identifiers, statistics. They are real in every world, so that counting does
//! not multiply the states a model has to visit. They cannot be used to order anything: every access is relaxed.
#![allow(clippy::disallowed_types, reason = "this is the facade")]

#[cfg(weftwork_count)]
use super::atomic::{AtomicU32, AtomicU64, Ordering};
#[cfg(not(weftwork_count))]
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A number that only ever says how many.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter at `start`.
    pub const fn new(start: u64) -> Self {
        Self(AtomicU64::new(start))
    }

    /// Adds `n` and returns what was there before; any thread may.
    #[inline]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn add(&self, n: u64) -> u64 {
        self.0.fetch_add(n, Ordering::Relaxed)
    }

    /// Adds 1, for a counter that one thread alone writes: no read-modify-write.
    #[inline]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn bump(&self) {
        self.bump_by(1);
    }

    /// Adds `n`, for a counter that one thread alone writes: no read-modify-write.
    #[inline]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn bump_by(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// Replaces the value.
    #[inline]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Reads the value.
    #[inline]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A small one, for what exists a million times: it stays at its end instead of beginning again at 0.
#[derive(Debug)]
pub struct SmallCounter(AtomicU32);

impl SmallCounter {
    /// A counter at 0.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Adds 1, for a counter that one thread alone writes: no read-modify-write.
    #[inline(always)]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn bump(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// Reads the value.
    #[inline(always)]
    #[cfg_attr(weftwork_count, track_caller)]
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for SmallCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new(0)
    }
}
