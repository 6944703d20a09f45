//! Readiness: what the operating system says about descriptors, brought to the tasks that wait for it.
//!
//! ```text
//!  a socket            its Registration             the Registry                 the system
//!  read() = EAGAIN --> clear, wait in a Direction
//!                      (cell or list), arm ------------------------------------> Poller
//!                                                   a Turn: wait  <------------- events
//!  polled again <----- wakers <-------------------- deliver: store all, collect
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `direction.rs` | the protocol: readiness, sequence and waiters of one direction, in one word |
//! | `waiters.rs` | those who wait beside the one in the cell |
//! | `registration.rs` | a descriptor's two directions, and the order in which a registration ends |
//! | `habit.rs` | whether the next read is likely to find nothing, so that it is put off |
//! | `registry.rs`, `tokens.rs` | from the system's token to the registration; stale events find nobody |
//! | `registered.rs` | a registered source: try the call first, then wait; the futures of single operations |
//! | `turn.rs` | one thread's look at the system; `notify` |
//! | `poller.rs`, `epoll.rs`, `portable.rs` | the backends |
//! | `os/` | descriptor types and error numbers by family of systems |
//! | `interest.rs`, `error.rs` | which directions; refusals in words |
//!
//! What the rest of the runtime may assume: a turn never blocks but in the system's wait; it calls, clones and drops no
//! waker; nothing here depends on who runs the turns, so any thread may take over.
//!
//! A second reactor per group of cores needs no change here: a registration knows its reactor.

#[allow(unreachable_pub, reason = "models drive it")]
mod direction;
#[cfg(target_os = "linux")]
mod epoll;
#[cfg(not(target_os = "linux"))]
#[path = "epoll_missing.rs"]
mod epoll;
mod error;
#[allow(unreachable_pub, reason = "models drive it")]
mod habit;
mod interest;
pub(crate) mod os;
mod poller;
mod portable;
pub(crate) mod registered;
#[allow(unreachable_pub, reason = "models drive it")]
mod registration;
#[allow(unreachable_pub, reason = "models drive it")]
mod registry;
#[allow(unreachable_pub, reason = "models drive it")]
mod tokens;
#[allow(unreachable_pub, reason = "models drive it")]
mod turn;
#[allow(unreachable_pub, reason = "models drive it")]
mod waiters;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use interest::Interest;
pub(crate) use turn::Turn;

/// What models drive; see loom-tests/tests/l8_registration.rs.
#[cfg(any(weftwork_loom, weftwork_shuttle))]
#[doc(hidden)]
pub mod model {
    pub use super::direction::{Direction, First, Found, Ready, Signs};
    pub use super::registration::{ScheduledIo, Way};
    pub use super::registry::{Event, Registry};
    pub use super::tokens::Token;
    pub use super::turn::Notified;
    pub use super::waiters::Place;
}

pub(crate) use direction::{First, Found, Ready, Signs};
pub(crate) use registered::Registered;
pub(crate) use registration::{Deferred, ScheduledIo, Way};
pub(crate) use waiters::Place;

use self::epoll::Epoll;
use core::task::Waker;
use poller::Poller;
use portable::Portable;
use registry::Registry;
use std::io;
use turn::{Notified, Seat};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared};
use weftwork_sync::{WakeBatch, primitive};

/// How the reactor asks the operating system for readiness.
///
/// The environment variable `WEFTWORK_REACTOR=polling` chooses [`Portable`](Self::Portable) where the program says
/// [`Default`](Self::Default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Backend {
    /// What is best here: epoll on Linux, the portable backend elsewhere.
    #[default]
    Default,
    /// Linux's epoll with edges: one system call per turn.
    Epoll,
    /// The `polling` crate in oneshot mode, on every system.
    Portable,
}

/// One poller and whoever is registered with it.
#[derive(Debug)]
pub(crate) struct Reactor {
    /// The process that opened it; a child of it shares the poller.
    process: u32,
    poller: Poller,
    registry: Registry,
    seat: Mutex<Seat>,
    notified: Notified,
    turns: Counter,
    events: Counter,
    notifies: Counter,
}

impl Reactor {
    /// A reactor nobody turns yet.
    ///
    /// # Errors
    /// No descriptors are left, or the backend does not exist on this system.
    pub(crate) fn new(backend: Backend) -> io::Result<Shared<Self>> {
        let poller = open(backend)?;
        let seat = Mutex::new(Seat::new(&poller));
        Ok(Shared::new(Self {
            process: crate::platform::process_id(),
            poller,
            registry: Registry::new(),
            seat,
            notified: Notified::new(),
            turns: Counter::new(0),
            events: Counter::new(0),
            notifies: Counter::new(0),
        }))
    }

    /// The right to take turns, if no other thread has it.
    pub(crate) fn try_enter(&self) -> Option<Turn<'_>> {
        self.seat.try_lock().map(|seat| Turn::new(self, seat))
    }

    /// Makes the thread inside a turn return, or the next turn return at once. Whatever the caller did before is visible
    /// to the thread that returns.
    pub(crate) fn notify(&self) {
        if self.notified.set() {
            self.notifies.add(1);
            // It can only fail if the descriptor is gone, and it lives as long as we do.
            let _ = self.poller.notify();
        }
    }

    /// Wakes whoever waits and makes all waiting fail from now on, that of registrations to come too.
    pub(crate) fn shutdown(&self) -> Result<(), primitive::Panic> {
        let mut ready = Vec::new();
        self.registry.shut_down(&mut ready);
        self.notify();
        // Foreign code, outside every lock; a waker that panics does not keep the others from being called.
        primitive::contain(|| {
            let mut batch = WakeBatch::new();
            batch.extend(ready);
            batch.wake_all();
        })
    }

    /// An error once it has shut down, for waits that no event ends.
    ///
    /// # Errors
    /// It has shut down.
    #[cfg(all(unix, feature = "net"))]
    pub(crate) fn is_open(&self) -> io::Result<()> {
        if self.registry.is_shut() { Err(error::shut_down()) } else { Ok(()) }
    }

    /// Ends deferrals that no event has ended; the wakers of those whose reads they are are moved into `ready`.
    pub(crate) fn end_deferrals(&self, reads: Vec<Deferred>, ready: &mut Vec<Waker>) {
        self.registry.end_deferrals(reads, ready);
    }

    /// How many descriptors are registered.
    pub(crate) fn registered(&self) -> usize {
        self.registry.registered()
    }

    /// How many turns there were; each was one wait of the system.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.get()
    }

    /// How many events found their registration.
    pub(crate) fn events(&self) -> u64 {
        self.events.get()
    }

    /// How often [`notify`](Self::notify) had to call a thread out of its wait.
    pub(crate) fn notifies(&self) -> u64 {
        self.notifies.get()
    }
}

fn open(backend: Backend) -> io::Result<Poller> {
    let native = match backend {
        Backend::Default => epoll::IS_NATIVE,
        Backend::Epoll => true,
        Backend::Portable => false,
    };
    Ok(if native { Poller::Epoll(Epoll::new()?) } else { Poller::Portable(Portable::new()?) })
}
