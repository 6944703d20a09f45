//! A wheel with its lock, on a clock that stands still.

use crate::platform::clock::{Clock, ManualTime};
use crate::time::timers::{Look, NEVER, Timer, Timers};
use core::task::Waker;
use weftwork_sync::primitive::Shared;

/// A wheel of wakers.
pub struct Wheel(Timers, Shared<ManualTime>);

/// A timer's key.
#[derive(Debug)]
pub struct Armed(pub(super) Timer);

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
        let time = Shared::new(ManualTime::default());
        Self(Timers::new(Clock::Manual(time.clone())), time)
    }

    /// Lets go of the wheel, as its runtime does; the answer says how many timers may keep it still: zero once it is freed.
    pub fn leave(self) -> impl Fn() -> usize {
        let Self(timers, time) = self;
        drop(timers);
        move || Shared::strong_count(&time) - 1
    }

    /// Arms a timer; and whether it is now the earliest. `None` if the wheel is closed.
    pub fn arm(&self, deadline: u64, waker: Waker) -> Option<(Armed, bool)> {
        self.0.arm(deadline, 0, waker).map(|(timer, earliest)| (Armed(timer), earliest))
    }

    /// Gives a timer another waker; `false` if it has fired.
    pub fn set_waker(timer: &mut Armed, waker: &Waker) -> bool {
        timer.0.look(NEVER, waker) == Look::Waits
    }

    /// Takes a timer out; `false` if it has fired.
    pub fn cancel(mut timer: Armed) -> bool {
        timer.0.take_out().is_some()
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
