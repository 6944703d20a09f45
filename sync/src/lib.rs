//! Async locks, channels and notifications that run on any executor.
#![warn(missing_debug_implementations)]

mod block_on;
pub mod coop;
mod mutex;
pub mod oneshot;
#[doc(hidden)]
pub mod primitive;
mod waiters;
mod wake_batch;

pub use block_on::block_on;
pub use mutex::{Lock, LockOwned, Mutex, MutexGuard, OwnedMutexGuard};
pub use wake_batch::WakeBatch;
