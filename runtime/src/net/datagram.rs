//! What every datagram socket does alike, written once: waiting, and the methods' documentation.
//!
//! A datagram socket has no short reads: each call takes one datagram, however long, so only `EAGAIN` says that none is
//! left. An error that the system reports for an earlier datagram (nobody listens there) is the answer of one call and
//! leaves the socket as it was.

use crate::reactor::registered::Left;
use polling::AsSource;
use std::io;

/// A socket of the standard library that carries datagrams, by shared reference.
pub(crate) trait DatagramSocket: AsSource {
    /// Who sent a datagram.
    type Address;

    fn recv(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, Self::Address)>;
    fn peek(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, Self::Address)>;
    fn send(&self, buf: &[u8]) -> io::Result<usize>;
}

/// A call that may be followed by another one.
pub(super) fn one<R>(done: io::Result<R>) -> io::Result<(R, Left)> {
    done.map(|value| (value, Left::Perhaps))
}

/// The methods that a socket with a field `io: Registered<_>` has whatever its family; its futures are those of the module
/// `$family`.
macro_rules! datagrams {
    ($Socket:ident, $family:ident, $Address:ty) => {
        impl $Socket {
            pub(in crate::net) fn io(&self) -> &crate::reactor::Registered<$family::Socket> {
                &self.io
            }

            /// Receives a datagram, from the peer alone if the socket is connected.
            ///
            /// Gives its length, which may be 0: that is an empty datagram and no end. What does not fit into `buf` is
            /// lost (on Windows that is an error).
            ///
            /// # Errors
            /// The system's: `ConnectionRefused` if an earlier datagram found nobody; the socket can be used on. Or the
            /// runtime has shut down.
            ///
            /// # Cancel safety
            /// Nothing is lost: a datagram is taken only by the poll that returns it.
            ///
            /// asyncio: `loop.sock_recv`; tokio: `recv`.
            #[doc(alias = "sock_recv")]
            pub fn recv<'a>(&'a self, buf: &'a mut [u8]) -> $family::Recv<'a> {
                $family::Recv::new(self, buf)
            }

            /// Receives a datagram, and says who sent it.
            ///
            /// What does not fit into `buf` is lost (on Windows that is an error).
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            /// Nothing is lost: a datagram is taken only by the poll that returns it.
            ///
            /// asyncio: `loop.sock_recvfrom`, `DatagramProtocol.datagram_received`; tokio: `recv_from`.
            #[doc(alias = "sock_recvfrom")]
            #[doc(alias = "datagram_received")]
            pub fn recv_from<'a>(&'a self, buf: &'a mut [u8]) -> $family::RecvFrom<'a> {
                $family::RecvFrom::new(self, buf)
            }

            /// Receives a datagram and leaves it there.
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            /// Nothing is lost.
            pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> $family::Peek<'a> {
                $family::Peek::new(self, buf)
            }

            /// Receives a datagram, says who sent it, and leaves it there.
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            /// Nothing is lost.
            pub fn peek_from<'a>(&'a self, buf: &'a mut [u8]) -> $family::PeekFrom<'a> {
                $family::PeekFrom::new(self, buf)
            }

            /// Sends a datagram to the peer of a connected socket; it is sent as a whole or not at all.
            ///
            /// # Errors
            /// The system's: `NotConnected` (or `InvalidInput`) without a peer, `ConnectionRefused` if an earlier datagram
            /// found nobody, and it is too long. Or the runtime has shut down.
            ///
            /// # Cancel safety
            /// Nothing is sent but by the poll that says so.
            ///
            /// asyncio: `loop.sock_sendall`; tokio: `send`.
            pub fn send<'a>(&'a self, buf: &'a [u8]) -> $family::Send<'a> {
                $family::Send::new(self, buf)
            }

            /// Waits until receiving is believed to get on, as for [`try_recv`](Self::try_recv). It may not: be ready for
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

            /// Waits until sending is believed to get on, as for [`try_send`](Self::try_send). It may not: be ready for
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

            /// Receives a datagram without waiting; else as [`recv`](Self::recv).
            ///
            /// # Errors
            /// `WouldBlock` if none is known to be there: wait with [`readable`](Self::readable). Else the system's.
            pub fn try_recv(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::In, |s| DatagramSocket::recv(s, buf))
            }

            /// Receives a datagram and its sender without waiting; else as [`recv_from`](Self::recv_from).
            ///
            /// # Errors
            /// As [`try_recv`](Self::try_recv).
            pub fn try_recv_from(&self, buf: &mut [u8]) -> std::io::Result<(usize, $Address)> {
                self.io.try_io(crate::reactor::Way::In, |s| DatagramSocket::recv_from(s, buf))
            }

            /// Receives a datagram without waiting, and leaves it there.
            ///
            /// # Errors
            /// As [`try_recv`](Self::try_recv).
            pub fn try_peek(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::In, |s| DatagramSocket::peek(s, buf))
            }

            /// Receives a datagram and its sender without waiting, and leaves it there.
            ///
            /// # Errors
            /// As [`try_recv`](Self::try_recv).
            pub fn try_peek_from(&self, buf: &mut [u8]) -> std::io::Result<(usize, $Address)> {
                self.io.try_io(crate::reactor::Way::In, |s| DatagramSocket::peek_from(s, buf))
            }

            /// Sends a datagram to the peer of a connected socket without waiting; else as [`send`](Self::send).
            ///
            /// # Errors
            /// `WouldBlock` if no room is known: wait with [`writable`](Self::writable). Else the system's.
            pub fn try_send(&self, buf: &[u8]) -> std::io::Result<usize> {
                self.io.try_io(crate::reactor::Way::Out, |s| DatagramSocket::send(s, buf))
            }

            /// As [`recv`](Self::recv), for use in a hand-written future. Up to 33 tasks may wait this way at once without
            /// waking each other.
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            pub fn poll_recv(
                &self,
                cx: &mut core::task::Context<'_>,
                buf: &mut [u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let place = &mut crate::reactor::Place::Anonymous;
                self.io.poll_io(crate::reactor::Way::In, place, false, cx, |s| {
                    crate::net::datagram::one(DatagramSocket::recv(s, buf))
                })
            }

            /// As [`recv_from`](Self::recv_from), for use in a hand-written future. Up to 33 tasks may wait this way at
            /// once without waking each other.
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            pub fn poll_recv_from(
                &self,
                cx: &mut core::task::Context<'_>,
                buf: &mut [u8],
            ) -> core::task::Poll<std::io::Result<(usize, $Address)>> {
                let place = &mut crate::reactor::Place::Anonymous;
                self.io.poll_io(crate::reactor::Way::In, place, false, cx, |s| {
                    crate::net::datagram::one(DatagramSocket::recv_from(s, buf))
                })
            }

            /// As [`send`](Self::send), for use in a hand-written future. Up to 33 tasks may wait this way at once without
            /// waking each other.
            ///
            /// # Errors
            /// As [`send`](Self::send).
            pub fn poll_send(
                &self,
                cx: &mut core::task::Context<'_>,
                buf: &[u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let place = &mut crate::reactor::Place::Anonymous;
                self.io.poll_io(crate::reactor::Way::Out, place, false, cx, |s| {
                    crate::net::datagram::one(DatagramSocket::send(s, buf))
                })
            }

            /// Takes the error that is pending on the socket, if there is one.
            ///
            /// # Errors
            /// The system's, about the asking.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.io.get_ref().take_error()
            }
        }
    };
}

