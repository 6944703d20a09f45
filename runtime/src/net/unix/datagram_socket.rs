//! Datagrams between processes of one machine.

use super::SocketAddr;
use super::address::Address;
use super::datagram::{self, SendTo};
use super::socket_file::{SocketFile, Stale, bind, socket};
use crate::net::datagram::{DatagramSocket, datagrams};
use crate::reactor::{First, Interest, Reactor, Registered, os};
use core::fmt;
use socket2::{SockRef, Type};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net;
use std::path::Path;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::fault::{self, Point};

/// A Unix socket that sends and receives datagrams.
///
/// Datagrams arrive, in order and none is lost: a sender waits while the receiver has no room. All methods take `&self`;
/// any number of tasks may send and receive at once.
///
/// Dropping the socket removes the file that it made, unless another socket has taken its place by then or
/// [`set_remove_on_drop`](Self::set_remove_on_drop) says otherwise.
///
/// asyncio: `create_datagram_endpoint(family=AF_UNIX)`; tokio: `UnixDatagram`.
///
/// ```
/// use weftwork::net::UnixDatagram;
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let path = std::env::temp_dir().join(format!("weftwork-log-{}", std::process::id()));
/// let log = UnixDatagram::bind(&path)?;
/// let program = UnixDatagram::unbound()?;
/// program.send_to(b"begun", &path).await?;
///
/// let mut line = [0; 80];
/// let (len, sender) = log.recv_from(&mut line).await?;
/// assert_eq!(&line[..len], b"begun");
/// assert!(sender.is_unnamed());
/// # Ok(()) }) }
/// ```
#[doc(alias = "create_datagram_endpoint")]
pub struct UnixDatagram {
    // Dropped first: who sends from then on is told that there is no such file.
    file: Option<SocketFile>,
    io: Registered<Socket>,
}

