//! Async locks, channels and notifications that run on any executor.
#![warn(missing_debug_implementations)]

pub mod coop;
#[doc(hidden)]
pub mod primitive;
mod wake_batch;

pub use wake_batch::WakeBatch;
