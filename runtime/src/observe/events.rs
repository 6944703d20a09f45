//! The one door through which a runtime says what happens to it.
//!
//! With the feature `tracing` an event goes to the subscriber of the thread that tells it, under these targets, whose names
//! are kept stable:
//!
//! | target | level | what is told |
//! |---|---|---|
//! | `weftwork::task` | ERROR | a panic that nobody reads: of a task, of its output's destructor, of a waker it woke |
//! | `weftwork::task` | DEBUG | the span `task`, around each poll of a task and the drop of its future |
//! | `weftwork::blocking` | ERROR | a panic on the pool that nobody reads |
//! | `weftwork::blocking` | WARN | the system refused the pool a thread |
//! | `weftwork::net` | WARN | descriptors ran out, and `accept` pauses |
//! | `weftwork::reactor` | ERROR | the reactor cannot wait for events |
//! | `weftwork::watchdog` | WARN | a poll that blocks its worker; no spare worker could be started |
//! | `weftwork::runtime` | ERROR | a panic in a hook or in a worker; a fork |
//! | `weftwork::runtime` | DEBUG | a runtime was built |
//! | `weftwork::shutdown` | WARN | a task was left behind, or cut off in its clean-up |
//! | `weftwork::shutdown` | DEBUG | the steps of a shutdown |
//!
//! A subscriber is foreign code: it may block, panic, or call into the runtime. So events are told outside of every lock,
//! never by the watchdog's thread, and what panics in one is contained; of spans the same holds by where they are entered,
//! which is inside the guard around the poll.
//!
//! Without the feature all of this is empty and costs nothing; what nobody may miss goes to stderr then.

use core::fmt;
use core::time::Duration;
use std::io::Write;

#[cfg(not(feature = "tracing"))]
mod nobody;
#[cfg(feature = "tracing")]
mod subscriber;

#[cfg(not(feature = "tracing"))]
use nobody as listener;
#[cfg(feature = "tracing")]
use subscriber as listener;

#[cfg(feature = "net")]
pub(crate) use listener::accept_pauses;
pub(crate) use listener::{in_task, runtime_built, shutdown, tell_of_refused_threads, unhandled, watchdog};

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "only a subscriber reads the numbers"))]
pub(crate) enum Shutdown {
    /// It begins; `None` waits for ever.
    Begins { timeout: Option<Duration> },
    /// The workers' threads have left, or are still inside of polls that do not return.
    WorkersLeft { all: bool },
    /// The tasks are finished, but for those that a thread is still inside of.
    TasksFinished { left: usize },
    /// It is over.
    Over { tasks_left: usize, calls_left: usize },
}

/// A line on stderr. If stderr is gone there is nobody left to tell, and that must not end a worker.
pub(crate) fn stderr(line: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "weftwork: {line}");
}
