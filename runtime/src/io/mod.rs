//! Streams in memory, and readiness of descriptors that this crate has no type for.
//!
//! Sockets are in [`net`](crate::net); the traits of all streams are those of the `futures-io` crate.
//!
//! | file | holds |
//! |---|---|
//! | `duplex.rs` | a stream in memory with two ends |
//! | `pipe.rs` | one direction of it: the protocol |
//! | `duplex_uninit.rs` | reading from it into memory that was never written |
//! | `async_fd.rs`, `async_fd_futures.rs` | a descriptor of the user's own |

#[cfg(unix)]
mod async_fd;
#[cfg(unix)]
mod async_fd_futures;
mod duplex;
#[cfg(any(feature = "hyper", feature = "tokio-io"))]
mod duplex_uninit;
mod pipe;

#[cfg(unix)]
pub use async_fd::{AsyncFd, ReadyGuard, TryIoError};
#[cfg(unix)]
pub use async_fd_futures::{AsyncIo, Readiness};

pub use crate::reactor::Interest;
pub use duplex::{DuplexStream, duplex};

#[cfg(all(test, unix))]
mod tests;
