//! A TCP socket before it listens or connects: the time for options.

use super::connect::SocketConnect;
use super::listener::TcpListener;
use crate::reactor::os;
use core::fmt;
use core::time::Duration;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{self, SocketAddr};
use weftwork_sync::primitive::fault::{self, Point};

/// A TCP socket that neither listens nor is connected yet, for options that have to be set before.
///
/// Connections that a listener accepts inherit what was set here. An option that has no method is set through the
/// descriptor, as with the `socket2` crate's `SockRef::from(&socket)`.
///
/// asyncio: a `socket.socket` that is given to `start_server(sock=...)` or `open_connection(sock=...)`; tokio: `TcpSocket`.
///
/// ```
/// use weftwork::net::{TcpSocket, TcpStream};
/// use weftwork::time::Duration;
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let socket = TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?;
/// socket.set_keepalive_time(Duration::from_secs(60))?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(1024)?;
///
/// let client = TcpSocket::new_v4()?;
/// client.set_nodelay(true)?;
/// let client = client.connect(listener.local_addr()?).await?;
/// let (stream, _) = listener.accept().await?;
/// assert!(client.nodelay()?);
/// # drop(stream);
/// # Ok(()) }) }
/// ```
#[doc(alias = "socket")]
pub struct TcpSocket {
    socket: Socket,
}

impl TcpSocket {
    /// A socket for IPv4 addresses. It needs no runtime until it listens or connects.
    ///
    /// # Errors
    /// The system's: no descriptors are left, or it does not speak IPv4.
    pub fn new_v4() -> io::Result<Self> {
        Self::new(Domain::IPV4)
    }

    /// A socket for IPv6 addresses. It needs no runtime until it listens or connects.
    ///
    /// # Errors
    /// The system's: no descriptors are left, or it does not speak IPv6.
    pub fn new_v6() -> io::Result<Self> {
        Self::new(Domain::IPV6)
    }

    fn new(domain: Domain) -> io::Result<Self> {
        fault::pass(Point::Descriptor)?;
        let socket = os::socket(domain, Type::STREAM, Some(Protocol::TCP))?;
        Ok(Self { socket })
    }

