//! The clock of a model: time does not pass.

use std::time::Duration;

/// A moment after which nobody waits any more: now, or never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Duration>);

impl Deadline {
    /// A timeout of nothing has run out; any other never does.
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.filter(Duration::is_zero))
    }

    /// How long to wait at most; `None` is for ever.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0
    }
}
