//! Every other system, by way of polling: oneshot readiness, armed when somebody waits.
//!
//! An event disarms its descriptor, in both directions on some systems (epoll, ports) and in one on others (kqueue). So
//! [`Arming`] keeps which directions are wanted, and an event that served one of them arms the other again (smol issues
//! 115, 117, 162). A hang-up with nobody waiting comes once and disarms (smol 111: it came again and again).
//!
//! Races:
//! 1. A waiter arms a direction that is marked as wanted already, while the event that disarmed it is on its way: nothing
//!    is asked of the system; the event finds the waiter's waker, which was in place before.
//! 2. The mark is taken off *before* the event is stored. The other way round, a reader could use the readiness up, find
//!    the mark still there, not arm, and wait for ever.
//! 3. Arming again against deregistration: both hold the lock, and after deregistration there is no descriptor to arm.
//!
//! Readiness is levels here: the descriptor is looked at when it is armed, so no waiter can come too late. An end is not
//! reported apart from data; readers read until `EAGAIN` or the end.

use super::direction::Signs;
use super::os::{BorrowedSource, RawSource, borrow};
use super::registration::{ScheduledIo, Way};
use super::registry::Event;
use super::tokens::Token;
use core::num::NonZeroUsize;
use core::time::Duration;
use std::io;
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::fault::{self, Point};

/// Events taken per turn.
const EVENTS: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// The backend.
#[derive(Debug)]
pub(super) struct Portable {
    poller: polling::Poller,
}

/// Room for a turn's events.
pub(super) struct Events {
    list: polling::Events,
}

/// What the system was asked for, per descriptor. Unused by other backends.
#[derive(Debug, Default)]
pub(super) struct Arming {
    wanted: Mutex<Wanted>,
}

#[derive(Debug, Default)]
struct Wanted {
    /// `None` before registration and after deregistration.
    source: Option<RawSource>,
    read: bool,
    write: bool,
}

impl Wanted {
    fn mark(&mut self, way: Way) -> &mut bool {
        match way {
            Way::In => &mut self.read,
            Way::Out => &mut self.write,
        }
    }
}

impl Events {
    /// No events yet.
    pub(super) fn new() -> Self {
        Self { list: polling::Events::with_capacity(EVENTS) }
    }

    /// What the last wait brought.
    pub(super) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.list.iter().map(|event| Event {
            token: Token::from_usize(event.key),
            read: Signs { ready: event.readable, ..Signs::NONE },
            write: Signs { ready: event.writable, ..Signs::NONE },
        })
    }
}

impl Portable {
    /// A new instance.
    ///
    /// # Errors
    /// No descriptors are left.
    pub(super) fn new() -> io::Result<Self> {
        fault::pass(Point::Descriptor)?;
        Ok(Self { poller: polling::Poller::new()? })
    }

    /// Knows a descriptor from now on; it is armed by [`arm`](Self::arm).
    ///
    /// # Safety
    /// It is open until it is deleted.
    ///
    /// # Errors
    /// The system's.
    pub(super) unsafe fn add(&self, source: RawSource, token: Token, arming: &Arming) -> io::Result<()> {
        let mut wanted = arming.wanted.lock();
        // SAFETY: the caller's promise; Registration deletes before its owner closes.
        unsafe { self.poller.add(source, polling::Event::none(token.to_usize()))? };
        wanted.source = Some(source);
        Ok(())
    }

    /// Forgets a descriptor.
    ///
    /// # Errors
    /// It was not registered.
    pub(super) fn delete(&self, source: BorrowedSource<'_>, arming: &Arming) -> io::Result<()> {
        let mut wanted = arming.wanted.lock();
        *wanted = Wanted::default();
        self.poller.delete(source)
    }

    /// Asks for one event of a direction.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn arm(&self, arming: &Arming, token: Token, way: Way) -> io::Result<()> {
        let mut wanted = arming.wanted.lock();
        if core::mem::replace(wanted.mark(way), true) {
            return Ok(());
        }
        let asked = self.ask(&wanted, token);
        if asked.is_err() {
            *wanted.mark(way) = false;
        }
        asked
    }

    /// Takes note that an event of `io` came and disarmed it. Where that cannot be undone for a direction that is still
    /// wanted, the event is made to tell that direction too, so that its waiter runs into the error.
    pub(super) fn disarmed(&self, io: &ScheduledIo, event: &Event) -> io::Result<()> {
        let mut wanted = io.arming.wanted.lock();
        wanted.read &= !event.read.any();
        wanted.write &= !event.write.any();
        if !(wanted.read || wanted.write) {
            return Ok(());
        }
        let asked = self.ask(&wanted, event.token);
        if asked.is_err() {
            wanted.read = false;
            wanted.write = false;
        }
        asked
    }

    fn ask(&self, wanted: &Wanted, token: Token) -> io::Result<()> {
        let Some(source) = wanted.source else { return Ok(()) };
        // SAFETY: a source is Some from `add` to `delete`, under this lock, and is open that long.
        let source = unsafe { borrow(source) };
        self.poller.modify(source, polling::Event::new(token.to_usize(), wanted.read, wanted.write))
    }

    /// Waits for events, at most for `timeout` (`None` is for ever).
    ///
    /// # Errors
    /// The system's.
    pub(super) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.list.clear();
        self.poller.wait(&mut events.list, timeout).map(drop)
    }

    /// Ends the wait that goes on, or the next one.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn notify(&self) -> io::Result<()> {
        self.poller.notify()
    }
}
