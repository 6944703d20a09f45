//! Async locks, channels and notifications that run on any executor.
#![warn(missing_debug_implementations)]

mod block_on;
pub mod channel;
pub mod coop;
mod mutex;
mod notify;
pub mod oneshot;
#[doc(hidden)]
pub mod primitive;
mod semaphore;
mod waiters;
mod wake_batch;

pub use block_on::block_on;
pub use mutex::{Lock, LockOwned, Mutex, MutexGuard, OwnedMutexGuard};
pub use notify::{Notified, Notify};
pub use semaphore::{Acquire, AcquireError, AcquireOwned, OwnedPermit, Permit, Semaphore, TryAcquireError};
pub use wake_batch::WakeBatch;
