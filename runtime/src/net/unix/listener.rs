//! Accepting connections over a Unix socket.

use super::address::Address;
use super::socket_file::{SocketFile, Stale, bind};
use super::stream::UnixStream;
use super::{Accept, Incoming, SocketAddr};
use crate::net::acceptor::{Acceptor, ListeningSocket};
use crate::reactor::{Place, os};
use core::fmt;
use core::task::{Context, Poll, ready};
use socket2::Type;
use std::io;
use std::os::unix::net;
use std::path::Path;

/// Connections that may wait in the system's queue; the system's own limit applies too.
const BACKLOG: i32 = 1024;

/// A Unix socket that accepts connections.
///
/// When the process runs out of descriptors or memory, [`accept`](Self::accept) waits by itself, as that of a
/// [`TcpListener`](crate::net::TcpListener) does.
///
/// Dropping the listener removes the socket file that it made, unless another socket has taken its place by then or
/// [`set_remove_on_drop`](Self::set_remove_on_drop) says otherwise.
///
/// asyncio: `start_unix_server`; tokio: `UnixListener`.
///
/// ```
/// use weftwork::net::{UnixListener, UnixStream};
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let path = std::env::temp_dir().join(format!("weftwork-greeter-{}", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// let client = UnixStream::connect(&path).await?;
/// let (stream, _peer) = listener.accept().await?;
/// stream.write_all(b"hello").await?;
/// let mut greeting = [0; 5];
/// client.read_exact(&mut greeting).await?;
/// assert_eq!(&greeting, b"hello");
///
/// drop(listener);
/// assert!(!path.exists());
/// # Ok(()) }) }
/// ```
#[doc(alias = "start_unix_server")]
pub struct UnixListener {
    // Dropped first: who comes from then on is told that there is no such file.
    file: Option<SocketFile>,
    acceptor: Acceptor<net::UnixListener>,
}

impl UnixListener {
    /// Makes a socket file and listens there; on Linux a path that begins with a zero byte is an abstract name.
    ///
    /// # Errors
    /// `AddrInUse` if there is a file of that name; the message says whether somebody listens there, nobody does (see
    /// [`bind_replacing`](Self::bind_replacing)), or it is no socket at all. `InvalidInput` for a path that is empty, too
    /// long (about a hundred bytes), or has a zero byte in it. Else the system's; or no runtime is on this thread.
    ///
    /// tokio: `UnixListener::bind`.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_address(&Address::of_path(path.as_ref())?, Stale::Refuse)
    }

    /// As [`bind`](Self::bind), and puts itself in the place of a socket file that nobody listens at: the owner was killed
    /// before it could remove it.
    ///
    /// Two programs that do this with the same path at the very same moment may both succeed, and one is never found then;
    /// a lock file of their own keeps them apart.
    ///
    /// # Errors
    /// As [`bind`](Self::bind): a socket that somebody listens at, and a file that is no socket, are left alone.
    ///
    /// asyncio: `start_unix_server`, which removes any socket file; tokio: none.
    pub fn bind_replacing(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_address(&Address::of_path(path.as_ref())?, Stale::Replace)
    }

    /// Listens at an address, for example an abstract one; otherwise as [`bind`](Self::bind).
    ///
    /// # Errors
    /// As [`bind`](Self::bind); `InvalidInput` also for the address of a socket without a name.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::bind_address(&Address::of(address)?, Stale::Refuse)
    }

    fn bind_address(address: &Address, stale: Stale) -> io::Result<Self> {
        let reactor = crate::context::reactor()?;
        let (socket, file) = bind(Type::STREAM, address, stale)?;
        socket.listen(BACKLOG)?;
        Ok(Self { file, acceptor: Acceptor::new(&reactor, socket.into())? })
    }

    /// Takes over a listener of the standard library and puts it into non-blocking mode. Its file is not removed.
    ///
    /// # Errors
    /// No runtime is on this thread, or the system refuses.
    pub fn from_std(listener: net::UnixListener) -> io::Result<Self> {
        let reactor = crate::context::reactor()?;
        listener.set_nonblocking(true)?;
        Ok(Self { file: None, acceptor: Acceptor::new(&reactor, listener)? })
    }

    /// Gives the listener back to the standard library, in non-blocking mode. Its file stays.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(mut self) -> io::Result<net::UnixListener> {
        self.set_remove_on_drop(false);
        Ok(self.acceptor.into_inner())
    }

    /// Sets whether dropping the listener removes the socket file that it made, which is so at first. It has no effect
    /// where it made none.
    pub fn set_remove_on_drop(&mut self, remove: bool) {
        if let Some(file) = &mut self.file {
            file.remove_on_drop = remove;
        }
    }

    /// Waits for a connection.
    ///
    /// A failure that concerns one connection is passed over; running out of descriptors or memory is waited out. Any
    /// number of tasks may wait at once.
    ///
    /// # Errors
    /// What is left: the runtime has shut down, or the listener is broken. A caller that loops over `accept` should stop.
    /// Outside of a runtime, running out of descriptors is an error too, since there is no timer to wait with.
    ///
    /// # Cancel safety
    /// Nothing is lost: a connection is taken from the queue only by the poll that returns it.
    ///
    /// tokio: `UnixListener::accept`.
    pub fn accept(&self) -> Accept<'_> {
        Accept::new(self)
    }

    /// The connections as a stream that does not end; an item is an error where [`accept`](Self::accept) fails.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming::new(self)
    }

    /// As [`accept`](Self::accept), for use in a hand-written future. Up to 33 tasks may wait this way at once without
    /// waking each other.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let (io, peer) = ready!(self.acceptor.poll_accept(&mut Place::Anonymous, false, cx))?;
        Poll::Ready(Ok((UnixStream::connected(io), peer)))
    }

    pub(super) fn acceptor(&self) -> &Acceptor<net::UnixListener> {
        &self.acceptor
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.get_ref().local_addr()
    }
}

impl ListeningSocket for net::UnixListener {
    type Connection = net::UnixStream;
    type Peer = SocketAddr;

    fn accept(&self) -> io::Result<(net::UnixStream, SocketAddr)> {
        os::accept_local(self)
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixListener")
            .field("local_addr", &self.local_addr().ok())
            .field("removes_file", &self.file.as_ref().is_some_and(|file| file.remove_on_drop))
            .field("out_of_descriptors", &self.acceptor.pause().is_on())
            .finish()
    }
}

crate::net::operations::descriptor!(UnixListener, |listener| listener.acceptor.get_ref());
