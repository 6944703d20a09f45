//! Accepting TCP connections.

use super::acceptor::{Acceptor, ListeningSocket};
use super::addr::{LookupHost, ToSocketAddrs};
use super::attempts::Failures;
use super::listeners::BindAll;
use super::stream::TcpStream;
use super::tcp::{Accept, Incoming};
use crate::reactor::{Place, Reactor, os};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{self, SocketAddr};
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::fault::{self, Point};

/// Connections that may wait in the system's queue; the system's own limit applies too.
const BACKLOG: i32 = 1024;

/// A socket that accepts TCP connections.
///
/// When the process runs out of descriptors or memory, [`accept`](Self::accept) waits by itself (10 ms, doubling up to a
/// second) and goes on when some are free again; a server needs no code for it.
///
/// asyncio: a `Server` on one address; tokio: `TcpListener`.
///
/// ```
/// use weftwork::net::{TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (stream, peer) = listener.accept().await?;
/// assert_eq!(peer, client.local_addr()?);
///
/// stream.write_all(b"hello").await?;
/// let mut greeting = [0; 5];
/// client.read_exact(&mut greeting).await?;
/// assert_eq!(&greeting, b"hello");
/// # Ok(()) }) }
/// ```
#[doc(alias = "Server")]
pub struct TcpListener {
    acceptor: Acceptor<net::TcpListener>,
}

impl TcpListener {
    /// Binds the first address that can be bound, and listens.
    ///
    /// Port 0 lets the system choose one; see [`local_addr`](Self::local_addr). As with std, `SO_REUSEADDR` is set on
    /// Unix, so a server can be started again at once.
    ///
    /// # Errors
    /// The name cannot be looked up, no address can be bound (the message names every address and its reason), or no
    /// runtime is on this thread.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// tokio: `TcpListener::bind`. To listen on all of them there is [`bind_all`](Self::bind_all), and to set options
    /// before, [`TcpSocket`](super::TcpSocket).
    pub fn bind(addr: impl ToSocketAddrs) -> Bind {
        Bind { lookup: addr.resolve() }
    }

    /// Binds every address that the name stands for, and listens on all of them.
    ///
    /// Addresses that this machine does not have, and those of a family that it does not speak, are passed over as long as
    /// another one can be bound: so `"localhost"` means both loopback addresses wherever there are both. A listener on an
    /// IPv6 address is for IPv6 alone, so that `[::]` and `0.0.0.0` can have the same port. With port 0 each address gets
    /// a port of its own.
    ///
    /// # Errors
    /// The name cannot be looked up; an address cannot be bound, then none is (the message names it); no runtime is on
    /// this thread.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// asyncio: `start_server`, which does this; tokio: none. See [`TcpListeners`](super::TcpListeners) for an example.
    #[doc(alias = "start_server")]
    pub fn bind_all(addr: impl ToSocketAddrs) -> BindAll {
        BindAll::new(addr.resolve())
    }

    /// Takes over a listener of the standard library and puts it into non-blocking mode.
    ///
    /// # Errors
    /// No runtime is on this thread, or the system refuses.
    pub fn from_std(listener: net::TcpListener) -> io::Result<Self> {
        Self::on(&crate::context::reactor()?, listener)
    }

    pub(crate) fn on(reactor: &Shared<Reactor>, listener: net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { acceptor: Acceptor::new(reactor, listener)? })
    }

    /// Gives the listener back to the standard library, in non-blocking mode.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        Ok(self.acceptor.into_inner())
    }

    /// Waits for a connection.
    ///
    /// A failure that concerns one connection (it was aborted before it could be accepted) is passed over; running out of
    /// descriptors or memory is waited out. Any number of tasks may wait at once.
    ///
    /// # Errors
    /// What is left: the runtime has shut down, or the listener is broken. A caller that loops over `accept` should stop.
    /// Outside of a runtime, running out of descriptors is an error too, since there is no timer to wait with.
    ///
    /// # Cancel safety
    /// Nothing is lost: a connection is taken from the queue only by the poll that returns it.
    ///
    /// tokio: `TcpListener::accept`.
    pub fn accept(&self) -> Accept<'_> {
        Accept::new(self)
    }

    /// The connections as a stream that does not end; an item is an error where [`accept`](Self::accept) fails.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming::new(self)
    }

    /// As [`accept`](Self::accept), for use in a hand-written future. Up to 33 tasks may wait this way at once without
    /// waking each other.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (io, peer) = ready!(self.acceptor.poll_accept(&mut Place::Anonymous, false, cx))?;
        Poll::Ready(Ok((TcpStream::connected(io), peer)))
    }

    pub(super) fn acceptor(&self) -> &Acceptor<net::TcpListener> {
        &self.acceptor
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.get_ref().local_addr()
    }

    /// The time to live of packets that it sends, in hops.
    ///
    /// # Errors
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.acceptor.get_ref().ttl()
    }

    /// Sets the time to live of packets that it sends, in hops; connections inherit it.
    ///
    /// # Errors
    /// The system's.
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.acceptor.get_ref().set_ttl(hops)
    }
}

impl ListeningSocket for net::TcpListener {
    type Connection = net::TcpStream;
    type Peer = SocketAddr;

    fn accept(&self) -> io::Result<(net::TcpStream, SocketAddr)> {
        os::accept(self)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("local_addr", &self.local_addr().ok())
            .field("out_of_descriptors", &self.acceptor.pause().is_on())
            .finish()
    }
}

super::operations::descriptor!(TcpListener, |listener| listener.acceptor.get_ref());

/// The future of [`TcpListener::bind`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Bind {
    lookup: LookupHost,
}

impl Future for Bind {
    type Output = io::Result<TcpListener>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let addresses = ready!(Pin::new(&mut self.lookup).poll(cx))?;
        let reactor = crate::context::reactor()?;
        let mut failures = Failures::default();
        for address in addresses {
            match listen(address, Families::AsTheSystemSays).and_then(|socket| TcpListener::on(&reactor, socket)) {
                Ok(listener) => return Poll::Ready(Ok(listener)),
                Err(e) => failures.push(address, e),
            }
        }
        Poll::Ready(Err(failures.into_error("no address could be bound")))
    }
}

/// Whether a listener on an IPv6 address is for connections over IPv4 too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Families {
    /// Linux: yes, if the address is the unspecified one.
    AsTheSystemSays,
    /// No, so that another listener can have the port there.
    One,
}

pub(super) fn listen(address: SocketAddr, families: Families) -> io::Result<net::TcpListener> {
    fault::pass(Point::Descriptor)?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if os::REUSE_ADDRESS {
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() && families == Families::One {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