impl UnixDatagram {
    /// Makes a socket file, to which others can send; on Linux a path that begins with a zero byte is an abstract name.
    ///
    /// # Errors
    /// `AddrInUse` if there is a file of that name; the message says whether another socket is bound there, none is (see
    /// [`bind_replacing`](Self::bind_replacing)), or it is no socket at all. `InvalidInput` for a path that is empty, too
    /// long (about a hundred bytes), or has a zero byte in it. Else the system's; or no runtime is on this thread.
    ///
    /// tokio: `UnixDatagram::bind`.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_address(&Address::of_path(path.as_ref())?, Stale::Refuse)
    }

    /// As [`bind`](Self::bind), and puts itself in the place of a socket file that no socket is bound to any more; as
    /// [`UnixListener::bind_replacing`](crate::net::UnixListener::bind_replacing).
    ///
    /// # Errors
    /// As [`bind`](Self::bind): a socket that is alive, and a file that is no socket, are left alone.
    pub fn bind_replacing(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_address(&Address::of_path(path.as_ref())?, Stale::Replace)
    }

    /// Binds an address, for example an abstract one; otherwise as [`bind`](Self::bind).
    ///
    /// # Errors
    /// As [`bind`](Self::bind); `InvalidInput` also for the address of a socket without a name.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::bind_address(&Address::of(address)?, Stale::Refuse)
    }

    fn bind_address(address: &Address, stale: Stale) -> io::Result<Self> {
        let reactor = crate::context::reactor()?;
        let (socket, file) = bind(Type::DGRAM, address, stale)?;
        Self::on(&reactor, socket.into(), file)
    }

    /// Makes a socket without a name: it can send, and hears only those that it has [connected](Self::connect) with.
    ///
    /// # Errors
    /// No descriptors are left, or no runtime is on this thread.
    ///
    /// tokio: `UnixDatagram::unbound`.
    pub fn unbound() -> io::Result<Self> {
        let reactor = crate::context::reactor()?;
        Self::on(&reactor, socket(Type::DGRAM)?.into(), None)
    }

    /// Makes two sockets that are connected with each other.
    ///
    /// # Errors
    /// No descriptors are left, or no runtime is on this thread.
    ///
    /// asyncio: `socket.socketpair`; tokio: `UnixDatagram::pair`.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        fault::pass(Point::Descriptor)?;
        let (one, other) = net::UnixDatagram::pair()?;
        Ok((Self::from_std(one)?, Self::from_std(other)?))
    }

    /// Takes over a socket of the standard library and puts it into non-blocking mode. Its file is not removed.
    ///
    /// # Errors
    /// No runtime is on this thread, or the system refuses.
    pub fn from_std(socket: net::UnixDatagram) -> io::Result<Self> {
        let reactor = crate::context::reactor()?;
        socket.set_nonblocking(true)?;
        Self::on(&reactor, socket, None)
    }

    fn on(reactor: &Shared<Reactor>, socket: net::UnixDatagram, file: Option<SocketFile>) -> io::Result<Self> {
        let socket = Socket { system: socket, reading_ended: AtomicBool::new(false) };
        Ok(Self { file, io: Registered::new(reactor, socket, Interest::BOTH, First::Try)? })
    }

    /// Gives the socket back to the standard library, in non-blocking mode. Its file stays.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(mut self) -> io::Result<net::UnixDatagram> {
        self.set_remove_on_drop(false);
        Ok(self.io.into_inner().system)
    }

    /// Sets whether dropping the socket removes the file that it made, which is so at first. It has no effect where it
    /// made none.
    pub fn set_remove_on_drop(&mut self, remove: bool) {
        if let Some(file) = &mut self.file {
            file.remove_on_drop = remove;
        }
    }

    /// Gives the socket a peer, to which [`send`](Self::send) sends.
    ///
    /// # Errors
    /// The system's: `NotFound` without a socket file, `ConnectionRefused` if no socket is bound there; else as
    /// [`bind`](Self::bind) about the path.
    ///
    /// tokio: `UnixDatagram::connect`.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        SockRef::from(self.io.get_ref()).connect(Address::of_path(path.as_ref())?.system())
    }

    /// Gives the socket a peer by its address; otherwise as [`connect`](Self::connect).
    ///
    /// # Errors
    /// As [`connect`](Self::connect); `InvalidInput` also for the address of a socket without a name.
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        SockRef::from(self.io.get_ref()).connect(Address::of(address)?.system())
    }

    /// Sends a datagram to the socket at a path; it is sent as a whole or not at all.
    ///
    /// While the receiver has no room it waits. The system tells that there is room only to a socket that has the receiver
    /// as its peer, so this asks again by the clock, after 0.1 ms at first and 10 ms at most; to send many,
    /// [`connect`](Self::connect) and [`send`](Self::send).
    ///
    /// # Errors
    /// The system's: `NotFound` without a socket file, `ConnectionRefused` if no socket is bound there, and the datagram is
    /// too long. `InvalidInput` about the path as in [`bind`](Self::bind). The runtime has shut down. Outside of a runtime
    /// a receiver without room is an error, since there is no timer to wait with.
    ///
    /// # Cancel safety
    /// Nothing is sent but by the poll that says so.
    ///
    /// asyncio: `DatagramTransport.sendto`; tokio: `UnixDatagram::send_to`.
    #[doc(alias = "sendto")]
    pub fn send_to<'a>(&'a self, buf: &'a [u8], path: impl AsRef<Path>) -> SendTo<'a> {
        SendTo::new(self, buf, Address::of_path(path.as_ref()))
    }

    /// Sends a datagram to the socket at an address; otherwise as [`send_to`](Self::send_to).
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to); `InvalidInput` also for the address of a socket without a name.
    ///
    /// # Cancel safety
    /// Nothing is sent but by the poll that says so.
    pub fn send_to_addr<'a>(&'a self, buf: &'a [u8], address: &SocketAddr) -> SendTo<'a> {
        SendTo::new(self, buf, Address::of(address))
    }

    /// As [`send_to`](Self::send_to), without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if the receiver has no room; [`writable`](Self::writable) does not know when it has. Else the system's,
    /// and as [`send_to`](Self::send_to) about the path.
    pub fn try_send_to(&self, buf: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.send_now(buf, &Address::of_path(path.as_ref())?)
    }

    pub(super) fn send_now(&self, buf: &[u8], target: &Address) -> io::Result<usize> {
        SockRef::from(self.io.get_ref()).send_to(buf, target.system())
    }

    /// Ends one side or both of a connected socket, and wakes whoever waits on that side.
    ///
    /// Whoever receives gets what has come by then, and empty datagrams without a sender from then on.
    ///
    /// # Errors
    /// The system's: `NotConnected` without a peer.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let socket = self.io.get_ref();
        let ends_reading = how != Shutdown::Write;
        if ends_reading {
            // Ordering: Release, and before the call: whoever its event wakes finds the flag.
            socket.reading_ended.store(true, Ordering::Release);
        }
        let done = socket.system.shutdown(how);
        if ends_reading && done.is_err() {
            socket.reading_ended.store(false, Ordering::Release);
        }
        done
    }

    /// The address it is bound to; one that was never bound has no name.
    ///
    /// # Errors
    /// The system's.
    #[doc(alias = "get_extra_info")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().system.local_addr()
    }

    /// The peer that [`connect`](Self::connect) gave it.
    ///
    /// # Errors
    /// The system's: `NotConnected` if it has none.
    #[doc(alias = "get_extra_info")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().system.peer_addr()
    }
}

datagrams! { UnixDatagram, datagram, SocketAddr }

/// The system's socket, and whether its reading was ended here.
///
/// Linux wakes a receiver then, and still answers `EAGAIN` to one that does not block; the end has to be remembered.
#[derive(Debug)]
pub(in crate::net) struct Socket {
    system: net::UnixDatagram,
    reading_ended: AtomicBool,
}

impl Socket {
    /// What a call gave, or that there is nothing and never will be.
    fn or_end<R>(&self, done: io::Result<R>, end: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        match done {
            // Ordering: Acquire pairs with the Release of `shutdown`; the event that follows it comes after the flag.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && self.reading_ended.load(Ordering::Acquire) => end(),
            done => done,
        }
    }

    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.system.take_error()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.system.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.system.as_raw_fd()
    }
}

impl DatagramSocket for Socket {
    type Address = SocketAddr;

    fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.or_end(self.system.recv(buf), || Ok(0))
    }

    fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.or_end(self.system.recv_from(buf), || Ok((0, os::address(None, None)?)))
    }

    fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.or_end(os::peek(&self.system, buf), || Ok(0))
    }

    fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.or_end(os::peek_from(&self.system, buf), || Ok((0, os::address(None, None)?)))
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.system.send(buf)
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDatagram")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .field("removes_file", &self.file.as_ref().is_some_and(|file| file.remove_on_drop))
            .finish()
    }
}

crate::net::operations::descriptor!(UnixDatagram, |socket| socket.io.get_ref());