    /// Takes over a socket that is not connected yet, in the guise that the standard library has for it, and puts it into
    /// non-blocking mode.
    ///
    /// # Errors
    /// The system's.
    ///
    /// tokio: `TcpSocket::from_std_stream`.
    #[doc(alias = "from_std_stream")]
    pub fn from_std(socket: net::TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: socket.into() })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Gives it an address; port 0 lets the system choose one.
    ///
    /// # Errors
    /// The system's: the address is in use, is none of this machine's, or is of the other family.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.socket.bind(&address.into())
    }

    /// Makes it a listener. `backlog` is how many connections may wait to be accepted; the system has a limit of its own,
    /// and counts one more on Linux. What comes beyond it is not answered, and comes again later.
    ///
    /// # Errors
    /// The system's; or no runtime is on this thread.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        let reactor = crate::context::reactor()?;
        self.socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        TcpListener::on(&reactor, self.socket.into())
    }

    /// Connects it to an address of its family.
    ///
    /// # Errors
    /// The system's; or no runtime is on this thread.
    ///
    /// # Cancel safety
    /// The attempt is given up and the socket closed.
    ///
    /// asyncio: `loop.sock_connect`; tokio: `TcpSocket::connect`.
    #[doc(alias = "sock_connect")]
    pub fn connect(self, address: SocketAddr) -> SocketConnect {
        SocketConnect::new(self.socket, address)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Takes the error that is pending on the socket, if there is one.
    ///
    /// # Errors
    /// The system's, about the asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// Whether an address may be bound on which connections of a predecessor still linger (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// The system's.
    pub fn reuseaddr(&self) -> io::Result<bool> {
        self.socket.reuse_address()
    }

    /// Lets an address be bound on which connections of a predecessor still linger (`SO_REUSEADDR`).
    ///
    /// [`TcpListener::bind`] does this on Unix. On Windows it means something else: two programs could have the same port
    /// at the same time.
    ///
    /// # Errors
    /// The system's.
    pub fn set_reuseaddr(&self, reuse: bool) -> io::Result<()> {
        self.socket.set_reuse_address(reuse)
    }

    /// Whether a connection on which nothing was sent for long is probed (`SO_KEEPALIVE`).
    ///
    /// # Errors
    /// The system's.
    pub fn keepalive(&self) -> io::Result<bool> {
        self.socket.keepalive()
    }

    /// Has a connection probed on which nothing was sent for long (`SO_KEEPALIVE`), after the system's own time: two hours
    /// on most.
    ///
    /// # Errors
    /// The system's.
    pub fn set_keepalive(&self, probe: bool) -> io::Result<()> {
        self.socket.set_keepalive(probe)
    }

    /// Has a connection probed on which nothing was sent for this long, in whole seconds, at least one (`TCP_KEEPIDLE`,
    /// `SO_KEEPALIVE`).
    ///
    /// # Errors
    /// The system's: `InvalidInput` for less than a second or more than it can count.
    pub fn set_keepalive_time(&self, idle: Duration) -> io::Result<()> {
        self.socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))
    }

    /// Bytes that the system keeps for what is to be sent (`SO_SNDBUF`).
    ///
    /// # Errors
    /// The system's.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        self.socket.send_buffer_size()
    }

    /// Sets how many bytes the system keeps for what is to be sent (`SO_SNDBUF`); it may give more (Linux: twice as much)
    /// or less.
    ///
    /// # Errors
    /// The system's.
    pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.socket.set_send_buffer_size(bytes)
    }

    /// Bytes that the system keeps for what was received (`SO_RCVBUF`).
    ///
    /// # Errors
    /// The system's.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        self.socket.recv_buffer_size()
    }

    /// Sets how many bytes the system keeps for what was received (`SO_RCVBUF`); it may give more (Linux: twice as much)
    /// or less. Beyond 64 KiB it must be set before the connection is made, since the window's scale is agreed on then.
    ///
    /// # Errors
    /// The system's.
    pub fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.socket.set_recv_buffer_size(bytes)
    }

    /// Whether small writes are sent at once instead of being gathered (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.tcp_nodelay()
    }

    /// Sends small writes at once instead of gathering them (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The system's.
    pub fn set_nodelay(&self, at_once: bool) -> io::Result<()> {
        self.socket.set_tcp_nodelay(at_once)
    }

    /// How long a close waits for what was written to be sent (`SO_LINGER`); `None` is the system's default.
    ///
    /// # Errors
    /// The system's.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.linger()
    }

    /// Sets how long a close waits for what was written to be sent (`SO_LINGER`), in whole seconds; see
    /// [`TcpStream::set_linger`](super::TcpStream::set_linger).
    ///
    /// # Errors
    /// The system's.
    pub fn set_linger(&self, wait: Option<Duration>) -> io::Result<()> {
        self.socket.set_linger(wait)
    }

    /// Whether an IPv6 socket is for IPv6 alone (`IPV6_V6ONLY`).
    ///
    /// # Errors
    /// The system's: it is an IPv4 socket.
    pub fn only_v6(&self) -> io::Result<bool> {
        self.socket.only_v6()
    }

    /// Sets whether an IPv6 socket is for IPv6 alone, or has IPv4's connections too when it is bound to `[::]`
    /// (`IPV6_V6ONLY`).
    ///
    /// # Errors
    /// The system's: it is an IPv4 socket.
    pub fn set_only_v6(&self, only: bool) -> io::Result<()> {
        self.socket.set_only_v6(only)
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpSocket").field("local_addr", &self.local_addr().ok()).finish()
    }
}

super::operations::descriptor!(TcpSocket, |socket| &socket.socket);