/// The futures of `$Type`, a socket over `Socket`.
macro_rules! datagram_futures {
    ($Type:ident, $Address:ty) => {
        $crate::net::datagram::datagram_future! {
            $Type, Recv, "recv", &'a mut [u8], crate::reactor::Way::In, recv, usize
        }
        $crate::net::datagram::datagram_future! {
            $Type, RecvFrom, "recv_from", &'a mut [u8], crate::reactor::Way::In, recv_from, (usize, $Address)
        }
        $crate::net::datagram::datagram_future! {
            $Type, Peek, "peek", &'a mut [u8], crate::reactor::Way::In, peek, usize
        }
        $crate::net::datagram::datagram_future! {
            $Type, PeekFrom, "peek_from", &'a mut [u8], crate::reactor::Way::In, peek_from, (usize, $Address)
        }
        $crate::net::datagram::datagram_future! {
            $Type, Send, "send", &'a [u8], crate::reactor::Way::Out, send, usize
        }
        $crate::net::operations::readiness_future! {
            $Type, Readable, "readable", crate::reactor::Way::In
        }
        $crate::net::operations::readiness_future! {
            $Type, Writable, "writable", crate::reactor::Way::Out
        }
    };
}

/// A future that is done after one call.
macro_rules! datagram_future {
    ($Type:ident, $Name:ident, $method:literal, $buf:ty, $way:expr, $call:ident, $Output:ty) => {
        #[doc = concat!("The future of [`", stringify!($Type), "::", $method, "`].")]
        #[derive(Debug)]
        #[must_use = "futures do nothing unless awaited"]
        pub struct $Name<'a> {
            waiting: crate::reactor::registered::Waiting<'a, Socket>,
            buf: $buf,
        }

        impl<'a> $Name<'a> {
            pub(in crate::net) fn new(socket: &'a $Type, buf: $buf) -> Self {
                Self { waiting: crate::reactor::registered::Waiting::new(socket.io(), $way), buf }
            }
        }

        impl Future for $Name<'_> {
            type Output = std::io::Result<$Output>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                this.waiting.poll_io(cx, |s| crate::net::datagram::one(DatagramSocket::$call(s, this.buf)))
            }
        }
    };
}

pub(super) use {datagram_future, datagram_futures, datagrams};
