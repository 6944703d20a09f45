//! Sockets on Linux: one system call for one that is non-blocking and closed on exec, made or accepted.

use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Makes a socket in non-blocking mode.
///
/// # Errors
/// The system's.
pub(crate) fn socket(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    Socket::new(domain, kind.nonblocking(), protocol)
}

/// Takes a connection from the queue; it is in non-blocking mode.
///
/// # Errors
/// The system's.
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    let stream = TcpStream::from(stream);
    // The system names the peer of every TCP connection; asking is for the case that it does not.
    let peer = match peer.and_then(|p| SocketAddr::try_from(p).ok()) {
        Some(peer) => peer,
        None => stream.peer_addr()?,
    };
    Ok((stream, peer))
}
