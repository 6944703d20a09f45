//! A UDP socket.

use super::addr::ToSocketAddrs;
use super::datagram::{DatagramSocket, datagrams, one};
use super::udp::{self, Bind, Connect, Incoming, Outgoing, RecvBatch, SendBatch, SendTo};
use crate::reactor::{First, Interest, Place, Reactor, Registered, Way, os};
use core::fmt;
use core::task::{Context, Poll};
use std::io;
use std::net::{self, SocketAddr};
use weftwork_sync::primitive::Shared;

/// A socket that sends and receives UDP datagrams.
///
/// All methods take `&self`: any number of tasks may send and receive at once, each datagram goes to one of them. An error
/// that the network reports for a datagram sent earlier (nobody listens at that port) is the answer of one call; the
/// socket can be used on. Dropping the socket closes it.
///
/// Options that have to be set before it is bound are set on a socket of the `socket2` crate, which is then taken over with
/// [`from_std`](Self::from_std).
///
/// asyncio: `create_datagram_endpoint`; tokio: `UdpSocket`.
///
/// ```
/// use weftwork::net::UdpSocket;
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let server = UdpSocket::bind("127.0.0.1:0").await?;
/// let client = UdpSocket::bind("127.0.0.1:0").await?;
/// client.send_to(b"ping", server.local_addr()?).await?;
///
/// let mut buf = [0; 1500];
/// let (len, peer) = server.recv_from(&mut buf).await?;
/// assert_eq!((&buf[..len], peer), (&b"ping"[..], client.local_addr()?));
///
/// // With a peer there is no need to name it, and others are not heard.
/// client.connect(server.local_addr()?).await?;
/// server.send_to(b"pong", peer).await?;
/// let len = client.recv(&mut buf).await?;
/// assert_eq!(&buf[..len], b"pong");
/// # Ok(()) }) }
/// ```
#[doc(alias = "create_datagram_endpoint")]
#[doc(alias = "DatagramProtocol")]
pub struct UdpSocket {
    io: Registered<net::UdpSocket>,
}

impl UdpSocket {
    /// Binds the first address that can be bound; port 0 lets the system choose one.
    ///
    /// A socket that only sends is bound to `0.0.0.0:0` or `[::]:0`.
    ///
    /// # Errors
    /// The name cannot be looked up, no address can be bound (the message names every address and its reason), or no
    /// runtime is on this thread.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// asyncio: `create_datagram_endpoint(local_addr=...)`; tokio: `UdpSocket::bind`.
    pub fn bind(addr: impl ToSocketAddrs) -> Bind {
        Bind::new(addr.resolve())
    }

    /// Takes over a socket of the standard library and puts it into non-blocking mode.
    ///
    /// # Errors
    /// No runtime is on this thread, or the system refuses.
    pub fn from_std(socket: net::UdpSocket) -> io::Result<Self> {
        Self::on(&crate::context::reactor()?, socket)
    }

