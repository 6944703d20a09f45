//! Reading into memory that was never written, for traits whose buffers are such memory.
//!
//! futures-io reads into bytes, so whoever has a fresh buffer has to fill it with zeros before each read. The traits of
//! hyper and tokio do not ask for that; the system writes the bytes, and its answer says how many.

use super::byte_stream::ByteSocket;
use super::stream::TcpStream;
use crate::reactor::registered::Left;
use crate::reactor::{Place, Registered, Way};
use core::mem::MaybeUninit;
use core::task::{Context, Poll};
use socket2::SockRef;
use std::io;

/// A stream of ours that reads into such memory.
pub(crate) trait ReadUninit {
    /// Reads what is there; the first bytes of `buf`, as many as it says, are written then.
    fn poll_read_uninit(&self, cx: &mut Context<'_>, buf: &mut [MaybeUninit<u8>]) -> Poll<io::Result<usize>>;
}

/// A read, and whether it emptied the socket.
fn read<S: ByteSocket>(socket: &S, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, Left)> {
    let n = SockRef::from(socket).recv(buf)?;
    // No bytes into a buffer with room is the end, which stays readable.
    Ok((n, if S::SHORT_READ_EMPTIES && 0 < n && n < buf.len() { Left::Nothing } else { Left::Perhaps }))
}

pub(super) fn poll_read<S: ByteSocket>(
    io: &Registered<S>,
    cx: &mut Context<'_>,
    buf: &mut [MaybeUninit<u8>],
) -> Poll<io::Result<usize>> {
    io.poll_io(Way::In, &mut Place::Anonymous, false, cx, |socket| read(socket, buf))
}

impl ReadUninit for TcpStream {
    fn poll_read_uninit(&self, cx: &mut Context<'_>, buf: &mut [MaybeUninit<u8>]) -> Poll<io::Result<usize>> {
        poll_read(self.io(), cx, buf)
    }
}
