//! A connection between two processes of one machine.

use super::address::Address;
use super::connect::Connect;
use super::{PeerCredentials, SocketAddr};
use crate::net::byte_stream::{ByteSocket, byte_stream};
use crate::net::unix;
use crate::reactor::{First, Interest, Reactor, Registered, os};
use core::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::net;
use std::path::Path;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::fault::{self, Point};

/// A connection over a Unix socket, between processes of one machine.
///
/// It reads and writes as a [`TcpStream`](crate::net::TcpStream) does: by shared reference, in
/// [halves](Self::into_split), or by the traits of `futures-io`. Dropping it closes the connection.
///
/// asyncio: the pair of `StreamReader` and `StreamWriter`; tokio: `UnixStream`.
///
/// ```
/// use weftwork::net::UnixStream;
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let (here, there) = UnixStream::pair()?;
/// here.write_all(b"hello").await?;
/// let mut greeting = [0; 5];
/// there.read_exact(&mut greeting).await?;
/// assert_eq!(&greeting, b"hello");
/// # Ok(()) }) }
/// ```
#[doc(alias = "StreamReader")]
#[doc(alias = "StreamWriter")]
pub struct UnixStream {
    io: Registered<net::UnixStream>,
}

impl UnixStream {
    /// Connects to the listener at a path; on Linux a path that begins with a zero byte is an abstract name.
    ///
    /// While the listener's queue is full it waits. Linux does not say when there is room, so it asks again by the clock,
    /// after 0.1 ms at first and 10 ms at most.
    ///
    /// # Errors
    /// The system's: `NotFound` without a socket file, `ConnectionRefused` if nobody listens there, `PermissionDenied`.
    /// The path is empty, too long (about a hundred bytes), or has a zero byte in it (`InvalidInput`). No runtime is on
    /// this thread, or it has shut down.
    ///
    /// # Cancel safety
    /// The attempt is given up and its socket closed.
    ///
    /// asyncio: `open_unix_connection`; tokio: `UnixStream::connect`. See [`UnixListener`](crate::net::UnixListener) for an
    /// example.
    #[doc(alias = "open_unix_connection")]
    pub fn connect(path: impl AsRef<Path>) -> Connect {
        Connect::new(Address::of_path(path.as_ref()))
    }

    /// Connects to the listener at an address; otherwise as [`connect`](Self::connect).
    ///
    /// # Errors
    /// As [`connect`](Self::connect); `InvalidInput` also for the address of a socket without a name.
    ///
    /// # Cancel safety
    /// The attempt is given up and its socket closed.
    pub fn connect_addr(address: &SocketAddr) -> Connect {
        Connect::new(Address::of(address))
    }

    /// Makes two streams that are connected with each other.
    ///
    /// # Errors
    /// No descriptors are left, or no runtime is on this thread.
    ///
    /// asyncio: `socket.socketpair`; tokio: `UnixStream::pair`.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        fault::pass(Point::Descriptor)?;
        let (one, other) = net::UnixStream::pair()?;
        Ok((Self::from_std(one)?, Self::from_std(other)?))
    }

    /// Takes over a connection of the standard library and puts it into non-blocking mode.
    ///
    /// # Errors
    /// No runtime is on this thread, or the system refuses.
    pub fn from_std(stream: net::UnixStream) -> io::Result<Self> {
        Self::on(&crate::context::reactor()?, stream)
    }

    pub(super) fn on(reactor: &Shared<Reactor>, stream: net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Registered::new(reactor, stream, Interest::BOTH, First::Try).map(Self::connected)
    }

    /// Gives the connection back to the standard library, in non-blocking mode.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::UnixStream> {
        Ok(self.io.into_inner())
    }

    pub(super) fn connected(io: Registered<net::UnixStream>) -> Self {
        Self { io }
    }

    /// The address of this end; most ends that connected have no name.
    ///
    /// # Errors
    /// The system's.
    #[doc(alias = "get_extra_info")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// The address of the other end; most ends that connected have no name.
    ///
    /// # Errors
    /// The system's: `NotConnected` if the connection is gone.
    #[doc(alias = "get_extra_info")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }

    /// Who was at the other end when the connection was made.
    ///
    /// # Errors
    /// The system's; `Unsupported` where it cannot be asked.
    ///
    /// tokio: `UnixStream::peer_cred`.
    #[doc(alias = "SO_PEERCRED")]
    pub fn peer_cred(&self) -> io::Result<PeerCredentials> {
        let (uid, gid, pid) = os::peer_credentials(self.io.get_ref())?;
        Ok(PeerCredentials { uid, gid, pid })
    }
}

byte_stream! { UnixStream, unix }

impl ByteSocket for net::UnixStream {
    // A read stops short where a descriptor was sent along with the bytes, and where the sender changes.
    const SHORT_READ_EMPTIES: bool = false;

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut &*self, buf)
    }

    fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        io::Read::read_vectored(&mut &*self, bufs)
    }

    fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        os::peek(self, buf)
    }

    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut &*self, buf)
    }

    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        io::Write::write_vectored(&mut &*self, bufs)
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixStream")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

crate::net::operations::descriptor!(UnixStream, |stream| stream.io.get_ref());
