//! How long a second lasts, and how many have passed.
//!
//! A tutorial's program sleeps for seconds so that a reader sees it happen; a test has no time for that. So programs say
//! [`seconds`], and the command line says how long those are.

use std::sync::OnceLock;
use weftwork::time::{Duration, Instant};

/// How long a second lasts.
static SCALE: OnceLock<f64> = OnceLock::new();

/// Sets how long a second lasts; once, before a program runs.
pub fn set(scale: f64) {
    SCALE.get_or_init(|| scale);
}

fn scale() -> f64 {
    *SCALE.get_or_init(|| 1.0)
}

/// So many seconds, as long as they last here.
pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds * scale())
}

/// Tells how many seconds have passed since it was started, on the clock of the runtime.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// As `5.00 s`.
    pub fn elapsed(&self) -> String {
        format!("{:.2} s", self.0.elapsed().as_secs_f64() / scale())
    }
}
