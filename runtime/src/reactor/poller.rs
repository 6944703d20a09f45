//! The two backends as one.

use super::Interest;
use super::epoll::{self, Epoll};
use super::os::{BorrowedSource, RawSource};
use super::portable::{self, Arming, Portable};
use super::registration::{ScheduledIo, Way};
use super::registry::{Event, Registry};
use super::tokens::Token;
use core::task::Waker;
use core::time::Duration;
use std::io;

/// Whichever backend was chosen.
#[derive(Debug)]
pub(super) enum Poller {
    /// Edges, Linux.
    Epoll(Epoll),
    /// Oneshot levels, every system.
    Portable(Portable),
}

/// Room for a turn's events, of the same backend.
pub(super) enum Events {
    /// See [`epoll::Events`].
    Epoll(epoll::Events),
    /// See [`portable::Events`].
    Portable(portable::Events),
}

impl Poller {
    /// Watches a descriptor.
    ///
    /// # Safety
    /// It is open until it is deleted.
    ///
    /// # Errors
    /// The system's.
    pub(super) unsafe fn add(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
        arming: &Arming,
    ) -> io::Result<()> {
        match self {
            // SAFETY: the caller's promise.
            Self::Epoll(epoll) => unsafe { epoll.add(source, token, interest) },
            // SAFETY: the caller's promise. What the interest leaves out is never armed, since nobody waits for it.
            Self::Portable(portable) => unsafe { portable.add(source, token, arming) },
        }
    }

    /// Forgets a descriptor.
    ///
    /// # Errors
    /// It was not registered.
    pub(super) fn delete(&self, source: BorrowedSource<'_>, arming: &Arming) -> io::Result<()> {
        match self {
            Self::Epoll(epoll) => epoll.delete(source),
            Self::Portable(portable) => portable.delete(source, arming),
        }
    }

    /// Somebody waits for a direction: asks the system for its next event, where that has to be asked for.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn arm(&self, arming: &Arming, token: Token, way: Way) -> io::Result<()> {
        match self {
            Self::Epoll(_) => Ok(()),
            Self::Portable(portable) => portable.arm(arming, token, way),
        }
    }

    /// Whether an event tells of an end beside the data that comes with it.
    pub(super) fn reports_ends(&self) -> bool {
        matches!(self, Self::Epoll(_))
    }

    /// Waits for events.
    ///
    /// # Errors
    /// The system's; `Interrupted` among them.
    pub(super) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match (self, events) {
            (Self::Epoll(epoll), Events::Epoll(events)) => epoll.wait(events, timeout),
            (Self::Portable(portable), Events::Portable(events)) => portable.wait(events, timeout),
            _ => unreachable!("the buffer was made with the poller"),
        }
    }

    /// Hands a turn's events to whom they concern; see [`Registry::deliver`].
    pub(super) fn deliver(&self, events: &Events, registry: &Registry, out: &mut Vec<Waker>) -> usize {
        match (self, events) {
            (Self::Portable(portable), Events::Portable(events)) => {
                let mut failed = Vec::new();
                let disarmed = |io: &ScheduledIo, event: &Event| {
                    if portable.disarmed(io, event).is_err() {
                        failed.push(Event { read: event.write, write: event.read, ..*event });
                    }
                };
                let delivered = registry.deliver(events.iter(), disarmed, out);
                // Who still waits for the other direction cannot be served: let them run into the error.
                registry.deliver(failed.into_iter(), |_, _| {}, out);
                delivered
            }
            (_, Events::Epoll(events)) => registry.deliver(events.iter(), |_, _| {}, out),
            _ => unreachable!("the buffer was made with the poller"),
        }
    }

    /// Ends the wait that goes on, or the next one.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn notify(&self) -> io::Result<()> {
        match self {
            Self::Epoll(epoll) => epoll.notify(),
            Self::Portable(portable) => portable.notify(),
        }
    }
}
