//! Connecting: every address in its order, until one answers; or one address with a socket made for it.

use super::addr::LookupHost;
use super::attempts::Failures;
use super::stream::TcpStream;
use crate::reactor::{First, Found, Interest, Place, Reactor, Registered, Way, os};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{self, SocketAddr};
use std::vec;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::fault::{self, Point};

/// The future of [`TcpStream::connect`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Connect {
    state: State,
    failures: Failures,
}

#[derive(Debug)]
enum State {
    Resolving(LookupHost),
    Trying { reactor: Shared<Reactor>, left: vec::IntoIter<SocketAddr>, now: Option<Attempt> },
}

/// A connect that goes on in the background. Dropping it closes the socket, which ends it.
#[derive(Debug)]
struct Attempt {
    address: SocketAddr,
    io: Registered<net::TcpStream>,
}

enum Started {
    Connected(Registered<net::TcpStream>),
    InProgress(Registered<net::TcpStream>),
}

impl Connect {
    pub(super) fn new(lookup: LookupHost) -> Self {
        Self { state: State::Resolving(lookup), failures: Failures::default() }
    }

    #[cfg(test)]
    pub(crate) fn on(reactor: Shared<Reactor>, addresses: Vec<SocketAddr>) -> Self {
        Self { state: State::Trying { reactor, left: addresses.into_iter(), now: None }, failures: Failures::default() }
    }
}

impl Future for Connect {
    type Output = io::Result<TcpStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Resolving(lookup) => {
                    let left = ready!(Pin::new(lookup).poll(cx))?.into_iter();
                    this.state = State::Trying { reactor: crate::context::reactor()?, left, now: None };
                }
                State::Trying { now: Some(attempt), .. } => {
                    let address = attempt.address;
                    let ended = ready!(attempt.poll(cx));
                    let State::Trying { now, .. } = &mut this.state else { unreachable!("it was Trying above") };
                    let attempt = now.take();
                    match (ended, attempt) {
                        (Ok(()), Some(attempt)) => return Poll::Ready(Ok(TcpStream::connected(attempt.io))),
                        (Err(e), _) => this.failures.push(address, e),
                        (Ok(()), None) => unreachable!("an attempt was polled"),
                    }
                }
                State::Trying { now, reactor, left } => {
                    // Whoever connects again and again, and never has to wait, must not keep the thread.
                    let unit = ready!(coop::proceed(cx, false));
                    let Some(address) = left.next() else {
                        let failures = core::mem::take(&mut this.failures);
                        return Poll::Ready(Err(failures.into_error("no address answered")));
                    };
                    match start(reactor, address) {
                        Ok(Started::Connected(io)) => {
                            unit.made_progress();
                            return Poll::Ready(Ok(TcpStream::connected(io)));
                        }
                        Ok(Started::InProgress(io)) => *now = Some(Attempt { address, io }),
                        Err(e) => this.failures.push(address, e),
                    }
                }
            }
        }
    }
}

impl Attempt {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // Nobody else can wait on a socket that nobody else has, so no place of its own is needed.
            let seen = ready!(self.io.poll_ready(Way::Out, &mut Place::Anonymous, true, cx))?;
            let socket = self.io.get_ref();
            if let Some(e) = socket.take_error()? {
                return Poll::Ready(Err(e));
            }
            match socket.peer_addr() {
                Ok(_) => return Poll::Ready(Ok(())),
                // Readiness without a result: not yet.
                Err(e) if e.kind() == io::ErrorKind::NotConnected => {
                    self.io.registration().clear(Way::Out, seen, Found::Empty);
                }
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }
}

fn start(reactor: &Shared<Reactor>, address: SocketAddr) -> io::Result<Started> {
    fault::pass(Point::Descriptor)?;
    let socket = os::socket(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    start_with(reactor, socket, address)
}

fn start_with(reactor: &Shared<Reactor>, socket: Socket, address: SocketAddr) -> io::Result<Started> {
    // Registered after the connect has begun: before it, the system calls the socket hung up.
    let started = socket.connect(&address.into());
    let socket = net::TcpStream::from(socket);
    match started {
        Ok(()) => Registered::new(reactor, socket, Interest::BOTH, First::Try).map(Started::Connected),
        // Over loopback the handshake is over by now, and there is nothing to wait for.
        Err(e) if os::is_in_progress(&e) && socket.peer_addr().is_ok() => {
            Registered::new(reactor, socket, Interest::BOTH, First::Try).map(Started::Connected)
        }
        Err(e) if os::is_in_progress(&e) => {
            Registered::new(reactor, socket, Interest::BOTH, First::Wait).map(Started::InProgress)
        }
        Err(e) => Err(e),
    }
}

/// The future of [`TcpSocket::connect`](super::TcpSocket::connect).
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SocketConnect {
    address: SocketAddr,
    state: SocketState,
}

#[derive(Debug)]
enum SocketState {
    New(Socket),
    Trying(Attempt),
    Done,
}

impl SocketConnect {
    /// The socket is in non-blocking mode.
    pub(super) fn new(socket: Socket, address: SocketAddr) -> Self {
        Self { address, state: SocketState::New(socket) }
    }
}

impl Future for SocketConnect {
    type Output = io::Result<TcpStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let address = self.address;
        let attempt = match core::mem::replace(&mut self.state, SocketState::Done) {
            SocketState::New(socket) => {
                let Poll::Ready(unit) = coop::proceed(cx, false) else {
                    self.state = SocketState::New(socket);
                    return Poll::Pending;
                };
                match start_with(&crate::context::reactor()?, socket, address)? {
                    Started::Connected(io) => {
                        unit.made_progress();
                        return Poll::Ready(Ok(TcpStream::connected(io)));
                    }
                    Started::InProgress(io) => Attempt { address, io },
                }
            }
            SocketState::Trying(attempt) => attempt,
            SocketState::Done => panic!("a SocketConnect was polled after it had completed"),
        };
        match attempt.poll(cx) {
            Poll::Ready(ended) => Poll::Ready(ended.map(|()| TcpStream::connected(attempt.io))),
            Poll::Pending => {
                self.state = SocketState::Trying(attempt);
                Poll::Pending
            }
        }
    }
}
