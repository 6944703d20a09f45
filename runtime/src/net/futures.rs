//! The futures of a stream's methods. Each has a place of its own among the waiters, so any number can wait at once.

use super::stream::TcpStream;
use super::stream_io::{read, write};
use crate::reactor::Way;
use crate::reactor::registered::{Left, Waiting};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net;

/// A future that is done after one call, or one that `goes on` until its buffer is.
macro_rules! future {
    ($(#[$doc:meta])* $name:ident, $buf:ty, $way:expr $(, goes on $done:ident)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[must_use = "futures do nothing unless awaited"]
        pub struct $name<'a> {
            waiting: Waiting<'a, net::TcpStream>,
            buf: $buf,
            $($done: usize,)?
        }

        impl<'a> $name<'a> {
            pub(crate) fn new(stream: &'a TcpStream, buf: $buf) -> Self {
                Self { waiting: Waiting::new(stream.io(), $way), buf $(, $done: 0)? }
            }
        }
    };
}

future! {
    /// The future of [`TcpStream::read`].
    Read, &'a mut [u8], Way::In
}
future! {
    /// The future of [`TcpStream::peek`].
    Peek, &'a mut [u8], Way::In
}
future! {
    /// The future of [`TcpStream::read_exact`].
    ReadExact, &'a mut [u8], Way::In, goes on done
}
future! {
    /// The future of [`TcpStream::write`].
    Write, &'a [u8], Way::Out
}
future! {
    /// The future of [`TcpStream::write_all`].
    WriteAll, &'a [u8], Way::Out, goes on done
}

impl Future for Read<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.waiting.poll_io(cx, |s| read(s, this.buf))
    }
}

impl Future for Peek<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.waiting.poll_io(cx, |s| Ok((s.peek(this.buf)?, Left::Perhaps)))
    }
}

impl Future for ReadExact<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.done < this.buf.len() {
            match ready!(this.waiting.poll_io(cx, |s| read(s, &mut this.buf[this.done..])))? {
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                n => this.done += n,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Future for Write<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.waiting.poll_io(cx, |s| write(s, this.buf))
    }
}

impl Future for WriteAll<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.done < this.buf.len() {
            match ready!(this.waiting.poll_io(cx, |s| write(s, &this.buf[this.done..])))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => this.done += n,
            }
        }
        Poll::Ready(Ok(()))
    }
}

macro_rules! readiness {
    ($(#[$doc:meta])* $name:ident, $way:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[must_use = "futures do nothing unless awaited"]
        pub struct $name<'a> {
            waiting: Waiting<'a, net::TcpStream>,
        }

        impl<'a> $name<'a> {
            pub(crate) fn new(stream: &'a TcpStream) -> Self {
                Self { waiting: Waiting::new(stream.io(), $way) }
            }
        }

        impl Future for $name<'_> {
            type Output = io::Result<()>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.waiting.poll_ready(cx).map_ok(drop)
            }
        }
    };
}

readiness! {
    /// The future of [`TcpStream::readable`].
    Readable, Way::In
}
readiness! {
    /// The future of [`TcpStream::writable`].
    Writable, Way::Out
}
