//! Who is at the other end of a Unix socket, on Apple's systems and the BSDs.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// User and group at the other end, at the time when the connection was made.
///
/// # Errors
/// The system's.
pub(crate) fn peer_credentials(stream: &UnixStream) -> io::Result<(u32, u32, Option<i32>)> {
    let (mut user, mut group) = (0, 0);
    // SAFETY: the descriptor is open while the stream is borrowed, and both numbers outlive the call.
    if unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut user, &raw mut group) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((user, group, None))
}
