//! Unix sockets on Linux: abstract names, accepting in one call, and who is at the other end.

use rustix::net::{SocketFlags, accept_with};
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

/// Whether a name that begins with a zero byte is one of no file.
pub(crate) const ABSTRACT_NAMES: bool = true;

/// Takes a connection from the queue; it is in non-blocking mode.
///
/// # Errors
/// The system's.
pub(crate) fn accept_local(listener: &UnixListener) -> io::Result<(UnixStream, SocketAddr)> {
    let stream = UnixStream::from(accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?);
    // Asked for apart: rustix 1.1 panics at a peer whose path fills the address to the last byte, which any peer may have.
    let peer = stream.peer_addr().or_else(|_| address(None, None))?;
    Ok((stream, peer))
}

/// The standard library's form of an address.
///
/// # Errors
/// It has a name that the standard library does not take.
pub(crate) fn address(path: Option<&[u8]>, name: Option<&[u8]>) -> io::Result<SocketAddr> {
    match (path, name) {
        (None, Some(name)) => SocketAddr::from_abstract_name(name),
        (path, _) => SocketAddr::from_pathname(OsStr::from_bytes(path.unwrap_or_default())),
    }
}

/// The name of an address that is no file's.
pub(crate) fn abstract_name(address: &SocketAddr) -> Option<&[u8]> {
    address.as_abstract_name()
}

/// User, group and process at the other end, at the time when the connection was made.
///
/// # Errors
/// The system's.
pub(crate) fn peer_credentials(stream: &UnixStream) -> io::Result<(u32, u32, Option<i32>)> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // By libc: rustix 1.1 has no room for a process of number 0, which is what the system says of one that lives in another
    // namespace, and of the other end of a socket that has none.
    // SAFETY: the system writes at most `size` bytes, into an option of this frame that is as big.
    let failed = unsafe {
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut peer).cast(), &raw mut size)
    };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((peer.uid, peer.gid, (peer.pid != 0).then_some(peer.pid)))
}

/// Whether an error says that the receiver of a datagram has no room for it now.
pub(crate) fn is_receiver_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::os::{peek, peek_from};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, connect, socket};
    use std::fs;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixDatagram;
    use std::path::PathBuf;

    /// The system counts a zero byte behind such a path, and the address is longer than the type that holds it.
    fn path_that_fills_its_address(folder: &str) -> (PathBuf, PathBuf) {
        let folder = std::env::temp_dir().join(format!("weftwork-{}-{folder}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let room = 108 - folder.as_os_str().len() - 1;
        let path = folder.join("x".repeat(room));
        (folder, path)
    }

    fn bound(kind: SocketType, path: &PathBuf) -> OwnedFd {
        let socket = socket(AddressFamily::UNIX, kind, None).unwrap();
        bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
        socket
    }

    #[test]
    fn a_peer_whose_path_fills_its_address_is_accepted() {
        let (folder, path) = path_that_fills_its_address("accepted");
        let at = folder.join("listener");
        let listener = UnixListener::bind(&at).unwrap();
        let client = bound(SocketType::STREAM, &path);
        connect(&client, &SocketAddrUnix::new(&at).unwrap()).unwrap();
        let (_stream, peer) = accept_local(&listener).unwrap();
        assert_eq!(peer.as_pathname(), Some(path.as_path()));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_datagram_from_a_path_that_fills_its_address_can_be_looked_at() {
        let (folder, path) = path_that_fills_its_address("peeked");
        let receiver = UnixDatagram::bind(folder.join("receiver")).unwrap();
        let sender = UnixDatagram::from(bound(SocketType::DGRAM, &path));
        sender.send_to(b"look", folder.join("receiver")).unwrap();
        let mut buf = [0; 8];
        assert_eq!(peek(&receiver, &mut buf).unwrap(), 4);
        assert_eq!(peek_from(&receiver, &mut buf).unwrap().0, 4);
        assert_eq!(receiver.recv_from(&mut buf).unwrap().0, 4);
        fs::remove_dir_all(folder).unwrap();
    }
}
