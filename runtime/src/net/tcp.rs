//! The halves of a stream.
//!
//! Borrowed halves are references. Owned halves share one allocation. Neither pins the stream in place for the other, and
//! a half holds nothing but its share, so putting two together takes no trust: that they belong together is checked, and
//! then nobody else can hold the stream (tokio's `unsplit` of unrelated or pinned parts was RUSTSEC-2023-0005).

pub use super::connect::Connect;
pub use super::futures::{Peek, Read, ReadExact, Readable, Writable, Write, WriteAll};
pub use super::listener::{Accept, Bind, Incoming};

use super::operations::{async_read, async_write};
use super::stream::TcpStream;
use core::fmt;
use std::io;
use std::net::SocketAddr;
use weftwork_sync::primitive::{Shared, UnsafeCell};

/// The reading half of a stream, by [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a> {
    stream: &'a TcpStream,
}

/// The writing half of a stream, by [`TcpStream::split`].
#[derive(Debug)]
pub struct WriteHalf<'a> {
    stream: &'a TcpStream,
}

impl<'a> ReadHalf<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self { stream }
    }
}

impl<'a> WriteHalf<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self { stream }
    }
}

impl AsRef<TcpStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.stream
    }
}

impl AsRef<TcpStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.stream
    }
}

/// A stream with two owners.
struct Both {
    /// `None` only once both halves were given back.
    stream: UnsafeCell<Option<TcpStream>>,
}

// SAFETY: the cell is written only by `reunite`, which has both owners in its hands; until then it is read only, and a
// TcpStream may be read from any thread.
unsafe impl Sync for Both {}

impl Both {
    fn stream(&self) -> &TcpStream {
        // SAFETY: a half exists (it calls this), so `reunite` has not run: nobody writes.
        let stream = self.stream.with(|s| unsafe { (*s).as_ref() });
        stream.expect("a half holds its stream until it is reunited")
    }
}

/// The reading half of a stream, by [`TcpStream::into_split`]. The stream is closed when both halves are dropped.
pub struct OwnedReadHalf {
    both: Shared<Both>,
}

/// The writing half of a stream, by [`TcpStream::into_split`]. Dropping it ends the write side, so that the peer reads an
/// end; the stream is closed when both halves are dropped.
pub struct OwnedWriteHalf {
    both: Shared<Both>,
    /// Whether dropping it ends the write side.
    ends: bool,
}

pub(super) fn split_owned(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let both = Shared::new(Both { stream: UnsafeCell::new(Some(stream)) });
    (OwnedReadHalf { both: both.clone() }, OwnedWriteHalf { both, ends: true })
}

/// Two halves that do not belong to the same stream; both are given back.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReuniteError {
    /// The reading half.
    pub read: OwnedReadHalf,
    /// The writing half.
    pub write: OwnedWriteHalf,
}

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves belong to different streams: reunite each with the one it was split from")
    }
}

impl std::error::Error for ReuniteError {}

impl OwnedReadHalf {
    /// Makes one stream of both halves again.
    ///
    /// # Errors
    /// They come from different streams.
    ///
    /// tokio: `OwnedReadHalf::reunite`.
    pub fn reunite(self, write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Shared::ptr_eq(&self.both, &write.both) {
            return Err(ReuniteError { read: self, write });
        }
        let mut write = write;
        write.ends = false;
        // SAFETY: a split makes exactly two halves, halves cannot be cloned, and both are here: nobody else can reach the
        // cell, and `write`'s drop does not look into it.
        let stream = self.both.stream.with_mut(|s| unsafe { (*s).take() });
        Ok(stream.expect("a half holds its stream until it is reunited"))
    }
}

impl OwnedWriteHalf {
    /// Makes one stream of both halves again; see [`OwnedReadHalf::reunite`].
    ///
    /// # Errors
    /// They come from different streams.
    pub fn reunite(self, read: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        read.reunite(self)
    }

    /// Drops the half without ending the write side.
    ///
    /// tokio: `OwnedWriteHalf::forget`.
    pub fn forget(mut self) {
        self.ends = false;
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.ends {
            // A connection that is gone has nothing to end, and nobody is left to be told.
            let _ = self.both.stream().end_writing();
        }
    }
}

impl AsRef<TcpStream> for OwnedReadHalf {
    fn as_ref(&self) -> &TcpStream {
        self.both.stream()
    }
}

impl AsRef<TcpStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &TcpStream {
        self.both.stream()
    }
}

impl fmt::Debug for OwnedReadHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedReadHalf").field(self.as_ref()).finish()
    }
}

impl fmt::Debug for OwnedWriteHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedWriteHalf").field(self.as_ref()).finish()
    }
}

macro_rules! reading_half {
    ($($name:ty)*) => {$(
        async_read!($name, |half| half.as_ref());

        impl $name {
            /// As [`TcpStream::read`].
            pub fn read<'b>(&'b mut self, buf: &'b mut [u8]) -> Read<'b> {
                Read::new((*self).as_ref(), buf)
            }

            /// As [`TcpStream::read_exact`].
            pub fn read_exact<'b>(&'b mut self, buf: &'b mut [u8]) -> ReadExact<'b> {
                ReadExact::new((*self).as_ref(), buf)
            }

            /// As [`TcpStream::peek`].
            pub fn peek<'b>(&'b mut self, buf: &'b mut [u8]) -> Peek<'b> {
                Peek::new((*self).as_ref(), buf)
            }

            /// As [`TcpStream::readable`].
            pub fn readable(&self) -> Readable<'_> {
                self.as_ref().readable()
            }

            /// As [`TcpStream::try_read`].
            ///
            /// # Errors
            /// As there.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.as_ref().try_read(buf)
            }

            /// As [`TcpStream::peer_addr`].
            ///
            /// # Errors
            /// As there.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.as_ref().peer_addr()
            }
        }
    )*};
}

macro_rules! writing_half {
    ($($name:ty)*) => {$(
        async_write!($name, |half| half.as_ref());

        impl $name {
            /// As [`TcpStream::write`].
            pub fn write<'b>(&'b mut self, buf: &'b [u8]) -> Write<'b> {
                Write::new((*self).as_ref(), buf)
            }

            /// As [`TcpStream::write_all`].
            pub fn write_all<'b>(&'b mut self, buf: &'b [u8]) -> WriteAll<'b> {
                WriteAll::new((*self).as_ref(), buf)
            }

            /// As [`TcpStream::writable`].
            pub fn writable(&self) -> Writable<'_> {
                self.as_ref().writable()
            }

            /// As [`TcpStream::try_write`].
            ///
            /// # Errors
            /// As there.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.as_ref().try_write(buf)
            }

            /// As [`TcpStream::peer_addr`].
            ///
            /// # Errors
            /// As there.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.as_ref().peer_addr()
            }
        }
    )*};
}

reading_half! { ReadHalf<'_> OwnedReadHalf }
writing_half! { WriteHalf<'_> OwnedWriteHalf }
