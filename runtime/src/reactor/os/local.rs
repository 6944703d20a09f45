//! What Unix sockets need beside what the standard library has.

use super::uninit::as_uninit;
use super::{ABSTRACT_NAMES, address};
use socket2::{SockAddr, SockRef};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::SocketAddr;

/// Receives what is there and leaves it there.
///
/// # Errors
/// The system's.
pub(crate) fn peek(socket: &impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    // SAFETY: socket2 writes nothing but what was received, which is bytes.
    SockRef::from(socket).peek(unsafe { as_uninit(buf) })
}

/// Receives a datagram, says who sent it, and leaves it there.
///
/// # Errors
/// The system's.
pub(crate) fn peek_from(socket: &impl AsFd, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    // SAFETY: as in `peek`.
    let (n, peer) = SockRef::from(socket).peek_from(unsafe { as_uninit(buf) })?;
    Ok((n, standard(&peer)?))
}

fn standard(peer: &SockAddr) -> io::Result<SocketAddr> {
    let name = peer.as_abstract_namespace().filter(|_| ABSTRACT_NAMES);
    let named = address(peer.as_pathname().map(|path| path.as_os_str().as_bytes()), name);
    // The standard library makes no address of a path that fills it to the last byte; the datagram is worth more.
    named.or_else(|_| address(None, None))
}

/// Whether a connect was refused because a socket of another kind is bound there.
pub(crate) fn is_of_another_kind(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EPROTOTYPE)
}
