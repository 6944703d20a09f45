//! Streams of `futures-io` for hyper, and hyper's for `futures-io`.

use ::hyper::rt::{self, ReadBufCursor};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use std::io::{self, IoSlice};

/// The most that one read through [`Io`] asks for, in bytes.
///
/// The traits of `futures-io` read into bytes, so the room has to be zeroed before, however little comes.
const READ_BYTES: usize = 8 * 1024;

pin_project! {
    /// A stream with the traits of the other side: one of `futures-io` for hyper (TLS, a pipe, a test's own), or one of
    /// hyper's (`hyper::upgrade::Upgraded`) for what is written against `futures-io`.
    ///
    /// [`TcpStream`](crate::net::TcpStream) needs no such cover, and is faster without it.
    ///
    /// tokio's counterpart is `hyper_util::rt::TokioIo`.
    ///
    /// ```
    /// use futures::io::{AsyncReadExt, Cursor};
    /// use weftwork::hyper::Io;
    ///
    /// weftwork::run(async {
    ///     // To hyper's traits, and back.
    ///     let mut stream = Io::new(Io::new(Cursor::new(b"bytes")));
    ///     let mut text = String::new();
    ///     stream.read_to_string(&mut text).await.unwrap();
    ///     assert_eq!(text, "bytes");
    /// });
    /// ```
    #[derive(Debug)]
    pub struct Io<T> {
        #[pin]
        inner: T,
    }
}

impl<T> Io<T> {
    /// Covers a stream.
    pub fn new(inner: T) -> Self {
        Self { inner }
    }

    /// The stream.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The stream.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Gives the stream back.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: futures_io::AsyncRead> rt::Read for Io<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let length = buf.remaining().min(READ_BYTES);
        let n = ready!(self.project().inner.poll_read(cx, buf.initialize_unfilled_to(length)))?;
        // A stream that claims more than there was room for is somebody's mistake, and must not become ours.
        assert!(n <= length, "a stream says that it read {n} bytes into a buffer of {length}");
        // SAFETY: `n` of the bytes that were initialised for the read.
        unsafe { buf.advance(n) };
        Poll::Ready(Ok(()))
    }
}

impl<T: futures_io::AsyncWrite> rt::Write for Io<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_close(cx)
    }
}

impl<T: rt::Read> futures_io::AsyncRead for Io<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = rt::ReadBuf::new(buf);
        ready!(self.project().inner.poll_read(cx, buf.unfilled()))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

impl<T: rt::Write> futures_io::AsyncWrite for Io<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }
}
