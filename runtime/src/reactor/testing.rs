//! What the tests of reactor, net and io share: a thread that turns a reactor, and single polls.

use super::{Backend, Reactor};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::net::{self, Shutdown};
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU64, Ordering};
use weftwork_sync::primitive::{Shared, thread};

/// Every backend there is on this system.
pub(crate) const BACKENDS: [Backend; 2] = [Backend::Default, Backend::Portable];

/// A reactor that a thread of its own turns until this is dropped.
pub(crate) struct Driven {
    pub(crate) reactor: Shared<Reactor>,
    stop: Shared<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Driven {
    pub(crate) fn new(backend: Backend) -> Self {
        let reactor = Reactor::new(backend).unwrap();
        let stop = Shared::new(AtomicBool::new(false));
        let (turned, stopped) = (reactor.clone(), stop.clone());
        let turns = move || {
            let mut ready = Vec::new();
            while !stopped.load(Ordering::Acquire) {
                turned.try_enter().unwrap().run(None, &mut ready).unwrap();
                ready.drain(..).for_each(Waker::wake);
            }
        };
        Self { reactor, stop, thread: Some(thread::spawn("turns".into(), turns).unwrap()) }
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.reactor.notify();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Runs a test on every backend, with a thread that turns the reactor.
pub(crate) fn driven(test: impl Fn(&Shared<Reactor>)) {
    for backend in BACKENDS {
        let driven = Driven::new(backend);
        test(&driven.reactor);
    }
}

/// Runs a test on every backend; it turns the reactor itself.
pub(crate) fn by_hand(test: impl Fn(&Shared<Reactor>)) {
    for backend in BACKENDS {
        test(&Reactor::new(backend).unwrap());
    }
}

/// One turn that waits for at least one event, and wakes whom it concerns.
pub(crate) fn turn(reactor: &Reactor) {
    let mut ready = Vec::new();
    while reactor.try_enter().unwrap().run(None, &mut ready).unwrap() == 0 {}
    ready.drain(..).for_each(Waker::wake);
}

/// One look without waiting; how many events there were.
pub(crate) fn look(reactor: &Reactor) -> usize {
    let mut ready = Vec::new();
    let events = reactor.try_enter().unwrap().run(Some(Duration::ZERO), &mut ready).unwrap();
    ready.drain(..).for_each(Waker::wake);
    events
}

/// A waker that counts.
#[derive(Clone)]
pub(crate) struct Count(#[allow(clippy::disallowed_types, reason = "std's Wake asks for it")] std::sync::Arc<Wakes>);

struct Wakes(AtomicU64);

impl std::task::Wake for Wakes {
    #[allow(clippy::disallowed_types, reason = "std's Wake asks for it")]
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Count {
    #[allow(clippy::disallowed_types, reason = "std's Wake asks for it")]
    pub(crate) fn new() -> Self {
        Self(std::sync::Arc::new(Wakes(AtomicU64::new(0))))
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }

    /// How often it was woken.
    pub(crate) fn wakes(&self) -> u64 {
        self.0.0.load(Ordering::Acquire)
    }

    /// How many wakers of it exist.
    #[allow(clippy::disallowed_types, reason = "std's Wake asks for it")]
    pub(crate) fn wakers(&self) -> usize {
        std::sync::Arc::strong_count(&self.0) - 1
    }

    pub(crate) fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&self.waker()))
    }
}

/// Two connected sockets: one for the reactor (non-blocking), one for the test (blocking).
pub(crate) fn pair() -> (net::TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours, theirs)
}

/// Ends the peer's side without closing the socket.
pub(crate) fn end(peer: &net::TcpStream) {
    peer.shutdown(Shutdown::Write).unwrap();
}
