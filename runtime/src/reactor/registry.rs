//! Who is registered: from the system's token to the descriptor's readiness.
//!
//! One lock, taken to register, to deregister, and once per turn for all its events; no waker is called, cloned or
//! dropped under it.
//!
//! Races:
//! 1. deregistration against an event that was handed out before it: the token is stale by then and finds nobody.
//! 2. registration against shutdown: both hold the lock. Whoever registers first is shut down with the others; whoever
//!    comes later is refused (tokio issues 2903, 2924).

use super::direction::Signs;
use super::registration::{Deferred, ScheduledIo};
use super::tokens::{Token, Tokens};
use core::task::Waker;
use std::io;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared};

/// What the system reported about one descriptor.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Whose.
    pub token: Token,
    /// About reading.
    pub read: Signs,
    /// About writing.
    pub write: Signs,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Registry {
    inner: Mutex<Inner>,
    /// How many there are, written under the lock: every worker asks every 64 steps, and must write no line that all write.
    count: Counter,
}

#[derive(Debug)]
struct Inner {
    ios: Tokens<Shared<ScheduledIo>>,
    shut: bool,
}

impl Registry {
    /// Nobody is registered.
    pub fn new() -> Self {
        Self { inner: Mutex::new(Inner { ios: Tokens::new(), shut: false }), count: Counter::new(0) }
    }

    /// Gives a descriptor its token.
    ///
    /// # Errors
    /// After shutdown, or if every token is in use.
    pub fn insert(&self, io: Shared<ScheduledIo>) -> io::Result<Token> {
        let mut inner = self.inner.lock();
        if inner.shut {
            return Err(super::error::shut_down());
        }
        let token = inner.ios.insert(io).ok_or_else(super::error::full)?;
        self.count.set(inner.ios.len() as u64);
        Ok(token)
    }

    /// Takes a token back. What it named is returned so that it is not dropped under the lock.
    #[must_use]
    pub fn retire(&self, token: Token) -> Option<Shared<ScheduledIo>> {
        let mut inner = self.inner.lock();
        let retired = inner.ios.retire(token);
        self.count.set(inner.ios.len() as u64);
        retired
    }

    /// Ends a turn: stores the readiness that its events bring and moves the wakers of all who wait for it into `out`.
    /// As no waker is called before this returns, every event is stored before anybody acts on one. `before` is called
    /// ahead of each event that is not stale. Returns how many those were.
    pub fn deliver(
        &self,
        events: impl Iterator<Item = Event>,
        mut before: impl FnMut(&ScheduledIo, &Event),
        out: &mut Vec<Waker>,
    ) -> usize {
        let mut inner = self.inner.lock();
        let mut delivered = 0;
        for event in events {
            if let Some(io) = inner.ios.get(event.token) {
                before(io, &event);
                io.event(event.read, event.write, out);
                delivered += 1;
            }
        }
        inner.ios.end_turn();
        delivered
    }

    /// Ends deferrals that no event has ended; the wakers of those whose reads they are are moved into `out`.
    pub(super) fn end_deferrals(&self, reads: impl IntoIterator<Item = Deferred>, out: &mut Vec<Waker>) {
        let inner = self.inner.lock();
        for read in reads {
            if let Some(io) = inner.ios.get(read.token) {
                io.end_deferral(read.seen, out);
            }
        }
    }

    /// Refuses registrations from now on and ends the waiting of everybody; their wakers are moved into `out`.
    pub fn shut_down(&self, out: &mut Vec<Waker>) {
        let mut inner = self.inner.lock();
        inner.shut = true;
        for io in inner.ios.values() {
            io.shut_down(out);
        }
    }

    /// Whether registrations are refused.
    pub fn is_shut(&self) -> bool {
        self.inner.lock().shut
    }

    /// How many descriptors are registered; a hint to whoever does not order itself with those that register.
    pub fn registered(&self) -> usize {
        self.count.get() as usize
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}
