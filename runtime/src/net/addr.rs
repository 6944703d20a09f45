//! From what a user writes to socket addresses. Addresses that are addresses already cost nothing; names are looked up on
//! the blocking pool, since the system's resolver blocks.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs as _};

/// What [`TcpStream::connect`](super::TcpStream::connect), [`TcpListener::bind`](super::TcpListener::bind) and
/// [`lookup_host`] take: socket addresses, pairs of address and port, and names such as `"localhost:80"` or
/// `("localhost", 80)`.
///
/// tokio: `ToSocketAddrs`. It cannot be implemented outside of this crate.
pub trait ToSocketAddrs: sealed::Resolve {}

pub(crate) mod sealed {
    /// The hidden half of [`ToSocketAddrs`](super::ToSocketAddrs).
    pub trait Resolve {
        /// Begins to find the addresses.
        fn resolve(self) -> super::LookupHost;
    }
}

/// Finds the socket addresses that a name stands for, on the blocking pool.
///
/// The order is the resolver's, which is the order in which to try them.
///
/// # Errors
/// The resolver's; also if there is no runtime on this thread, or it has shut down.
///
/// # Cancel safety
/// Nothing is lost; a look-up that runs goes on in its thread and is thrown away.
///
/// asyncio: `loop.getaddrinfo`; tokio: `lookup_host`.
///
/// ```
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let addresses = weftwork::net::lookup_host("127.0.0.1:80").await?;
/// assert_eq!(addresses, ["127.0.0.1:80".parse().unwrap()]);
/// # Ok(()) }) }
/// ```
#[doc(alias = "getaddrinfo")]
pub fn lookup_host(host: impl ToSocketAddrs) -> LookupHost {
    host.resolve()
}

/// The future of [`lookup_host`].
#[must_use = "futures do nothing unless awaited"]
pub struct LookupHost(State);

type Addresses = io::Result<Vec<SocketAddr>>;

enum State {
    One(SocketAddr),
    Known(Vec<SocketAddr>),
    Named(Name),
    Asked(Pin<Box<dyn Future<Output = Addresses> + Send>>),
    Done,
}

enum Name {
    WithPort(String),
    Host(String, u16),
}

impl LookupHost {
    /// The address, if it is one and needs no look-up.
    pub(super) fn one(&self) -> Option<SocketAddr> {
        match self.0 {
            State::One(address) => Some(address),
            _ => None,
        }
    }

    fn named(name: Name) -> Self {
        Self(State::Named(name))
    }
}

async fn ask(name: Name) -> Addresses {
    let answer = crate::to_thread(move || -> Addresses {
        Ok(match name {
            Name::WithPort(name) => name.to_socket_addrs()?.collect(),
            Name::Host(host, port) => (host, port).to_socket_addrs()?.collect(),
        })
    });
    answer.await.map_err(io::Error::other)?
}

impl Future for LookupHost {
    type Output = Addresses;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Addresses> {
        loop {
            match core::mem::replace(&mut self.0, State::Done) {
                State::One(address) => return Poll::Ready(Ok(vec![address])),
                State::Known(addresses) => return Poll::Ready(Ok(addresses)),
                State::Named(name) => {
                    // Without a runtime there is no pool; say so as an error.
                    crate::context::reactor()?;
                    self.0 = State::Asked(Box::pin(ask(name)));
                }
                State::Asked(mut answer) => {
                    let answered = answer.as_mut().poll(cx);
                    if answered.is_pending() {
                        self.0 = State::Asked(answer);
                    }
                    return answered;
                }
                State::Done => panic!("a LookupHost was polled after it had completed"),
            }
        }
    }
}

impl fmt::Debug for LookupHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::One(_) | State::Known(_) | State::Named(_) => "LookupHost(new)",
            State::Asked(_) => "LookupHost(pending)",
            State::Done => "LookupHost(done)",
        })
    }
}

macro_rules! known {
    ($($what:ty, |$value:ident| $addresses:expr;)*) => {$(
        impl sealed::Resolve for $what {
            fn resolve(self) -> LookupHost {
                let $value = self;
                LookupHost($addresses)
            }
        }
        impl ToSocketAddrs for $what {}
    )*};
}

known! {
    SocketAddr, |a| State::One(a);
    SocketAddrV4, |a| State::One(a.into());
    SocketAddrV6, |a| State::One(a.into());
    (IpAddr, u16), |a| State::One(a.into());
    (Ipv4Addr, u16), |a| State::One(a.into());
    (Ipv6Addr, u16), |a| State::One(a.into());
    &[SocketAddr], |all| State::Known(all.to_vec());
    Vec<SocketAddr>, |all| State::Known(all);
}

impl<const N: usize> sealed::Resolve for [SocketAddr; N] {
    fn resolve(self) -> LookupHost {
        LookupHost(State::Known(self.into()))
    }
}
impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {}

impl sealed::Resolve for &str {
    fn resolve(self) -> LookupHost {
        match self.parse::<SocketAddr>() {
            Ok(address) => LookupHost(State::One(address)),
            Err(_) => LookupHost::named(Name::WithPort(self.to_owned())),
        }
    }
}
impl ToSocketAddrs for &str {}

impl sealed::Resolve for (&str, u16) {
    fn resolve(self) -> LookupHost {
        match self.0.parse::<IpAddr>() {
            Ok(address) => LookupHost(State::One((address, self.1).into())),
            Err(_) => LookupHost::named(Name::Host(self.0.to_owned(), self.1)),
        }
    }
}
impl ToSocketAddrs for (&str, u16) {}

impl sealed::Resolve for String {
    fn resolve(self) -> LookupHost {
        self.as_str().resolve()
    }
}
impl ToSocketAddrs for String {}

impl sealed::Resolve for (String, u16) {
    fn resolve(self) -> LookupHost {
        (self.0.as_str(), self.1).resolve()
    }
}
impl ToSocketAddrs for (String, u16) {}

macro_rules! by_reference {
    ($($what:ty)*) => {$(
        impl sealed::Resolve for &$what {
            fn resolve(self) -> LookupHost {
                self.clone().resolve()
            }
        }
        impl ToSocketAddrs for &$what {}
    )*};
}

by_reference! { SocketAddr SocketAddrV4 SocketAddrV6 String Vec<SocketAddr> &str }
