//! The futures of a UDP socket's methods, and its batches. What the futures do that other datagram sockets have too is
//! written in `datagram.rs`; here they get their names.

pub use crate::reactor::os::{Incoming, Outgoing};

use super::addr::LookupHost;
use super::attempts::Failures;
use super::datagram::{DatagramSocket, datagram_futures, one};
use super::udp_socket::UdpSocket;
use crate::reactor::registered::Waiting;
use crate::reactor::{Way, os};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::{self, SocketAddr};
use weftwork_sync::primitive::fault::{self, Point};

pub(super) type Socket = net::UdpSocket;

datagram_futures! { UdpSocket, SocketAddr }

/// The future of [`UdpSocket::bind`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Bind {
    lookup: LookupHost,
}

impl Bind {
    pub(super) fn new(lookup: LookupHost) -> Self {
        Self { lookup }
    }
}

impl Future for Bind {
    type Output = io::Result<UdpSocket>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let addresses = ready!(Pin::new(&mut self.lookup).poll(cx))?;
        let reactor = crate::context::reactor()?;
        let mut failures = Failures::default();
        for address in addresses {
            let bound = fault::pass(Point::Descriptor).and_then(|()| net::UdpSocket::bind(address));
            match bound.and_then(|socket| UdpSocket::on(&reactor, socket)) {
                Ok(socket) => return Poll::Ready(Ok(socket)),
                Err(e) => failures.push(address, e),
            }
        }
        Poll::Ready(Err(failures.into_error("no address could be bound")))
    }
}

/// The future of [`UdpSocket::connect`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Connect<'a> {
    socket: &'a UdpSocket,
    lookup: LookupHost,
}

impl<'a> Connect<'a> {
    pub(super) fn new(socket: &'a UdpSocket, lookup: LookupHost) -> Self {
        Self { socket, lookup }
    }
}

impl Future for Connect<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let addresses = ready!(Pin::new(&mut self.lookup).poll(cx))?;
        let mut failures = Failures::default();
        for address in addresses {
            match self.socket.io().get_ref().connect(address) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(e) => failures.push(address, e),
            }
        }
        Poll::Ready(Err(failures.into_error("no address could be the peer")))
    }
}

/// The future of [`UdpSocket::send_to`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SendTo<'a> {
    waiting: Waiting<'a, Socket>,
    socket: &'a UdpSocket,
    buf: &'a [u8],
    target: Target,
}

#[derive(Debug)]
enum Target {
    Known(SocketAddr),
    Asked(LookupHost),
}

impl<'a> SendTo<'a> {
    pub(super) fn new(socket: &'a UdpSocket, buf: &'a [u8], lookup: LookupHost) -> Self {
        let target = match lookup.one() {
            Some(address) => Target::Known(address),
            None => Target::Asked(lookup),
        };
        Self { waiting: Waiting::new(socket.io(), Way::Out), socket, buf, target }
    }
}

impl Future for SendTo<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let target = match &mut this.target {
            Target::Known(address) => *address,
            Target::Asked(lookup) => {
                let address = of_family(this.socket, &ready!(Pin::new(lookup).poll(cx))?)?;
                this.target = Target::Known(address);
                address
            }
        };
        this.waiting.poll_io(cx, |s| one(s.send_to(this.buf, target)))
    }
}

/// The first address that the socket can send to, or the first one, for the system to say what is wrong with it.
fn of_family(socket: &UdpSocket, addresses: &[SocketAddr]) -> io::Result<SocketAddr> {
    let v6 = socket.local_addr()?.is_ipv6();
    let found = addresses.iter().find(|a| a.is_ipv6() == v6).or(addresses.first());
    found.copied().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "there is no address to send to"))
}

/// The future of [`UdpSocket::recv_batch`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct RecvBatch<'a, 'b> {
    waiting: Waiting<'a, Socket>,
    slots: &'a mut [Incoming<'b>],
}

impl<'a, 'b> RecvBatch<'a, 'b> {
    pub(super) fn new(socket: &'a UdpSocket, slots: &'a mut [Incoming<'b>]) -> Self {
        Self { waiting: Waiting::new(socket.io(), Way::In), slots }
    }
}

impl Future for RecvBatch<'_, '_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.slots.is_empty() {
            return Poll::Ready(Ok(0));
        }
        this.waiting.poll_io(cx, |s| one(os::recv_batch(s, this.slots)))
    }
}

/// The future of [`UdpSocket::send_batch`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SendBatch<'a> {
    waiting: Waiting<'a, Socket>,
    datagrams: &'a [Outgoing<'a>],
}

impl<'a> SendBatch<'a> {
    pub(super) fn new(socket: &'a UdpSocket, datagrams: &'a [Outgoing<'a>]) -> Self {
        Self { waiting: Waiting::new(socket.io(), Way::Out), datagrams }
    }
}

impl Future for SendBatch<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.datagrams.is_empty() {
            return Poll::Ready(Ok(0));
        }
        this.waiting.poll_io(cx, |s| one(os::send_batch(s, this.datagrams)))
    }
}
