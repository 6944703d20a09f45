//! A source and its registration: try the system call first, then wait.
//!
//! The rule for readiness: a call is made while the direction is believed to be ready, and the answer decides. `EAGAIN`
//! takes the belief back (unless an event came since), and only then somebody waits. A short read on a stream socket
//! takes it back without the second call, but only where ends are reported as events (`trusts_short_reads`) and none was
//! seen: data and an end can come in one edge, and the end would never be read. A read that gives all that was asked for
//! says nothing, and the next call may be put off by a guess (`habit.rs`).

use super::registration::{Registration, Way};
use super::waiters::Place;
use super::{First, Found, Interest, Reactor};
use core::fmt;
use core::task::{Context, Poll, ready};
use polling::AsSource;
use std::io;
use weftwork_sync::coop;
use weftwork_sync::primitive::Shared;

/// A source that is registered as long as it is in here.
pub(crate) struct Registered<T> {
    // Dropped before the source is: a registration ends while its descriptor is open.
    registration: Registration,
    source: T,
}

/// Whether a call that succeeded used the readiness up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// There may be more.
    Perhaps,
    /// A stream socket gave all that was asked for; there may be more.
    Unknown,
    /// A stream socket gave less than was asked for.
    Nothing,
}

impl<T: AsSource> Registered<T> {
    /// Registers a source, which must be in non-blocking mode.
    ///
    /// # Errors
    /// As [`Registration::new`].
    pub(crate) fn new(reactor: &Shared<Reactor>, source: T, interest: Interest, first: First) -> io::Result<Self> {
        // SAFETY: the source is owned by `Self` from here on and only lent out shared. Code that has nothing but `&T`
        // cannot close what `source()` lent, since the lender may be borrowed meanwhile. The registration is dropped
        // before the source, here if it fails and by the order of the fields later.
        let registration = unsafe { Registration::new(reactor, source.source(), interest, first)? };
        Ok(Self { registration, source })
    }
}

impl<T> Registered<T> {
    /// The source.
    pub(crate) fn get_ref(&self) -> &T {
        &self.source
    }

    /// Its registration.
    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Ends the registration and gives the source back.
    pub(crate) fn into_inner(self) -> T {
        let Self { registration, source } = self;
        drop(registration);
        source
    }

    /// Tries a call, waits while it would block, and spends a unit of the budget when it is done.
    pub(crate) fn poll_io<R>(
        &self,
        way: Way,
        place: &mut Place,
        begun: bool,
        cx: &mut Context<'_>,
        mut call: impl FnMut(&T) -> io::Result<(R, Left)>,
    ) -> Poll<io::Result<R>> {
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a socket")));
        loop {
            let seen = ready!(self.registration.poll_ready(way, place, cx))?;
            if way == Way::In && self.registration.defers_read(seen, cx) {
                return Poll::Pending;
            }
            match call(&self.source) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if way == Way::In {
                        self.registration.shared().habit.found_nothing();
                    }
                    self.registration.clear(way, seen, Found::Empty);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok((value, left)) => {
                    match left {
                        Left::Nothing if self.registration.trusts_short_reads() => {
                            self.registration.shared().habit.fell_short();
                            self.registration.clear(way, seen, Found::Short);
                        }
                        Left::Unknown => self.registration.shared().habit.filled(),
                        Left::Nothing | Left::Perhaps => {}
                    }
                    unit.made_progress();
                    return Poll::Ready(Ok(value));
                }
                Err(e) => {
                    unit.made_progress();
                    return Poll::Ready(Err(e));
                }
            }
        }
    }

    /// Tries a call once, if the direction is believed to be ready.
    pub(crate) fn try_io<R>(&self, way: Way, call: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        let Some(seen) = self.registration.now(way) else { return Err(io::ErrorKind::WouldBlock.into()) };
        if seen.shut {
            return Err(super::error::shut_down());
        }
        let done = call(&self.source);
        if done.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock) {
            self.registration.clear(way, seen, Found::Empty);
        }
        done
    }

    /// Waits until a direction is believed to be ready.
    pub(crate) fn poll_ready(
        &self,
        way: Way,
        place: &mut Place,
        begun: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<super::Ready>> {
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a socket")));
        let seen = ready!(self.registration.poll_ready(way, place, cx))?;
        unit.made_progress();
        Poll::Ready(Ok(seen))
    }
}

impl<T: fmt::Debug> fmt::Debug for Registered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("source", &self.source).field("registration", &self.registration).finish()
    }
}

/// One wait of one future: it has a place of its own among the waiters and leaves it when it is dropped.
pub(crate) struct Waiting<'a, T> {
    io: &'a Registered<T>,
    way: Way,
    place: Place,
    begun: bool,
}

impl<'a, T> Waiting<'a, T> {
    pub(crate) fn new(io: &'a Registered<T>, way: Way) -> Self {
        Self { io, way, place: Place::Unlisted, begun: false }
    }

    /// As [`Registered::poll_io`].
    pub(crate) fn poll_io<R>(
        &mut self,
        cx: &mut Context<'_>,
        call: impl FnMut(&T) -> io::Result<(R, Left)>,
    ) -> Poll<io::Result<R>> {
        let done = self.io.poll_io(self.way, &mut self.place, self.begun, cx, call);
        self.begun = done.is_pending();
        done
    }

    /// As [`Registered::poll_ready`].
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<super::Ready>> {
        let done = self.io.poll_ready(self.way, &mut self.place, self.begun, cx);
        self.begun = done.is_pending();
        done
    }

    /// For a wait with rules of its own: what [`Registered::poll_io`] is given, by name.
    pub(crate) fn with_place<R>(&mut self, poll: impl FnOnce(&mut Place, bool) -> Poll<R>) -> Poll<R> {
        let done = poll(&mut self.place, self.begun);
        self.begun = done.is_pending();
        done
    }
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.io.registration.leave(self.way, &mut self.place);
    }
}

impl<T: fmt::Debug> fmt::Debug for Waiting<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("way", &self.way).field("on", &self.io.source).finish()
    }
}
