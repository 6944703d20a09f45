//! A TCP connection.

use super::addr::ToSocketAddrs;
use super::byte_stream::{ByteSocket, byte_stream};
use super::connect::Connect;
use super::tcp;
use crate::reactor::{First, Interest, Reactor, Registered, os};
use core::fmt;
use core::time::Duration;
use socket2::SockRef;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{self, SocketAddr};
use weftwork_sync::primitive::Shared;

/// A TCP connection.
///
/// All methods take `&self`: one task may read while another writes, and several may read at once (each byte goes to one
/// of them). For parts that can be given away there are [`split`](Self::split) and [`into_split`](Self::into_split).
///
/// The stream, a reference to it and its halves implement [`futures_io::AsyncRead`] and [`futures_io::AsyncWrite`].
/// Wrap it into a `futures::io::BufReader` to read by lines. Dropping the stream closes the connection.
///
/// asyncio: the pair of `StreamReader` and `StreamWriter`; tokio: `TcpStream`.
#[doc(alias = "StreamReader")]
#[doc(alias = "StreamWriter")]
pub struct TcpStream {
    io: Registered<net::TcpStream>,
}

impl TcpStream {
    /// Connects to the first of the addresses that answers; they are tried one by one, in order.
    ///
    /// # Errors
    /// The name cannot be looked up, nobody answered (the message names every address and its reason), or no runtime is
    /// on this thread.
    ///
    /// # Cancel safety
    /// The attempt is given up and its socket closed.
    ///
    /// asyncio: `open_connection`; tokio: `TcpStream::connect`. See [`TcpListener`](super::TcpListener) for an example.
    #[doc(alias = "open_connection")]
    pub fn connect(addr: impl ToSocketAddrs) -> Connect {
        Connect::new(addr.resolve())
    }

    /// Takes over a connection of the standard library and puts it into non-blocking mode.
    ///
    /// # Errors
    /// No runtime is on this thread, or the system refuses.
    pub fn from_std(stream: net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::accepted(&crate::context::reactor()?, stream)
    }

    /// Gives the connection back to the standard library, in non-blocking mode.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        Ok(self.io.into_inner())
    }

    /// A connection that is in non-blocking mode already.
    pub(crate) fn accepted(reactor: &Shared<Reactor>, stream: net::TcpStream) -> io::Result<Self> {
        Registered::new(reactor, stream, Interest::BOTH, First::Try).map(Self::connected)
    }

    pub(super) fn connected(io: Registered<net::TcpStream>) -> Self {
        Self { io }
    }

    /// The address of this end.
    ///
    /// # Errors
    /// The system's.
    #[doc(alias = "get_extra_info")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// The system's: `NotConnected` if the connection is gone.
    #[doc(alias = "get_extra_info")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }

    /// Whether small writes are sent at once instead of being gathered (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.io.get_ref().nodelay()
    }

    /// Sends small writes at once instead of gathering them (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The system's.
    pub fn set_nodelay(&self, at_once: bool) -> io::Result<()> {
        self.io.get_ref().set_nodelay(at_once)
    }

    /// How long a close waits for what was written to be sent (`SO_LINGER`); `None` is the system's default.
    ///
    /// # Errors
    /// The system's.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(self.io.get_ref()).linger()
    }

    /// Sets how long a close waits for what was written to be sent (`SO_LINGER`), in whole seconds.
    ///
    /// Zero makes the close reset the connection. With any other value the drop of the stream may block its thread for
    /// that long.
    ///
    /// # Errors
    /// The system's.
    pub fn set_linger(&self, wait: Option<Duration>) -> io::Result<()> {
        SockRef::from(self.io.get_ref()).set_linger(wait)
    }

    /// The time to live of packets that it sends, in hops.
    ///
    /// # Errors
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.io.get_ref().ttl()
    }

    /// Sets the time to live of packets that it sends, in hops.
    ///
    /// # Errors
    /// The system's.
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.io.get_ref().set_ttl(hops)
    }
}

byte_stream! { TcpStream, tcp }

impl ByteSocket for net::TcpStream {
    const SHORT_READ_EMPTIES: bool = true;

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        os::recv(self, buf)
    }

    fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        io::Read::read_vectored(&mut &*self, bufs)
    }

    fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek(buf)
    }

    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        os::send(self, buf)
    }

    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        io::Write::write_vectored(&mut &*self, bufs)
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

super::operations::descriptor!(TcpStream, |stream| stream.io.get_ref());
