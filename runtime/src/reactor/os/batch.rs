//! Several datagrams for one call.

use core::fmt;
use std::net::SocketAddr;

/// Datagrams that one call takes at most: what it needs for them lies on the stack.
pub(crate) const BATCH: usize = 32;

/// A datagram to be sent with [`UdpSocket::send_batch`](crate::net::UdpSocket::send_batch).
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    pub(super) payload: &'a [u8],
    pub(super) target: Option<SocketAddr>,
}

impl<'a> Outgoing<'a> {
    /// To the peer of a connected socket.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { payload, target: None }
    }

    /// To an address.
    pub fn to(payload: &'a [u8], target: SocketAddr) -> Self {
        Self { payload, target: Some(target) }
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("len", &self.payload.len()).field("target", &self.target).finish()
    }
}

/// Room for a datagram, and what [`UdpSocket::recv_batch`](crate::net::UdpSocket::recv_batch) has put there.
///
/// It can be used again: each batch writes over what the last one left.
pub struct Incoming<'a> {
    buf: &'a mut [u8],
    len: usize,
    peer: Option<SocketAddr>,
    truncated: bool,
}

impl<'a> Incoming<'a> {
    /// Room for a datagram as long as `buf`.
    pub fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, len: 0, peer: None, truncated: false }
    }

    /// The datagram, as far as there was room for it; empty before one came.
    pub fn payload(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    /// Who sent it; `None` before one came.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Whether it was longer than the room for it, so that its end is lost.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    pub(super) fn room(&mut self) -> &mut [u8] {
        self.buf
    }

    pub(super) fn fill(&mut self, len: usize, peer: Option<SocketAddr>, truncated: bool) {
        (self.len, self.peer, self.truncated) = (len.min(self.buf.len()), peer, truncated);
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("len", &self.len)
            .field("peer", &self.peer)
            .field("truncated", &self.truncated)
            .field("room", &self.buf.len())
            .finish()
    }
}
