//! Connecting to a Unix socket.

use super::address::Address;
use super::again::Again;
use super::socket_file;
use super::stream::UnixStream;
use crate::reactor::{First, Interest, Place, Reactor, Registered, Way, os};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use socket2::{Socket, Type};
use std::io;
use std::os::unix::net;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;

/// The future of [`UnixStream::connect`].
#[must_use = "futures do nothing unless awaited"]
pub struct Connect {
    state: State,
}

enum State {
    New(io::Result<Address>),
    /// The listener's queue was full.
    Waiting {
        reactor: Shared<Reactor>,
        socket: Socket,
        address: Address,
        again: Again,
    },
    /// It goes on in the background.
    Trying(Registered<net::UnixStream>),
    Done,
}

impl Connect {
    pub(super) fn new(address: io::Result<Address>) -> Self {
        Self { state: State::New(address) }
    }
}

impl Future for Connect {
    type Output = io::Result<UnixStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let begun = !matches!(self.state, State::New(_));
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a socket to connect")));
        let mut state = core::mem::replace(&mut self.state, State::Done);
        loop {
            state = match state {
                State::New(address) => {
                    let (reactor, address) = (crate::context::reactor()?, address?);
                    let socket = socket_file::socket(Type::STREAM)?;
                    State::Waiting { reactor, socket, address, again: Again::new() }
                }
                State::Waiting { reactor, socket, address, mut again } => {
                    if again.is_pausing() && again.poll(&reactor, cx)?.is_pending() {
                        self.state = State::Waiting { reactor, socket, address, again };
                        return Poll::Pending;
                    }
                    // Registered after the connect has begun: before it, the system calls the socket hung up.
                    match socket.connect(address.system()) {
                        Ok(()) => {
                            unit.made_progress();
                            let io = Registered::new(&reactor, socket.into(), Interest::BOTH, First::Try)?;
                            return Poll::Ready(Ok(UnixStream::connected(io)));
                        }
                        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                            if again.poll(&reactor, cx)?.is_pending() {
                                self.state = State::Waiting { reactor, socket, address, again };
                                return Poll::Pending;
                            }
                            State::Waiting { reactor, socket, address, again }
                        }
                        Err(e) if os::is_in_progress(&e) => {
                            State::Trying(Registered::new(&reactor, socket.into(), Interest::BOTH, First::Wait)?)
                        }
                        Err(e) => {
                            unit.made_progress();
                            return Poll::Ready(Err(e));
                        }
                    }
                }
                State::Trying(io) => {
                    if io.registration().poll_ready(Way::Out, &mut Place::Anonymous, cx)?.is_pending() {
                        self.state = State::Trying(io);
                        return Poll::Pending;
                    }
                    unit.made_progress();
                    return Poll::Ready(match io.get_ref().take_error()? {
                        Some(e) => Err(e),
                        None => Ok(UnixStream::connected(io)),
                    });
                }
                State::Done => panic!("a Connect was polled after it had completed"),
            };
        }
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::New(_) => "Connect(new)",
            State::Waiting { .. } => "Connect(waiting for room)",
            State::Trying(_) => "Connect(in progress)",
            State::Done => "Connect(done)",
        })
    }
}
