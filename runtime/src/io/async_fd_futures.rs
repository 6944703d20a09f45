//! The futures of an `AsyncFd`.

use super::async_fd::{AsyncFd, ReadyGuard};
use crate::reactor::registered::Waiting;
use crate::reactor::{Found, Interest, Way};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::os::fd::AsFd;

/// The future of [`AsyncFd::readable`] and [`AsyncFd::writable`].
#[must_use = "futures do nothing unless awaited"]
pub struct Readiness<'a, T: AsFd> {
    fd: &'a AsyncFd<T>,
    way: Way,
    waiting: Waiting<'a, T>,
}

impl<'a, T: AsFd> Readiness<'a, T> {
    pub(super) fn new(fd: &'a AsyncFd<T>, way: Way) -> Self {
        Self { fd, way, waiting: Waiting::new(fd.registered(), way) }
    }
}

impl<'a, T: AsFd> Future for Readiness<'a, T> {
    type Output = io::Result<ReadyGuard<'a, T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (fd, way) = (self.fd, self.way);
        self.waiting.with_place(|place, begun| fd.poll_guard(way, place, begun, cx))
    }
}

impl<T: AsFd> fmt::Debug for Readiness<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("way", &self.way).finish()
    }
}

/// The future of [`AsyncFd::async_io`].
#[must_use = "futures do nothing unless awaited"]
pub struct AsyncIo<'a, T: AsFd, F> {
    fd: &'a AsyncFd<T>,
    waits: [Option<(Way, Waiting<'a, T>)>; 2],
    f: F,
}

// The closure is called by reference and never pinned.
impl<T: AsFd, F> Unpin for AsyncIo<'_, T, F> {}

impl<'a, T: AsFd, F> AsyncIo<'a, T, F> {
    pub(super) fn new(fd: &'a AsyncFd<T>, interest: Interest, f: F) -> Self {
        let wait = |way, wanted: bool| wanted.then(|| (way, Waiting::new(fd.registered(), way)));
        Self { fd, waits: [wait(Way::In, interest.is_readable()), wait(Way::Out, interest.is_writable())], f }
    }
}

impl<R, T: AsFd, F: FnMut(&T) -> io::Result<R>> Future for AsyncIo<'_, T, F> {
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let this = &mut *self;
        loop {
            let mut tried = false;
            for (way, waiting) in this.waits.iter_mut().flatten() {
                this.fd.watches(*way)?;
                let Poll::Ready(seen) = waiting.poll_ready(cx)? else { continue };
                tried = true;
                match (this.f)(this.fd.get_ref()) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                        this.fd.registered().registration().clear(*way, seen, Found::Claimed);
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    done => return Poll::Ready(done),
                }
            }
            if !tried {
                return Poll::Pending;
            }
        }
    }
}

impl<T: AsFd, F> fmt::Debug for AsyncIo<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways = self.waits.iter().flatten().map(|(way, _)| *way);
        f.debug_struct("AsyncIo").field("ways", &ways.collect::<Vec<_>>()).finish()
    }
}
