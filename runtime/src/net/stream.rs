//! A TCP connection.

use super::addr::ToSocketAddrs;
use super::connect::Connect;
use super::futures::{Peek, Read, ReadExact, Readable, Writable, Write, WriteAll};
use super::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::reactor::{First, Interest, Reactor, Registered, Way};
use core::fmt;
use core::time::Duration;
use socket2::SockRef;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::net::{self, Shutdown, SocketAddr};
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

    pub(super) fn io(&self) -> &Registered<net::TcpStream> {
        &self.io
    }

    /// Reads what is there, at least one byte; 0 says that the peer has ended its side (or `buf` is empty).
    ///
    /// # Errors
    /// The system's; or the runtime has shut down.
    ///
    /// # Cancel safety
    /// Nothing is lost: bytes are taken only by the poll that returns their number.
    pub fn read<'a>(&'a self, buf: &'a mut [u8]) -> Read<'a> {
        Read::new(self, buf)
    }

    /// Fills `buf`.
    ///
    /// # Errors
    /// `UnexpectedEof` if the peer ends its side before; else as [`read`](Self::read). What was read by then is in `buf`.
    ///
    /// # Cancel safety
    /// Bytes that were read into `buf` by then are gone from the stream, and how many is lost.
    ///
    /// asyncio: `StreamReader.readexactly`.
    #[doc(alias = "readexactly")]
    pub fn read_exact<'a>(&'a self, buf: &'a mut [u8]) -> ReadExact<'a> {
        ReadExact::new(self, buf)
    }

    /// Writes a part of `buf`, and says how much.
    ///
    /// # Errors
    /// The system's; or the runtime has shut down.
    ///
    /// # Cancel safety
    /// Nothing is lost: bytes are sent only by the poll that returns their number.
    pub fn write<'a>(&'a self, buf: &'a [u8]) -> Write<'a> {
        Write::new(self, buf)
    }

    /// Writes all of `buf`.
    ///
    /// # Errors
    /// As [`write`](Self::write). How much was sent by then is not known.
    ///
    /// # Cancel safety
    /// A part may have been sent, and how much is lost.
    ///
    /// asyncio: `StreamWriter.write` with `drain`.
    #[doc(alias = "drain")]
    pub fn write_all<'a>(&'a self, buf: &'a [u8]) -> WriteAll<'a> {
        WriteAll::new(self, buf)
    }

    /// Reads what is there and leaves it there.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> Peek<'a> {
        Peek::new(self, buf)
    }

    /// Waits until reading is believed to get on, as for [`try_read`](Self::try_read). It may not: be ready for
    /// `WouldBlock`.
    ///
    /// # Errors
    /// The runtime has shut down.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn readable(&self) -> Readable<'_> {
        Readable::new(self)
    }

    /// Waits until writing is believed to get on, as for [`try_write`](Self::try_write). It may not: be ready for
    /// `WouldBlock`.
    ///
    /// # Errors
    /// The runtime has shut down.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn writable(&self) -> Writable<'_> {
        Writable::new(self)
    }

    /// Reads what is there, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is known to be there: wait with [`readable`](Self::readable). Else the system's.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_io(Way::In, |mut stream| stream.read(buf))
    }

    /// As [`try_read`](Self::try_read), into several buffers.
    ///
    /// # Errors
    /// As [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.try_io(Way::In, |mut stream| stream.read_vectored(bufs))
    }

    /// Writes what there is room for, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if no room is known: wait with [`writable`](Self::writable). Else the system's.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_io(Way::Out, |mut stream| stream.write(buf))
    }

    /// As [`try_write`](Self::try_write), from several buffers.
    ///
    /// # Errors
    /// As [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.try_io(Way::Out, |mut stream| stream.write_vectored(bufs))
    }

    /// Ends one side or both; what was written is still sent, and whoever waits on that side is woken.
    ///
    /// # Errors
    /// The system's: `NotConnected` if the connection is gone.
    ///
    /// asyncio: `StreamWriter.write_eof`; tokio: `AsyncWriteExt::shutdown`.
    #[doc(alias = "write_eof")]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.get_ref().shutdown(how)
    }

    /// Ends the write side; a connection that is gone has nothing left to end.
    pub(super) fn end_writing(&self) -> io::Result<()> {
        match self.shutdown(Shutdown::Write) {
            Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }

    /// Splits the stream into halves that borrow it, at no cost.
    ///
    /// Where the `AsyncReadExt` of `futures` is in scope, its own `split` comes first: write
    /// `TcpStream::split(&mut stream)` there.
    ///
    /// tokio: `TcpStream::split`.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// Splits the stream into halves that own it together, for two tasks. Dropping the write half ends the write side.
    ///
    /// tokio: `TcpStream::into_split`.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        super::tcp::split_owned(self)
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

    /// Takes the error that is pending on the socket, if there is one.
    ///
    /// # Errors
    /// The system's, about the asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.get_ref().take_error()
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

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

super::operations::descriptor!(TcpStream, |stream| stream.io.get_ref());
