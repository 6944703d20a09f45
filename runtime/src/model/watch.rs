//! How long a search takes: the one thing that it asks of the system.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "it stands outside of every model")]

use core::time::Duration;
use std::time::Instant;

/// Since when a search is under way.
#[derive(Debug)]
pub(super) struct Watch(Instant);

impl Watch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
