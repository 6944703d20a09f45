//! Readiness of descriptors that this crate has no type for.
//!
//! Streams and listeners are in [`net`](crate::net); their traits are those of the `futures-io` crate.

#[cfg(unix)]
mod async_fd;
#[cfg(unix)]
mod async_fd_futures;

#[cfg(unix)]
pub use async_fd::{AsyncFd, ReadyGuard, TryIoError};
#[cfg(unix)]
pub use async_fd_futures::{AsyncIo, Readiness};

pub use crate::reactor::Interest;

#[cfg(all(test, unix))]
mod tests;
