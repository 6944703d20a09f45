//! Unix sockets where there are no abstract names.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

/// Whether a name that begins with a zero byte is one of no file.
pub(crate) const ABSTRACT_NAMES: bool = false;

/// Takes a connection from the queue; it is in non-blocking mode.
///
/// # Errors
/// The system's.
pub(crate) fn accept_local(listener: &UnixListener) -> io::Result<(UnixStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, peer))
}

/// The standard library's form of an address.
///
/// # Errors
/// It has a name that the standard library does not take.
pub(crate) fn address(path: Option<&[u8]>, _name: Option<&[u8]>) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(OsStr::from_bytes(path.unwrap_or_default()))
}

/// The name of an address that is no file's.
pub(crate) fn abstract_name(_address: &SocketAddr) -> Option<&[u8]> {
    None
}

pub(crate) use super::credentials::peer_credentials;

/// Whether an error says that the receiver of a datagram has no room for it now.
pub(crate) fn is_receiver_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}
