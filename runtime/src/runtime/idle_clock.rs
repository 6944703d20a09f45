//! A clock that tests move, when the test is over: it passes by itself.
//!
//! While a run ends nobody is left to move it, and clean-up may wait for it, as the grace does. So whenever nothing can run it goes on to
//! the next timer.

use crate::platform::clock::Clock;
use crate::testing::{ManualClock, settle};
use core::convert::Infallible;
use core::future::pending;

/// Lets time pass as long as it is polled.
pub(super) async fn passes(clock: &Clock) -> Infallible {
    let Some(clock) = ManualClock::of(clock) else { return pending().await };
    loop {
        settle().await;
        if !clock.advance_to_next() {
            // Nobody waits for time.
            return pending().await;
        }
    }
}
