//! Our streams by the I/O traits of tokio (feature `tokio-io`).
//!
//! A great part of the ecosystem is written against these traits and against nothing else of tokio: TLS, codecs,
//! WebSockets, the clients of databases. The crate without features is the traits; no tokio runtime comes with it, and a
//! library that spawns or sleeps by tokio's own functions still needs one.

use crate::io::DuplexStream;
use crate::net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::net::{ReadUninit as _, TcpStream};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// `AsyncRead` by way of the stream that `$this` holds.
macro_rules! read {
    ($name:ty, |$this:ident| $stream:expr) => {
        impl AsyncRead for $name {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                let $this = &*self;
                // SAFETY: the stream only writes into it, so what was initialised stays so.
                let unfilled = unsafe { buf.unfilled_mut() };
                let n = ready!($stream.poll_read_uninit(cx, unfilled))?;
                // SAFETY: the first `n` bytes were written by the read.
                unsafe { buf.assume_init(n) };
                buf.advance(n);
                Poll::Ready(Ok(()))
            }
        }
    };
}

/// `AsyncWrite` by way of the same type's implementation for `futures-io`.
macro_rules! write {
    ($name:ty) => {
        impl AsyncWrite for $name {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                futures_io::AsyncWrite::poll_write(self, cx, buf)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                futures_io::AsyncWrite::poll_write_vectored(self, cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                futures_io::AsyncWrite::poll_flush(self, cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                futures_io::AsyncWrite::poll_close(self, cx)
            }
        }
    };
}

read!(TcpStream, |stream| stream);
read!(&TcpStream, |stream| stream);
read!(ReadHalf<'_>, |half| half.as_ref());
read!(OwnedReadHalf, |half| half.as_ref());
read!(DuplexStream, |stream| stream);
write!(TcpStream);
write!(&TcpStream);
write!(WriteHalf<'_>);
write!(OwnedWriteHalf);
write!(DuplexStream);

// Behind the macros, which it uses.
#[cfg(unix)]
mod unix;
