//! What is asked for: how many connections, at which pace, for how long.

use std::num::NonZeroU64;
use std::time::Duration;

/// When the next request goes out.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Pace {
    /// So many requests a second over all connections together, whatever the server does. Positive and finite.
    Open {
        /// Requests a second.
        per_second: f64,
    },
    /// As soon as the connection has its answer.
    Closed,
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Connections at the same time; at least one.
    pub connections: usize,
    /// When the next request goes out.
    pub pace: Pace,
    /// What goes on for so long first, and is not counted.
    pub warmup: Duration,
    /// How long requests are begun and counted; `None` leaves the end to `requests`.
    pub duration: Option<Duration>,
    /// How many requests are begun and counted; `None` leaves the end to `duration`.
    pub requests: Option<NonZeroU64>,
    /// How long a request may take from its sending (with the connecting, where it has to) to the end of its answer.
    pub timeout: Duration,
}

impl Plan {
    /// Ten seconds of a closed loop over ten connections.
    pub const DEFAULT: Self = Self {
        connections: 10,
        pace: Pace::Closed,
        warmup: Duration::ZERO,
        duration: Some(Duration::from_secs(10)),
        requests: None,
        timeout: Duration::from_secs(10),
    };

    /// How long it takes, warm-up and all, if it says so.
    pub fn length(&self) -> Option<Duration> {
        let by_number = match (self.pace, self.requests) {
            (Pace::Open { per_second }, Some(requests)) => {
                Duration::try_from_secs_f64(requests.get() as f64 / per_second).ok()
            }
            _ => None,
        };
        let measured = match (self.duration, by_number) {
            (Some(duration), Some(by_number)) => Some(duration.min(by_number)),
            (one, other) => one.or(other),
        };
        measured.map(|measured| self.warmup.saturating_add(measured))
    }
}
