//! What every connected byte stream does alike, written once: system calls, waiting, and the methods' documentation.
//!
//! A family of sockets says how it makes the calls ([`ByteSocket`]); [`byte_stream!`] gives its public type the methods.
//!
//! The `poll_*_any` methods have no identity of their own among the waiters. One task per direction is the common case and
//! costs no lock; up to 33 can wait in one direction without waking each other (see `reactor/waiters.rs`).

use crate::reactor::registered::Left;
use crate::reactor::{Place, Registered, Way};
use core::task::{Context, Poll};
use polling::AsSource;
use std::io::{self, IoSlice, IoSliceMut};

/// A socket of the standard library that carries bytes, by shared reference.
pub(crate) trait ByteSocket: AsSource {
    /// Whether a read that gives less than was asked for has emptied the socket.
    const SHORT_READ_EMPTIES: bool;

    fn read(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    fn peek(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn write(&self, buf: &[u8]) -> io::Result<usize>;
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// A read, and whether it emptied the socket.
pub(super) fn read<S: ByteSocket>(socket: &S, buf: &mut [u8]) -> io::Result<(usize, Left)> {
    let n = socket.read(buf)?;
    Ok((n, left::<S>(n, buf.len())))
}

/// A look, which empties nothing.
pub(super) fn peek<S: ByteSocket>(socket: &S, buf: &mut [u8]) -> io::Result<(usize, Left)> {
    Ok((socket.peek(buf)?, Left::Perhaps))
}

/// A write; less than was asked for says nothing about the next one.
pub(super) fn write<S: ByteSocket>(socket: &S, buf: &[u8]) -> io::Result<(usize, Left)> {
    Ok((socket.write(buf)?, Left::Perhaps))
}

/// No bytes into a buffer with room is the end, which stays readable.
fn left<S: ByteSocket>(n: usize, room: usize) -> Left {
    match n {
        n if !S::SHORT_READ_EMPTIES || n == 0 => Left::Perhaps,
        n if n < room => Left::Nothing,
        _ => Left::Unknown,
    }
}

impl<S: ByteSocket> Registered<S> {
    pub(super) fn poll_read_any(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Way::In, &mut Place::Anonymous, false, cx, |s| read(s, buf))
    }

    pub(super) fn poll_read_vectored_any(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let room = bufs.iter().map(|b| b.len()).sum();
        self.poll_io(Way::In, &mut Place::Anonymous, false, cx, |s| {
            let n = s.read_vectored(bufs)?;
            Ok((n, left::<S>(n, room)))
        })
    }

    pub(super) fn poll_write_any(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_io(Way::Out, &mut Place::Anonymous, false, cx, |s| write(s, buf))
    }

    pub(super) fn poll_write_vectored_any(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_io(Way::Out, &mut Place::Anonymous, false, cx, |s| Ok((s.write_vectored(bufs)?, Left::Perhaps)))
    }
}

/// The methods that a stream with a field `io: Registered<_>` has whatever its family; its futures and halves are those of
/// the module `$family`.
macro_rules! byte_stream {
    ($Stream:ident, $family:ident) => {
        impl $Stream {
            pub(in crate::net) fn io(&self) -> &crate::reactor::Registered<$family::Socket> {
                &self.io
            }

            /// Reads what is there, at least one byte; 0 says that the peer has ended its side (or `buf` is empty).
            ///
            /// # Errors
            /// The system's; or the runtime has shut down.
            ///
            /// # Cancel safety
            /// Nothing is lost: bytes are taken only by the poll that returns their number.
            pub fn read<'a>(&'a self, buf: &'a mut [u8]) -> $family::Read<'a> {
                $family::Read::new(self, buf)
            }

            /// Fills `buf`.
            ///
            /// # Errors
            /// `UnexpectedEof` if the peer ends its side before; else as [`read`](Self::read). What was read by then is in
            /// `buf`.
            ///
            /// # Cancel safety
            /// Bytes that were read into `buf` by then are gone from the stream, and how many is lost.
            ///
            /// asyncio: `StreamReader.readexactly`.
            #[doc(alias = "readexactly")]
            pub fn read_exact<'a>(&'a self, buf: &'a mut [u8]) -> $family::ReadExact<'a> {
                $family::ReadExact::new(self, buf)
            }

            /// Writes a part of `buf`, and says how much.
            ///
            /// # Errors
            /// The system's; or the runtime has shut down.
            ///
            /// # Cancel safety
            /// Nothing is lost: bytes are sent only by the poll that returns their number.
            pub fn write<'a>(&'a self, buf: &'a [u8]) -> $family::Write<'a> {
                $family::Write::new(self, buf)
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
            pub fn write_all<'a>(&'a self, buf: &'a [u8]) -> $family::WriteAll<'a> {
                $family::WriteAll::new(self, buf)
            }

            /// Reads what is there and leaves it there.
            ///
            /// # Errors
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            /// Nothing is lost.
            pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> $family::Peek<'a> {
                $family::Peek::new(self, buf)
            }

            /// Waits until reading is believed to get on, as for [`try_read`](Self::try_read). It may not: be ready for
            /// `WouldBlock`.
            ///
            /// # Errors
            /// The runtime has shut down.
            ///
            /// # Cancel safety
            /// Nothing is lost.
            pub fn readable(&self) -> $family::Readable<'_> {
                $family::Readable::new(self)
            }

            /// Waits until writing is believed to get on, as for [`try_write`](Self::try_write). It may not: be ready for
            /// `WouldBlock`.
            ///
            /// # Errors
            /// The runtime has shut down.
            ///
            /// # Cancel safety
            /// Nothing is lost.
            pub fn writable(&self) -> $family::Writable<'_> {
                $family::Writable::new(self)
            }

            /// Reads what is there, without waiting.
            ///
            /// # Errors
            /// `WouldBlock` if nothing is known to be there: wait with [`readable`](Self::readable). Else the system's.
            pub fn try_read(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::In, |s| ByteSocket::read(s, buf))
            }

            /// As [`try_read`](Self::try_read), into several buffers.
            ///
            /// # Errors
            /// As [`try_read`](Self::try_read).
            pub fn try_read_vectored(&self, bufs: &mut [std::io::IoSliceMut<'_>]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::In, |s| ByteSocket::read_vectored(s, bufs))
            }

            /// Writes what there is room for, without waiting.
            ///
            /// # Errors
            /// `WouldBlock` if no room is known: wait with [`writable`](Self::writable). Else the system's.
            pub fn try_write(&self, buf: &[u8]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::Out, |s| ByteSocket::write(s, buf))
            }

            /// As [`try_write`](Self::try_write), from several buffers.
            ///
            /// # Errors
            /// As [`try_write`](Self::try_write).
            pub fn try_write_vectored(&self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::Out, |s| ByteSocket::write_vectored(s, bufs))
            }

