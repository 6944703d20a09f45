//! One thread's look at the system, and how other threads cut it short.
//!
//! ```text
//!               run: compare-exchange                notify: swap, then the system's notifier
//!   IDLE ----------------------------> WAITING ----------------------------------------+
//!    ^  \                                 |                                             v
//!    |   +--- notify: swap --------------------------------------------------------> NOTIFIED
//!    |                                    | run, after the wait: swap                    |
//!    +------------------------------------+---------------------------------------------+
//! ```
//!
//! Races:
//! 1. notify before the wait: run finds NOTIFIED and only looks, with timeout zero.
//! 2. notify during the wait: it finds WAITING and rings the system's notifier, once; who comes later finds NOTIFIED.
//! 3. notify between the end of the wait and run's swap: it rings although nobody waits. The next wait returns at once
//!    with nothing to tell: a turn too many, nothing lost.
//! 4. notify after run's swap: it finds IDLE and stays for the next turn, as 1.

use super::Reactor;
use super::poller::{Events, Poller};
use super::{epoll, portable};
use core::fmt;
use core::task::Waker;
use core::time::Duration;
use std::io;
use weftwork_sync::primitive::MutexGuard;
use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};

const IDLE: u32 = 0;
const WAITING: u32 = 1;
const NOTIFIED: u32 = 2;

/// The state word of the head of this file.
#[derive(Debug)]
pub struct Notified(AtomicU32);

impl Notified {
    /// Nobody called and nobody waits.
    pub fn new() -> Self {
        Self(AtomicU32::new(IDLE))
    }

    /// A notification; `true` if the system's notifier has to be rung.
    pub fn set(&self) -> bool {
        // Ordering: Release publishes what the caller did to the turn's Acquire swap, also if a notification is there
        // already. Acquire keeps the ring after the swap.
        self.0.swap(NOTIFIED, Ordering::AcqRel) == WAITING
    }

    /// The turn is about to wait; `false` if it must not.
    pub fn wait(&self) -> bool {
        // Ordering: Relaxed: a notification that is found here is taken, and acquired, by `take`.
        self.0.compare_exchange(IDLE, WAITING, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The wait is over.
    pub fn take(&self) {
        if self.0.load(Ordering::Relaxed) != IDLE {
            // Ordering: Acquire pairs with the Release in `set`.
            self.0.swap(IDLE, Ordering::Acquire);
        }
    }
}

impl Default for Notified {
    fn default() -> Self {
        Self::new()
    }
}

/// What only the thread inside a turn uses.
pub(super) struct Seat {
    events: Events,
}

impl Seat {
    pub(super) fn new(poller: &Poller) -> Self {
        Self {
            events: match poller {
                Poller::Epoll(_) => Events::Epoll(epoll::Events::new()),
                Poller::Portable(_) => Events::Portable(portable::Events::new()),
            },
        }
    }

    #[cfg(test)]
    pub(super) fn events(&mut self) -> &mut Events {
        &mut self.events
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seat")
    }
}

/// The right to take turns: one thread at a time has it.
pub(crate) struct Turn<'a> {
    reactor: &'a Reactor,
    seat: MutexGuard<'a, Seat>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(reactor: &'a Reactor, seat: MutexGuard<'a, Seat>) -> Self {
        Self { reactor, seat }
    }

    /// Waits for events, at most for `timeout` (`None` is for ever, zero only looks); stores all the readiness they bring,
    /// then moves the wakers of whoever waits for it into `ready`, and calls none. Returns how many events there were;
    /// none if a notification, a signal or the time ended the wait.
    ///
    /// # Errors
    /// The system's. The reactor can be turned again.
    pub(crate) fn run(&mut self, timeout: Option<Duration>, ready: &mut Vec<Waker>) -> io::Result<usize> {
        let reactor = self.reactor;
        reactor.turns.bump();
        let looks = timeout == Some(Duration::ZERO) || !reactor.notified.wait();
        let waited = reactor.poller.wait(&mut self.seat.events, if looks { Some(Duration::ZERO) } else { timeout });
        reactor.notified.take();
        match waited {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(0),
            Err(e) => return Err(e),
        }
        let events = reactor.poller.deliver(&self.seat.events, &reactor.registry, ready);
        reactor.events.bump_by(events as u64);
        Ok(events)
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}
