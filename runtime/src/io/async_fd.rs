//! A descriptor of the user's own, watched by the reactor.

use super::async_fd_futures::{AsyncIo, Readiness};
use crate::reactor::{First, Found, Interest, Place, Reactor, Ready, Registered, Way};
use core::fmt;
use core::task::{Context, Poll, ready};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use weftwork_sync::primitive::Shared;

/// Watches a descriptor: a pipe, a device, a socket of another library.
///
/// The descriptor must be in non-blocking mode, or calls on it block the worker. Regular files are always ready and cannot
/// be watched; [`to_thread`](crate::to_thread()) is for them. `T` must name the same descriptor whenever it is asked.
///
/// There is no `get_mut`: with `&mut T` safe code could swap the descriptor for another under the reactor.
///
/// asyncio: `loop.add_reader` and `add_writer`; tokio: `AsyncFd`.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use weftwork::io::{AsyncFd, Interest};
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let (mut here, there) = UnixStream::pair()?;
/// there.set_nonblocking(true)?;
/// let there = AsyncFd::new(there)?;
///
/// here.write_all(b"news")?;
/// let mut buf = [0; 16];
/// let n = there.async_io(Interest::READABLE, |mut socket| socket.read(&mut buf)).await?;
/// assert_eq!(&buf[..n], b"news");
/// # Ok(()) }) }
/// ```
#[doc(alias = "add_reader")]
#[doc(alias = "add_writer")]
pub struct AsyncFd<T: AsFd> {
    io: Registered<T>,
    interest: Interest,
}

impl<T: AsFd> AsyncFd<T> {
    /// Watches a descriptor for reading and writing.
    ///
    /// # Errors
    /// No runtime is on this thread; or the descriptor cannot be watched: a regular file (`Unsupported`), one that is
    /// watched already (`AlreadyExists`), one that is not open (`InvalidInput`).
    pub fn new(fd: T) -> io::Result<Self> {
        Self::with_interest(fd, Interest::BOTH)
    }

    /// Watches a descriptor for the directions in `interest`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_interest(fd: T, interest: Interest) -> io::Result<Self> {
        Self::on(&crate::context::reactor()?, fd, interest)
    }

    pub(crate) fn on(reactor: &Shared<Reactor>, fd: T, interest: Interest) -> io::Result<Self> {
        // Somebody may act on readiness alone, so it is not claimed before the system says so.
        Ok(Self { io: Registered::new(reactor, fd, interest, First::Wait)?, interest })
    }

    /// Waits until the descriptor is readable, has ended, or has an error.
    ///
    /// # Errors
    /// The runtime has shut down; reading is not among the interests.
    ///
    /// # Cancel safety
    /// Nothing is lost: readiness stays until it is cleared.
    pub fn readable(&self) -> Readiness<'_, T> {
        Readiness::new(self, Way::In)
    }

    /// Waits until the descriptor is writable, has ended, or has an error.
    ///
    /// # Errors
    /// The runtime has shut down; writing is not among the interests.
    ///
    /// # Cancel safety
    /// Nothing is lost: readiness stays until it is cleared.
    pub fn writable(&self) -> Readiness<'_, T> {
        Readiness::new(self, Way::Out)
    }

    /// As [`readable`](Self::readable), for use in a hand-written future.
    ///
    /// # Errors
    /// As [`readable`](Self::readable).
    pub fn poll_readable<'a>(&'a self, cx: &mut Context<'_>) -> Poll<io::Result<ReadyGuard<'a, T>>> {
        self.poll_guard(Way::In, &mut Place::Anonymous, false, cx)
    }

    /// As [`writable`](Self::writable), for use in a hand-written future.
    ///
    /// # Errors
    /// As [`writable`](Self::writable).
    pub fn poll_writable<'a>(&'a self, cx: &mut Context<'_>) -> Poll<io::Result<ReadyGuard<'a, T>>> {
        self.poll_guard(Way::Out, &mut Place::Anonymous, false, cx)
    }

    pub(super) fn poll_guard<'a>(
        &'a self,
        way: Way,
        place: &mut Place,
        begun: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<ReadyGuard<'a, T>>> {
        self.watches(way)?;
        let seen = ready!(self.io.poll_ready(way, place, begun, cx))?;
        Poll::Ready(Ok(ReadyGuard { fd: self, way, seen }))
    }

    /// Calls `f` whenever the descriptor is ready in one of the directions of `interest`, until it gives something other
    /// than `WouldBlock`.
    ///
    /// `f` must answer `WouldBlock` only if the descriptor did.
    ///
    /// # Errors
    /// What `f` gives; the runtime has shut down; a direction is not among the interests of this descriptor.
    ///
    /// # Cancel safety
    /// Nothing is lost but what `f` keeps: the poll that gets a result returns it.
    ///
    /// tokio: `AsyncFd::async_io`.
    pub fn async_io<R, F>(&self, interest: Interest, f: F) -> AsyncIo<'_, T, F>
    where
        F: FnMut(&T) -> io::Result<R>,
    {
        AsyncIo::new(self, interest, f)
    }

    /// The descriptor's owner.
    pub fn get_ref(&self) -> &T {
        self.io.get_ref()
    }

    /// Ends the watching and gives the descriptor back.
    pub fn into_inner(self) -> T {
        self.io.into_inner()
    }

    pub(super) fn registered(&self) -> &Registered<T> {
        &self.io
    }

    /// An error if nobody asked for this direction: it would never become ready.
    pub(super) fn watches(&self, way: Way) -> io::Result<()> {
        let wanted = match way {
            Way::In => self.interest.is_readable(),
            Way::Out => self.interest.is_writable(),
        };
        if wanted { Ok(()) } else { Err(unwatched()) }
    }
}

