//! Time: sleeping, ticking, and giving up waiting.
//!
//! Deadlines are nanoseconds on the monotonic clock. A timer never fires early; it fires when its worker next looks at the
//! clock, which is at once where the worker is idle. Nothing is armed before the first poll that has to wait.
//!
//! | file | holds |
//! |---|---|
//! | `instant.rs` | a point in time |
//! | `sleep.rs` | waiting until one |
//! | `interval.rs` | waiting again and again |
//! | `timeout.rs` | waiting for something else at most until one |
//! | `lock.rs` | the lock of a wheel |
//! | `timers.rs` | the owner of a wheel: the protocol between arming, firing and cancelling |

mod instant;
mod interval;
mod lock;
mod sleep;
mod timeout;
pub(crate) mod timers;

pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, Tick, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{
    Elapsed, MoveOn, RescheduleError, Timeout, TimeoutHandle, TimeoutWith, WaitTimeout, move_on_after, timeout,
    timeout_at, timeout_with, wait_timeout,
};

pub use core::time::Duration;
