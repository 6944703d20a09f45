//! The futures of a Unix datagram socket's methods. What they have in common with other datagram sockets' is written in
//! `net/datagram.rs`; here they get their names.

use super::SocketAddr;
use super::address::Address;
use super::again::Again;
pub(super) use super::datagram_socket::Socket;
use super::datagram_socket::UnixDatagram;
use crate::net::datagram::{DatagramSocket, datagram_futures};
use crate::reactor::os;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use weftwork_sync::coop;

datagram_futures! { UnixDatagram, SocketAddr }

/// The future of [`UnixDatagram::send_to`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SendTo<'a> {
    socket: &'a UnixDatagram,
    buf: &'a [u8],
    target: io::Result<Address>,
    again: Again,
}

impl<'a> SendTo<'a> {
    pub(super) fn new(socket: &'a UnixDatagram, buf: &'a [u8], target: io::Result<Address>) -> Self {
        Self { socket, buf, target, again: Again::new() }
    }
}

impl Future for SendTo<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let unit = ready!(coop::proceed_for(cx, this.again.is_pausing(), || coop::Wait::new("a socket")));
        let reactor = this.socket.io().registration().reactor();
        let target = match &this.target {
            Ok(target) => target,
            Err(e) => return Poll::Ready(Err(io::Error::new(e.kind(), e.to_string()))),
        };
        if !this.again.is_pausing() {
            reactor.is_open()?;
        }
        loop {
            if this.again.is_pausing() {
                ready!(this.again.poll(reactor, cx))?;
            }
            match this.socket.send_now(this.buf, target) {
                Err(e) if os::is_receiver_full(&e) => ready!(this.again.poll(reactor, cx))?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => {
                    unit.made_progress();
                    return Poll::Ready(done);
                }
            }
        }
    }
}
