//! The one place of this crate that reads a clock. It is read where a thread is about to sleep for a limited time, never
//! when a job is submitted or run.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use std::time::{Duration, Instant};

/// A moment after which nobody waits any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// `timeout` from now; `None`, or further than the clock can say, is for ever.
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// How long to wait at most; `None` is for ever.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }
}
