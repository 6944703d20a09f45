//! What the reactor keeps per descriptor, and what the descriptor's owner holds.
//!
//! [`ScheduledIo`] is shared by the registry (which stores events into it) and the [`Registration`] (whose owner waits on
//! it). A registration ends in this order, because a late removal would hit whoever gets the descriptor's number next:
//! 1. the system forgets the descriptor, while it is still open;
//! 2. the token becomes stale, so events that were handed out before find nobody; its slot rests until the turn is over;
//! 3. wakers that are left are dropped, outside every lock;
//! 4. the owner closes the descriptor.

use super::direction::{Direction, First, Found, Ready, Signs};
use super::habit::Habit;
use super::os::{BorrowedSource, RawSource, borrow};
use super::portable::Arming;
use super::tokens::Token;
use super::waiters::Place;
use super::{Interest, Reactor};
use crate::scheduler::deferred;
use core::fmt;
use core::task::{Context, Poll, Waker, ready};
use std::io;
use weftwork_sync::primitive::{Shared, contain};

/// Reading or writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Reading, accepting.
    In,
    /// Writing, connecting.
    Out,
}

/// The two directions of a descriptor.
#[derive(Debug)]
pub struct ScheduledIo {
    read: Direction,
    write: Direction,
    /// What its reads came to.
    pub(super) habit: Habit,
    /// What the portable backend has asked the system for.
    pub(super) arming: Arming,
}

impl ScheduledIo {
    /// A descriptor about which no event has come yet.
    pub fn new(first: First) -> Self {
        Self {
            read: Direction::new(first),
            write: Direction::new(first),
            habit: Habit::new(),
            arming: Arming::default(),
        }
    }

    /// One of its directions.
    pub fn direction(&self, way: Way) -> &Direction {
        match way {
            Way::In => &self.read,
            Way::Out => &self.write,
        }
    }

    /// Stores what an event says and collects who has to be told.
    pub fn event(&self, read: Signs, write: Signs, out: &mut Vec<Waker>) {
        if read.any() {
            self.read.event(read, out);
        }
        if write.any() {
            self.write.event(write, out);
        }
    }

    /// Ends the deferral of a read that began at `seen`, if no event did: whoever put it off is moved into `out`.
    pub fn end_deferral(&self, seen: Ready, out: &mut Vec<Waker>) {
        if self.read.end_deferral(seen, out) {
            self.habit.in_vain();
        }
    }

    /// Ends all waiting, now and later.
    pub fn shut_down(&self, out: &mut Vec<Waker>) {
        self.read.shut_down(out);
        self.write.shut_down(out);
    }

    /// Drops the wakers that are left.
    pub fn forget_waiters(&self) {
        let mut left = Vec::new();
        self.read.evict(&mut left);
        self.write.evict(&mut left);
        for waker in left {
            // Foreign destructors; one that panics does not keep the others from running.
            let _ = contain(|| drop(waker));
        }
    }
}

/// A read that was put off: whose, and which event had been seen.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(super) token: Token,
    pub(super) seen: Ready,
}

/// A descriptor's place in the reactor. Dropping it ends the registration; the descriptor must still be open then.
pub struct Registration {
    reactor: Shared<Reactor>,
    io: Shared<ScheduledIo>,
    token: Token,
    source: RawSource,
}

impl Registration {
    /// Registers a descriptor.
    ///
    /// # Safety
    /// `source` stays open until the registration is dropped.
    ///
    /// # Errors
    /// The reactor has shut down or is full, or the system refuses: a file that is always ready, a descriptor that is not
    /// open or is registered already.
    pub unsafe fn new(
        reactor: &Shared<Reactor>,
        source: BorrowedSource<'_>,
        interest: Interest,
        first: First,
    ) -> io::Result<Self> {
        let io = Shared::new(ScheduledIo::new(first));
        let token = reactor.registry.insert(io.clone())?;
        let source = super::os::raw(source);
        // From here on a failure takes the token back; the system holds nothing then.
        // SAFETY: the caller's promise.
        if let Err(error) = unsafe { reactor.poller.add(source, token, interest, &io.arming) } {
            drop(reactor.registry.retire(token));
            return Err(super::error::refused(error));
        }
        Ok(Self { reactor: reactor.clone(), io, token, source })
    }

    /// The reactor it lives in.
    pub fn reactor(&self) -> &Shared<Reactor> {
        &self.reactor
    }

    /// What is shared with the registry; for whoever stores readiness that no system call reported.
    pub fn shared(&self) -> &Shared<ScheduledIo> {
        &self.io
    }

    /// Whether a short read proves that nothing is left. It does where readiness comes as edges that tell of an end.
    pub fn trusts_short_reads(&self) -> bool {
        self.reactor.poller.reports_ends()
    }

    /// Whether a direction is ready, without waiting.
    pub fn now(&self, way: Way) -> Option<Ready> {
        self.io.direction(way).now()
    }

    /// Waits until a direction is ready.
    ///
    /// # Errors
    /// The reactor has shut down, or the system refuses to watch the descriptor.
    pub fn poll_ready(&self, way: Way, place: &mut Place, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        let found = self.io.direction(way).poll(cx.waker(), place);
        if found.is_pending() {
            // The waker is in place before the system is asked, so an event cannot come too early.
            self.reactor.poller.arm(&self.io.arming, self.token, way)?;
        }
        let now = ready!(found);
        Poll::Ready(if now.shut { Err(super::error::shut_down()) } else { Ok(now) })
    }

    /// As [`poll_ready`](Self::poll_ready), without asking the system for an event: for a wait that somebody else ends.
    ///
    /// # Errors
    /// The reactor has shut down.
    pub fn poll_unasked(&self, way: Way, place: &mut Place, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        let now = ready!(self.io.direction(way).poll(cx.waker(), place));
        Poll::Ready(if now.shut { Err(super::error::shut_down()) } else { Ok(now) })
    }

    /// Puts a read off that is likely to find nothing; `true` if the caller now waits. Only where an event tells of all that
    /// arrives from now on, and of an end.
    pub fn defers_read(&self, seen: Ready, cx: &Context<'_>) -> bool {
        self.io.habit.expects_nothing() && self.trusts_short_reads() && self.put_off(seen, cx)
    }

    fn put_off(&self, seen: Ready, cx: &Context<'_>) -> bool {
        deferred::put_off(&self.reactor, cx, || {
            // Before the waker can be found, so that what comes of it is noted after.
            self.io.habit.deferred();
            self.io.read.defer(seen, cx.waker()).then_some(Deferred { token: self.token, seen })
        })
    }

    /// Takes readiness back that turned out to be used up.
    pub fn clear(&self, way: Way, seen: Ready, found: Found) {
        self.io.direction(way).clear(seen, found);
    }

    /// Withdraws a waiter.
    pub fn leave(&self, way: Way, place: &mut Place) {
        self.io.direction(way).leave(place);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // In a child the poller is the parent's as well, and the registration is that of the file, not of the descriptor:
        // to end it here would end it there.
        if self.reactor.process != crate::platform::process_id() {
            return;
        }
        // SAFETY: by the contract of `new` the descriptor is open.
        let source = unsafe { borrow(self.source) };
        // It fails only if somebody closed the descriptor behind its owner's back; then the system forgot it already.
        let _ = self.reactor.poller.delete(source, &self.io.arming);
        drop(self.reactor.registry.retire(self.token));
        self.io.forget_waiters();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("read", &self.io.read).field("write", &self.io.write).finish()
    }
}
