//! Accepting where there is no call that does it all at once.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Takes a connection from the queue; it is in non-blocking mode.
///
/// # Errors
/// The system's.
pub(crate) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, peer))
}
