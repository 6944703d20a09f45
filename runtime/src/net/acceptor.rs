//! Accepting, whatever the family of the socket: which failures are the caller's, which are passed over, and which are
//! waited out.

use super::accept_pause::Pause;
use crate::reactor::{First, Found, Interest, Place, Reactor, Registered, Way, os};
use core::fmt;
use core::task::{Context, Poll, ready};
use polling::AsSource;
use std::io;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;
use weftwork_sync::primitive::fault::{self, Point};

/// A socket of the standard library that listens.
pub(crate) trait ListeningSocket: AsSource {
    /// What it accepts.
    type Connection: AsSource;
    /// Who connected.
    type Peer;

    /// Takes a connection from the queue; it is in non-blocking mode.
    fn accept(&self) -> io::Result<(Self::Connection, Self::Peer)>;
}

/// A connection that was accepted, and its peer.
pub(super) type Accepted<L> = (Registered<<L as ListeningSocket>::Connection>, <L as ListeningSocket>::Peer);

/// A socket that listens, and its pauses.
pub(super) struct Acceptor<L> {
    io: Registered<L>,
    pause: Pause,
}

impl<L: ListeningSocket> Acceptor<L> {
    /// A listener that is in non-blocking mode already.
    pub(super) fn new(reactor: &Shared<Reactor>, listener: L) -> io::Result<Self> {
        let io = Registered::new(reactor, listener, Interest::READABLE, First::Try)?;
        let pause = Pause::new(io.registration().shared().clone());
        Ok(Self { io, pause })
    }

    pub(super) fn poll_accept(
        &self,
        place: &mut Place,
        begun: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Accepted<L>>> {
        let registration = self.io.registration();
        loop {
            // Each attempt takes a unit, so a queue full of aborted connections cannot keep the thread.
            let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a connection")));
            if self.pause.is_on() {
                match registration.poll_unasked(Way::In, place, cx)? {
                    Poll::Ready(seen) => registration.clear(Way::In, seen, Found::Empty),
                    Poll::Pending if self.pause.is_on() => return Poll::Pending,
                    Poll::Pending => {}
                }
                continue;
            }
            let seen = ready!(registration.poll_ready(Way::In, place, cx))?;
            match fault::pass(Point::Accept).and_then(|()| self.io.get_ref().accept()) {
                Ok((connection, peer)) => {
                    unit.made_progress();
                    match Registered::new(registration.reactor(), connection, Interest::BOTH, First::Try) {
                        Ok(connection) => {
                            self.pause.reset();
                            return Poll::Ready(Ok((connection, peer)));
                        }
                        // This connection is lost, the next one must not be.
                        Err(e) => self.run_out(e)?,
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => registration.clear(Way::In, seen, Found::Empty),
                Err(e) if os::is_about_one_connection(&e) => unit.made_progress(),
                Err(e) => {
                    unit.made_progress();
                    self.run_out(e)?;
                }
            }
        }
    }

    /// Begins a pause if the system is out of something and there is a timer; else the error is the caller's.
    #[cold]
    fn run_out(&self, error: io::Error) -> io::Result<()> {
        if os::is_exhaustion(&error) && self.pause.begin(&error).is_ok() { Ok(()) } else { Err(error) }
    }
}

impl<L> Acceptor<L> {
    pub(super) fn io(&self) -> &Registered<L> {
        &self.io
    }

    pub(super) fn get_ref(&self) -> &L {
        self.io.get_ref()
    }

    pub(super) fn into_inner(self) -> L {
        self.io.into_inner()
    }

    pub(super) fn pause(&self) -> &Pause {
        &self.pause
    }
}

impl<L: fmt::Debug> fmt::Debug for Acceptor<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("io", &self.io).field("pause", &self.pause).finish()
    }
}

/// The futures of `$Listener`, which has an `acceptor()`, makes `$Stream`s, and names its peers by `$Peer`.
macro_rules! accept_futures {
    ($Listener:ident, $Stream:ident, $Peer:ty) => {
        #[doc = concat!("The future of [`", stringify!($Listener), "::accept`].")]
        #[derive(Debug)]
        #[must_use = "futures do nothing unless awaited"]
        pub struct Accept<'a> {
            listener: &'a $Listener,
            waiting: crate::reactor::registered::Waiting<'a, ListeningSocket>,
        }

        impl<'a> Accept<'a> {
            pub(in crate::net) fn new(listener: &'a $Listener) -> Self {
                let waiting =
                    crate::reactor::registered::Waiting::new(listener.acceptor().io(), crate::reactor::Way::In);
                Self { listener, waiting }
            }
        }

        impl Future for Accept<'_> {
            type Output = std::io::Result<($Stream, $Peer)>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let acceptor = self.listener.acceptor();
                let (io, peer) =
                    ready!(self.waiting.with_place(|place, begun| acceptor.poll_accept(place, begun, cx)))?;
                Poll::Ready(Ok(($Stream::connected(io), peer)))
            }
        }

        #[doc = concat!("The stream of [`", stringify!($Listener), "::incoming`].")]
        #[derive(Debug)]
        #[must_use = "streams do nothing unless polled"]
        pub struct Incoming<'a> {
            accept: Accept<'a>,
        }

        impl<'a> Incoming<'a> {
            pub(in crate::net) fn new(listener: &'a $Listener) -> Self {
                Self { accept: Accept::new(listener) }
            }
        }

        impl futures_core::Stream for Incoming<'_> {
            type Item = std::io::Result<$Stream>;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                // An accept that is done can be polled for the next connection.
                Pin::new(&mut self.accept).poll(cx).map(|accepted| Some(accepted.map(|(stream, _peer)| stream)))
            }
        }
    };
}

pub(super) use accept_futures;