    pub(super) fn on(reactor: &Shared<Reactor>, socket: net::UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { io: Registered::new(reactor, socket, Interest::BOTH, First::Try)? })
    }

    /// Gives the socket back to the standard library, in non-blocking mode.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::UdpSocket> {
        Ok(self.io.into_inner())
    }

    /// Gives the socket a peer: the first address that the system takes. From then on it hears nobody else, and
    /// [`send`](Self::send) sends there. Nothing is sent by this.
    ///
    /// # Errors
    /// The name cannot be looked up, or no address would do (the message names every address and its reason).
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// asyncio: `create_datagram_endpoint(remote_addr=...)`; tokio: `UdpSocket::connect`.
    pub fn connect(&self, addr: impl ToSocketAddrs) -> Connect<'_> {
        Connect::new(self, addr.resolve())
    }

    /// Sends a datagram to an address; it is sent as a whole or not at all.
    ///
    /// Of a name that stands for several addresses the first one of this socket's family is taken. A name is looked up for
    /// each datagram: look it up once with [`lookup_host`](super::lookup_host) to send many.
    ///
    /// # Errors
    /// The system's: the datagram is too long, the address is of the other family, `ConnectionRefused` if an earlier one
    /// found nobody (connected sockets). The name cannot be looked up. The runtime has shut down.
    ///
    /// # Cancel safety
    /// Nothing is sent but by the poll that says so.
    ///
    /// asyncio: `DatagramTransport.sendto`; tokio: `UdpSocket::send_to`.
    #[doc(alias = "sendto")]
    pub fn send_to<'a>(&'a self, buf: &'a [u8], target: impl ToSocketAddrs) -> SendTo<'a> {
        SendTo::new(self, buf, target.resolve())
    }

    /// As [`send_to`](Self::send_to), without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if no room is known: wait with [`writable`](Self::writable). Else the system's.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.io.try_io(Way::Out, |s| s.send_to(buf, target))
    }

    /// As [`send_to`](Self::send_to), for use in a hand-written future. Up to 33 tasks may wait this way at once without
    /// waking each other.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    pub fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.io.poll_io(Way::Out, &mut Place::Anonymous, false, cx, |s| one(s.send_to(buf, target)))
    }

    /// Receives as many datagrams as there are, at least one: as many as `slots` can take, and at most 32.
    ///
    /// The first slots are filled, in the order in which the datagrams came; gives how many. One system call on Linux
    /// (`recvmmsg`), one for each datagram elsewhere. Without slots it gives 0 at once.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), if it befalls the first one.
    ///
    /// # Cancel safety
    /// Nothing is lost: datagrams are taken only by the poll that returns them.
    ///
    /// asyncio and tokio: none.
    ///
    /// ```
    /// use weftwork::net::UdpSocket;
    /// use weftwork::net::udp::{Incoming, Outgoing};
    ///
    /// # fn main() -> std::io::Result<()> { weftwork::run(async {
    /// let server = UdpSocket::bind("127.0.0.1:0").await?;
    /// let client = UdpSocket::bind("127.0.0.1:0").await?;
    /// let to = server.local_addr()?;
    /// let sent = client.send_batch(&[Outgoing::to(b"one", to), Outgoing::to(b"two", to)]).await?;
    ///
    /// let (mut first, mut second) = ([0; 1500], [0; 1500]);
    /// let mut slots = [Incoming::new(&mut first), Incoming::new(&mut second)];
    /// let received = server.recv_batch(&mut slots).await?;
    /// assert!(received <= sent);
    /// assert_eq!((slots[0].payload(), slots[0].peer()), (&b"one"[..], Some(client.local_addr()?)));
    /// # Ok(()) }) }
    /// ```
    #[doc(alias = "recvmmsg")]
    pub fn recv_batch<'a, 'b>(&'a self, slots: &'a mut [Incoming<'b>]) -> RecvBatch<'a, 'b> {
        RecvBatch::new(self, slots)
    }

    /// As [`recv_batch`](Self::recv_batch), without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if none is known to be there: wait with [`readable`](Self::readable). Else the system's.
    pub fn try_recv_batch(&self, slots: &mut [Incoming<'_>]) -> io::Result<usize> {
        self.io.try_io(Way::In, |s| os::recv_batch(s, slots))
    }

    /// Sends as many of the datagrams as there is room for, in their order, at least one and at most 32; gives how many.
    ///
    /// One system call on Linux (`sendmmsg`), one for each datagram elsewhere. Without datagrams it gives 0 at once.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), if it befalls the first one: a later one's error is that of the next call, which
    /// begins with it.
    ///
    /// # Cancel safety
    /// Nothing is sent but by the poll that says so.
    ///
    /// asyncio and tokio: none. See [`recv_batch`](Self::recv_batch) for an example.
    #[doc(alias = "sendmmsg")]
    pub fn send_batch<'a>(&'a self, datagrams: &'a [Outgoing<'a>]) -> SendBatch<'a> {
        SendBatch::new(self, datagrams)
    }

    /// As [`send_batch`](Self::send_batch), without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if no room is known: wait with [`writable`](Self::writable). Else the system's.
    pub fn try_send_batch(&self, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
        self.io.try_io(Way::Out, |s| os::send_batch(s, datagrams))
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// The system's.
    #[doc(alias = "get_extra_info")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// The peer that [`connect`](Self::connect) gave it.
    ///
    /// # Errors
    /// The system's: `NotConnected` if it has none.
    #[doc(alias = "get_extra_info")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }
}

datagrams! { UdpSocket, udp, SocketAddr }

impl DatagramSocket for net::UdpSocket {
    type Address = SocketAddr;

    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv(buf)
    }

    fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(buf)
    }

    fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek(buf)
    }

    fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.peek_from(buf)
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

super::operations::descriptor!(UdpSocket, |socket| socket.io.get_ref());
