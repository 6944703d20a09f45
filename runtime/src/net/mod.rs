//! TCP, UDP, Unix sockets, and the names of hosts.
//!
//! | here | asyncio | tokio |
//! |---|---|---|
//! | [`TcpListener`], [`TcpListeners`] | `start_server` | `TcpListener` |
//! | [`TcpStream`] | `open_connection` | `TcpStream` |
//! | [`TcpSocket`] | `socket.socket` | `TcpSocket` |
//! | [`tcp`] | the pair `(reader, writer)` | `net::tcp` |
//! | [`UdpSocket`] | `create_datagram_endpoint` | `UdpSocket` |
//! | `UnixListener`, `UnixStream` (Unix) | `start_unix_server`, `open_unix_connection` | the same |
//! | `UnixDatagram` (Unix) | `create_datagram_endpoint` | the same |
//! | [`lookup_host`] | `loop.getaddrinfo` | `lookup_host` |
//!
//! Streams implement the traits of `futures-io`, so the `futures` crate's extensions (`BufReader`, `lines`, `copy`) work on
//! them; the everyday methods are here as well.
//!
//! A socket belongs to the runtime in which it was made. It may be used on any thread, also outside of a runtime; when its
//! runtime has ended, waiting on it is an error.

mod accept_pause;
mod acceptor;
mod addr;
mod attempts;
mod byte_stream;
mod connect;
mod datagram;
mod halves;
mod listener;
mod listeners;
mod operations;
mod stream;
mod stream_futures;
#[cfg(any(feature = "hyper", feature = "tokio-io"))]
mod stream_uninit;
mod tcp_socket;
#[cfg(any(
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "ios",
    target_os = "linux",
    target_os = "macos",
    target_os = "netbsd"
))]
mod tcp_socket_unix;
#[cfg(test)]
mod tests;
mod udp_options;
mod udp_socket;

/// The halves of a [`TcpStream`] and the futures of its methods.
pub mod tcp;

/// Batches of datagrams, and the futures of a [`UdpSocket`]'s methods.
pub mod udp;

#[cfg(unix)]
pub mod unix;

pub use addr::{LookupHost, ToSocketAddrs, lookup_host};
pub use listener::TcpListener;
pub use listeners::TcpListeners;
pub use stream::TcpStream;
#[cfg(any(feature = "hyper", feature = "tokio-io"))]
pub(crate) use stream_uninit::ReadUninit;
pub use tcp_socket::TcpSocket;
pub use udp_socket::UdpSocket;
#[cfg(unix)]
pub use unix::{datagram_socket::UnixDatagram, listener::UnixListener, stream::UnixStream};
