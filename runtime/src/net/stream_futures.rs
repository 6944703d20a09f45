//! The futures of a stream's methods. Each has a place of its own among the waiters, so any number can wait at once.
//!
//! Every family of streams gets types of its own in its module, with a `Socket` that the module names.

/// The futures of `$Stream`, a stream over `Socket`.
macro_rules! stream_futures {
    ($Stream:ident) => {
        $crate::net::stream_futures::stream_future! {
            $Stream, Read, "read", &'a mut [u8], crate::reactor::Way::In
        }
        $crate::net::stream_futures::stream_future! {
            $Stream, Peek, "peek", &'a mut [u8], crate::reactor::Way::In
        }
        $crate::net::stream_futures::stream_future! {
            $Stream, ReadExact, "read_exact", &'a mut [u8], crate::reactor::Way::In, goes on done
        }
        $crate::net::stream_futures::stream_future! {
            $Stream, Write, "write", &'a [u8], crate::reactor::Way::Out
        }
        $crate::net::stream_futures::stream_future! {
            $Stream, WriteAll, "write_all", &'a [u8], crate::reactor::Way::Out, goes on done
        }
        $crate::net::operations::readiness_future! {
            $Stream, Readable, "readable", crate::reactor::Way::In
        }
        $crate::net::operations::readiness_future! {
            $Stream, Writable, "writable", crate::reactor::Way::Out
        }

        impl Future for Read<'_> {
            type Output = std::io::Result<usize>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                this.waiting.poll_io(cx, |s| byte_stream::read(s, this.buf))
            }
        }

        impl Future for Peek<'_> {
            type Output = std::io::Result<usize>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                this.waiting.poll_io(cx, |s| byte_stream::peek(s, this.buf))
            }
        }

        impl Future for ReadExact<'_> {
            type Output = std::io::Result<()>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                while this.done < this.buf.len() {
                    match ready!(this.waiting.poll_io(cx, |s| byte_stream::read(s, &mut this.buf[this.done..])))? {
                        0 => return Poll::Ready(Err(std::io::ErrorKind::UnexpectedEof.into())),
                        n => this.done += n,
                    }
                }
                Poll::Ready(Ok(()))
            }
        }

        impl Future for Write<'_> {
            type Output = std::io::Result<usize>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                this.waiting.poll_io(cx, |s| byte_stream::write(s, this.buf))
            }
        }

        impl Future for WriteAll<'_> {
            type Output = std::io::Result<()>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                while this.done < this.buf.len() {
                    match ready!(this.waiting.poll_io(cx, |s| byte_stream::write(s, &this.buf[this.done..])))? {
                        0 => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                        n => this.done += n,
                    }
                }
                Poll::Ready(Ok(()))
            }
        }
    };
}

/// A future that is done after one call, or one that `goes on` until its buffer is.
macro_rules! stream_future {
    ($Stream:ident, $Name:ident, $method:literal, $buf:ty, $way:expr $(, goes on $done:ident)?) => {
        #[doc = concat!("The future of [`", stringify!($Stream), "::", $method, "`].")]
        #[derive(Debug)]
        #[must_use = "futures do nothing unless awaited"]
        pub struct $Name<'a> {
            waiting: crate::reactor::registered::Waiting<'a, Socket>,
            buf: $buf,
            $($done: usize,)?
        }

        impl<'a> $Name<'a> {
            pub(in crate::net) fn new(stream: &'a $Stream, buf: $buf) -> Self {
                Self { waiting: crate::reactor::registered::Waiting::new(stream.io(), $way), buf $(, $done: 0)? }
            }
        }
    };
}

pub(super) use {stream_future, stream_futures};
