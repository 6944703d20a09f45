//! Several listeners as one: a name may stand for several addresses, and a server is to be found at each of them.

use super::addr::LookupHost;
use super::listener::{Families, TcpListener, listen};
use super::stream::TcpStream;
use super::tcp::Accept;
use crate::reactor::os;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_core::Stream;
use std::io;
use std::net::SocketAddr;
use weftwork_sync::coop;
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};

/// Listeners on several addresses, from which connections are accepted in turn.
///
/// After a connection from one of them the others are looked at first, so an address under load does not keep connections
/// at another one waiting.
///
/// Made by [`TcpListener::bind_all`], or from listeners that were made one by one.
///
/// asyncio: `Server`, made by `start_server`; tokio: none.
///
/// ```
/// use weftwork::net::{TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let server = TcpListener::bind_all("localhost:0").await?;
/// for address in server.local_addrs()? {
///     let client = TcpStream::connect(address).await?;
///     let (_stream, peer) = server.accept().await?;
///     assert_eq!(peer, client.local_addr()?);
/// }
/// # Ok(()) }) }
/// ```
#[doc(alias = "Server")]
#[doc(alias = "start_server")]
pub struct TcpListeners {
    listeners: Vec<TcpListener>,
    /// Who is looked at first.
    next: AtomicUsize,
}

impl TcpListeners {
    /// Waits for a connection at any of the addresses.
    ///
    /// # Errors
    /// As [`TcpListener::accept`], when it befalls one of them; the others can go on. `InvalidInput` if there is no
    /// listener at all.
    ///
    /// # Cancel safety
    /// Nothing is lost: a connection is taken from its queue only by the poll that returns it.
    ///
    /// asyncio: `start_server` calls back; tokio: a `select!` over several `accept`s.
    pub fn accept(&self) -> AcceptAny<'_> {
        AcceptAny { listeners: self, accepts: self.listeners.iter().map(TcpListener::accept).collect() }
    }

    /// The connections as a stream that does not end; an item is an error where [`accept`](Self::accept) fails.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn incoming(&self) -> IncomingAny<'_> {
        IncomingAny { accept: self.accept() }
    }

    /// The addresses they are bound to, in the order of the look-up.
    ///
    /// # Errors
    /// The system's.
    #[doc(alias = "sockets")]
    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// The listeners.
    pub fn as_slice(&self) -> &[TcpListener] {
        &self.listeners
    }

    /// Takes them apart.
    pub fn into_vec(self) -> Vec<TcpListener> {
        self.listeners
    }
}

impl FromIterator<TcpListener> for TcpListeners {
    fn from_iter<I: IntoIterator<Item = TcpListener>>(listeners: I) -> Self {
        Self { listeners: listeners.into_iter().collect(), next: AtomicUsize::new(0) }
    }
}

impl fmt::Debug for TcpListeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.listeners).finish()
    }
}

/// The future of [`TcpListener::bind_all`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct BindAll {
    lookup: LookupHost,
}

impl BindAll {
    pub(super) fn new(lookup: LookupHost) -> Self {
        Self { lookup }
    }
}

impl Future for BindAll {
    type Output = io::Result<TcpListeners>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let addresses = ready!(Pin::new(&mut self.lookup).poll(cx))?;
        let reactor = crate::context::reactor()?;
        let mut bound = Vec::new();
        let mut passed_over = None;
        for (n, &address) in addresses.iter().enumerate() {
            // A resolver may name an address more than once, for one service each.
            if addresses[..n].contains(&address) {
                continue;
            }
            match listen(address, Families::One).and_then(|socket| TcpListener::on(&reactor, socket)) {
                Ok(listener) => bound.push(listener),
                Err(e) if os::is_address_not_here(&e) => passed_over = Some(NotBound { address, error: e }),
                Err(e) => return Poll::Ready(Err(NotBound { address, error: e }.into_error())),
            }
        }
        if bound.is_empty() {
            return Poll::Ready(Err(passed_over.map_or_else(no_address, NotBound::into_error)));
        }
        Poll::Ready(Ok(bound.into_iter().collect()))
    }
}

#[cold]
fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "there is no address to listen on: the list is empty")
}

/// An address of several, and why it could not be bound.
#[derive(Debug)]
struct NotBound {
    address: SocketAddr,
    error: io::Error,
}

impl NotBound {
    fn into_error(self) -> io::Error {
        io::Error::new(self.error.kind(), self)
    }
}

impl fmt::Display for NotBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be bound: {}", self.address, self.error)
    }
}

impl std::error::Error for NotBound {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// The future of [`TcpListeners::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct AcceptAny<'a> {
    listeners: &'a TcpListeners,
    accepts: Vec<Accept<'a>>,
}

impl Future for AcceptAny<'_> {
    type Output = io::Result<(TcpStream, SocketAddr)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let count = self.accepts.len();
        if count == 0 {
            return Poll::Ready(Err(no_address()));
        }
        // Ordering: Relaxed, it only says whose turn it is.
        let first = self.listeners.next.load(Ordering::Relaxed);
        for at in (0..count).map(|n| first.wrapping_add(n) % count) {
            if let Poll::Ready(accepted) = Pin::new(&mut self.accepts[at]).poll(cx) {
                self.listeners.next.store(at + 1, Ordering::Relaxed);
                return Poll::Ready(accepted);
            }
            if !coop::has_budget() {
                // It was refused, and the task was woken to come again.
                break;
            }
        }
        Poll::Pending
    }
}

/// The stream of [`TcpListeners::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct IncomingAny<'a> {
    accept: AcceptAny<'a>,
}

impl Stream for IncomingAny<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // An accept that is done can be polled for the next connection.
        Pin::new(&mut self.accept).poll(cx).map(|accepted| Some(accepted.map(|(stream, _peer)| stream)))
    }
}
