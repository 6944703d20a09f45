//! The halves of a [`UnixStream`], the futures of the methods, and what else belongs to Unix sockets.
//!
//! Names are paths of socket files, and on Linux also abstract names, which are no file's: a path that begins with a zero
//! byte, or a [`SocketAddr`] made for one. Who may connect to a socket file is decided by its permissions, which follow the
//! process's umask, and by those of its folder.
//!
//! A listener or datagram socket removes the file that it made when it is dropped.

mod address;
mod again;
mod connect;
mod credentials;
pub(super) mod datagram_socket;
pub(super) mod listener;
mod socket_file;
pub(super) mod stream;
#[cfg(any(feature = "hyper", feature = "tokio-io"))]
mod stream_uninit;
#[cfg(all(test, target_os = "linux"))]
mod tests;

/// The futures of a [`UnixDatagram`](super::UnixDatagram)'s methods.
pub mod datagram;

pub use connect::Connect;
pub use credentials::PeerCredentials;
pub use std::os::unix::net::SocketAddr;

use super::acceptor::accept_futures;
use super::byte_stream;
use super::halves::{Half, halves};
use super::stream_futures::stream_futures;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use listener::UnixListener;
use std::os::unix::net;
use stream::UnixStream;

pub(super) type Socket = net::UnixStream;
type ListeningSocket = net::UnixListener;

stream_futures! { UnixStream }
halves! { UnixStream, SocketAddr }
accept_futures! { UnixListener, UnixStream, SocketAddr }
