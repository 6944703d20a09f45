//! Who is at the other end of a Unix socket.

/// Who was at the other end of a [`UnixStream`](crate::net::UnixStream) when the connection was made, by the system's word.
///
/// tokio: `UCred`.
#[doc(alias = "UCred")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
    /// The process, where the system says so: on Linux, unless it lives in another namespace of processes. It may be gone,
    /// and its number another's by now.
    pub pid: Option<i32>,
}
