//! A wheel with its lock, on a clock that stands still.

use crate::platform::clock::{Clock, ManualTime};
use crate::time::timers::{self, NEVER, TimerKey, Timers};
use core::task::Waker;
use weftwork_sync::primitive::Shared;

/// A wheel of wakers.
pub struct Wheel(Timers);

/// A timer's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Armed(TimerKey);

impl Default for Wheel {
    fn default() -> Self {
        Self::new()
    }
}

impl Wheel {
    /// Never.
    pub const NEVER: u64 = NEVER;

    /// An empty wheel at time 0.
    pub fn new() -> Self {
        Self(Timers::new(Clock::Manual(Shared::new(ManualTime::default()))))
    }

    /// Arms a timer; its key, and whether it is now the earliest. `None` if the wheel is closed.
    pub fn arm(&self, deadline: u64, waker: Waker) -> Option<(Armed, bool)> {
        match self.0.arm(deadline, 0, waker) {
            timers::Armed::Timer(key, earliest) => Some((Armed(key), earliest)),
            timers::Armed::Closed => None,
        }
    }

    /// Gives a timer another waker; `false` if it has fired.
    pub fn set_waker(&self, timer: Armed, waker: &Waker) -> bool {
        self.0.look(timer.0, waker) == timers::Look::Waits
    }

    /// Takes a timer out; `false` if it has fired.
    pub fn cancel(&self, timer: Armed) -> bool {
        self.0.cancel(timer.0)
    }

    /// Fires what is due, as a worker does: takes out under the lock, calls after it.
    pub fn fire(&self, now: u64) -> usize {
        let mut due = Vec::new();
        while self.0.fire(now, &mut due) {}
        let fired = due.len();
        due.into_iter().for_each(Waker::wake);
        fired
    }

    /// When somebody has to come.
    pub fn next_due(&self) -> u64 {
        self.0.next_due()
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The end: whoever waits is woken.
    pub fn close(&self) -> usize {
        let waiting = self.0.close();
        let woken = waiting.len();
        waiting.into_iter().for_each(Waker::wake);
        woken
    }
}