            /// Ends one side or both; what was written is still sent, and whoever waits on that side is woken.
            ///
            /// # Errors
            /// The system's: `NotConnected` if the connection is gone.
            ///
            /// asyncio: `StreamWriter.write_eof`; tokio: `AsyncWriteExt::shutdown`.
            #[doc(alias = "write_eof")]
            pub fn shutdown(&self, how: std::net::Shutdown) -> std::io::Result<()> {
                self.io.get_ref().shutdown(how)
            }

            /// Ends the write side; a connection that is gone has nothing left to end.
            pub(in crate::net) fn end_writing(&self) -> std::io::Result<()> {
                match self.shutdown(std::net::Shutdown::Write) {
                    Err(e) if e.kind() == std::io::ErrorKind::NotConnected => Ok(()),
                    done => done,
                }
            }

            /// Splits the stream into halves that borrow it, at no cost.
            ///
            /// Where the `AsyncReadExt` of `futures` is in scope, its own `split` comes first: name this one by its type
            /// there, as in `TcpStream::split(&mut stream)`.
            pub fn split(&mut self) -> ($family::ReadHalf<'_>, $family::WriteHalf<'_>) {
                ($family::ReadHalf::new(self), $family::WriteHalf::new(self))
            }

            /// Splits the stream into halves that own it together, for two tasks. Dropping the write half ends the write
            /// side.
            pub fn into_split(self) -> ($family::OwnedReadHalf, $family::OwnedWriteHalf) {
                $family::split_owned(self)
            }

            /// Takes the error that is pending on the socket, if there is one.
            ///
            /// # Errors
            /// The system's, about the asking.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.io.get_ref().take_error()
            }

            pub(in crate::net) fn poll_read_any(
                &self,
                cx: &mut core::task::Context<'_>,
                buf: &mut [u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                self.io.poll_read_any(cx, buf)
            }

            pub(in crate::net) fn poll_read_vectored_any(
                &self,
                cx: &mut core::task::Context<'_>,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> core::task::Poll<std::io::Result<usize>> {
                self.io.poll_read_vectored_any(cx, bufs)
            }

            pub(in crate::net) fn poll_write_any(
                &self,
                cx: &mut core::task::Context<'_>,
                buf: &[u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                self.io.poll_write_any(cx, buf)
            }

            pub(in crate::net) fn poll_write_vectored_any(
                &self,
                cx: &mut core::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> core::task::Poll<std::io::Result<usize>> {
                self.io.poll_write_vectored_any(cx, bufs)
            }
        }

        crate::net::operations::async_read!($Stream, |stream| stream);
        crate::net::operations::async_write!($Stream, |stream| stream);
        crate::net::operations::async_read!(&$Stream, |stream| stream);
        crate::net::operations::async_write!(&$Stream, |stream| stream);
    };
}

pub(super) use byte_stream;
