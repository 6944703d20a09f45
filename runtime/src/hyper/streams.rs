//! Our streams as hyper's: read into hyper's own memory, which nobody filled with zeros before.

use crate::io::DuplexStream;
use crate::net::{ReadUninit as _, TcpStream};
use ::hyper::rt::{Read, ReadBufCursor, Write};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

/// `Read` and `Write` by way of the stream that `$this` holds.
macro_rules! stream {
    ($name:ty, |$this:ident| $stream:expr) => {
        impl Read for $name {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                mut buf: ReadBufCursor<'_>,
            ) -> Poll<io::Result<()>> {
                let $this = &*self;
                // SAFETY: the stream only writes into it, so what was initialised stays so.
                let unfilled = unsafe { buf.as_mut() };
                let n = ready!($stream.poll_read_uninit(cx, unfilled))?;
                // SAFETY: the first `n` bytes were written by the read.
                unsafe { buf.advance(n) };
                Poll::Ready(Ok(()))
            }
        }

        impl Write for $name {
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

stream!(TcpStream, |stream| stream);
stream!(&TcpStream, |stream| stream);
stream!(DuplexStream, |stream| stream);

// Behind the macro, which it uses.
#[cfg(unix)]
mod unix;