#[cold]
fn unwatched() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "this direction is not watched: name it in the interest of AsyncFd::with_interest",
    )
}

impl<T: AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd").field("inner", self.get_ref()).field("interest", &self.interest).finish()
    }
}

/// Says that a descriptor was ready. Use it with [`try_io`](Self::try_io), which takes the readiness back when it turns
/// out to be used up; as long as nobody does, waiting ends at once.
#[must_use = "readiness stays until try_io or clear_ready takes it back"]
pub struct ReadyGuard<'a, T: AsFd> {
    fd: &'a AsyncFd<T>,
    way: Way,
    seen: Ready,
}

/// The descriptor was not ready after all: wait again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TryIoError;

impl fmt::Display for TryIoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the descriptor was not ready after all: wait for it again")
    }
}

impl std::error::Error for TryIoError {}

impl<T: AsFd> ReadyGuard<'_, T> {
    /// Tries an operation; `WouldBlock` clears the readiness, unless an event came meanwhile.
    ///
    /// `f` must answer `WouldBlock` only if the descriptor did.
    ///
    /// # Errors
    /// `TryIoError` for `WouldBlock`; any other result of `f` is within `Ok`.
    pub fn try_io<R>(&mut self, f: impl FnOnce(&T) -> io::Result<R>) -> Result<io::Result<R>, TryIoError> {
        match f(self.fd.get_ref()) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError)
            }
            done => Ok(done),
        }
    }

    /// Takes the readiness back, unless an event came since. Call it only after the descriptor said that it would block,
    /// since its event comes once. That the direction has ended is not forgotten by it.
    pub fn clear_ready(&mut self) {
        self.fd.io.registration().clear(self.way, self.seen, Found::Claimed);
    }

    /// Whether the peer has ended this direction, as far as the system reported it.
    pub fn is_closed(&self) -> bool {
        self.seen.closed
    }

    /// The descriptor's owner.
    pub fn get_ref(&self) -> &T {
        self.fd.get_ref()
    }
}

impl<T: AsFd> fmt::Debug for ReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyGuard").field("way", &self.way).finish()
    }
}
