//! How long a plain thread is willing to wait. A model has no clock: there a park ends by being told, never by time.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

use std::time::{Duration, Instant};

/// A moment up to which to wait; it may be further away than the clock can say.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// The time that is left; zero when it has passed, `None` for ever.
    pub fn left(&self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }
}
