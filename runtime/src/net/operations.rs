//! Macros for what several types here have alike.

/// The descriptor of a socket, by every trait that asks for it.
macro_rules! descriptor {
    ($name:ty, |$this:ident| $source:expr) => {
        #[cfg(unix)]
        impl std::os::fd::AsFd for $name {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                let $this = self;
                std::os::fd::AsFd::as_fd($source)
            }
        }

        #[cfg(unix)]
        impl std::os::fd::AsRawFd for $name {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                let $this = self;
                std::os::fd::AsRawFd::as_raw_fd($source)
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsSocket for $name {
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                let $this = self;
                std::os::windows::io::AsSocket::as_socket($source)
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsRawSocket for $name {
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                let $this = self;
                std::os::windows::io::AsRawSocket::as_raw_socket($source)
            }
        }
    };
}

/// `AsyncRead` by way of the stream that `$this` holds.
macro_rules! async_read {
    ($name:ty, |$this:ident| $stream:expr) => {
        impl futures_io::AsyncRead for $name {
            fn poll_read(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                buf: &mut [u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let $this = &*self;
                $stream.poll_read_any(cx, buf)
            }

            fn poll_read_vectored(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let $this = &*self;
                $stream.poll_read_vectored_any(cx, bufs)
            }
        }
    };
}

/// `AsyncWrite` by way of the stream that `$this` holds.
macro_rules! async_write {
    ($name:ty, |$this:ident| $stream:expr) => {
        impl futures_io::AsyncWrite for $name {
            fn poll_write(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                buf: &[u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let $this = &*self;
                $stream.poll_write_any(cx, buf)
            }

            fn poll_write_vectored(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let $this = &*self;
                $stream.poll_write_vectored_any(cx, bufs)
            }

            /// Does nothing: a socket keeps no buffer of its own.
            fn poll_flush(
                self: core::pin::Pin<&mut Self>,
                _cx: &mut core::task::Context<'_>,
            ) -> core::task::Poll<std::io::Result<()>> {
                core::task::Poll::Ready(Ok(()))
            }

            /// Shuts down the write side; what was written is still sent.
            fn poll_close(
                self: core::pin::Pin<&mut Self>,
                _cx: &mut core::task::Context<'_>,
            ) -> core::task::Poll<std::io::Result<()>> {
                let $this = &*self;
                core::task::Poll::Ready($stream.end_writing())
            }
        }
    };
}

/// The future that waits until a direction of `$Type`, which has an `io()`, is believed to be ready.
macro_rules! readiness_future {
    ($Type:ident, $Name:ident, $method:literal, $way:expr) => {
        #[doc = concat!("The future of [`", stringify!($Type), "::", $method, "`].")]
        #[derive(Debug)]
        #[must_use = "futures do nothing unless awaited"]
        pub struct $Name<'a> {
            waiting: crate::reactor::registered::Waiting<'a, Socket>,
        }

        impl<'a> $Name<'a> {
            pub(in crate::net) fn new(of: &'a $Type) -> Self {
                Self { waiting: crate::reactor::registered::Waiting::new(of.io(), $way) }
            }
        }

        impl Future for $Name<'_> {
            type Output = std::io::Result<()>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.waiting.poll_ready(cx).map_ok(drop)
            }
        }
    };
}

pub(super) use {async_read, async_write, descriptor, readiness_future};
