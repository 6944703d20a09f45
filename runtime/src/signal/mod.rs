//! Signals of the operating system, as futures.
//!
//! ```text
//!  the system --> handler: one count per kind, one byte into a pipe     (async-signal-safe: nothing else)
//!                                   |
//!  a waiter's own end of the pipe, registered with its reactor --> drained, and everybody who waits is woken
//!                                   |
//!  each waiter compares the count of its kind with the one it began with
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `unix.rs` | the handler, the pipe, and a wait for one kind |
//! | `unsupported.rs` | the same on systems where this is not there yet |
//! | `policy.rs` | what Ctrl-C does to a run whose program says nothing about it |
//! | `kind.rs` | which signals there are |
//! | `stream.rs` | `signal`: those of one kind, one after the other |
//! | `on_signal.rs` | a closure that is called at each |
//!
//! A wait is for a kind, counted separately; a stream of one kind is a wait that goes on where the last one ended.
//! Everything but [`ctrl_c`] is there on Unix only.

#[cfg(unix)]
mod kind;
#[cfg(unix)]
mod on_signal;
#[cfg(unix)]
pub(crate) mod policy;
#[cfg(unix)]
mod stream;
#[cfg(not(unix))]
#[path = "unsupported.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

#[cfg(unix)]
pub use kind::SignalKind;
#[cfg(unix)]
pub use on_signal::{OnSignal, on_signal};
#[cfg(unix)]
pub use stream::{Recv, Signal, signal};

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use system::Occurrence;

/// Waits for the next Ctrl-C (`SIGINT`).
///
/// Counted from this call, not from the first poll: a Ctrl-C that comes in between is not missed, and each of any number
/// of waiters gets each Ctrl-C that comes after its own call.
///
/// The first call in a process installs a handler for good: from then on Ctrl-C no longer ends the process by itself, also
/// when nobody waits, and a run leaves it alone ([`OnCtrlC`](crate::runtime::OnCtrlC)). A program that wants a second Ctrl-C to end it
/// waits for it and exits.
///
/// # Errors
/// The handler cannot be installed, no runtime is on this thread, the runtime has shut down, or this system is not
/// supported (today: Windows).
///
/// # Cancel safety
/// A Ctrl-C that has come by then is lost to this waiter, not to others.
///
/// asyncio: `loop.add_signal_handler(SIGINT, ...)`; tokio: `signal::ctrl_c`.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// println!("Hit CTRL-C to stop.");
/// weftwork::signal::ctrl_c().await?;
/// println!("stopping");
/// # Ok(()) }) }
/// ```
#[doc(alias = "add_signal_handler")]
pub fn ctrl_c() -> CtrlC {
    CtrlC { wait: Occurrence::next(system::INTERRUPT).map_err(Some) }
}

/// The future of [`ctrl_c`].
#[must_use = "futures do nothing unless awaited"]
pub struct CtrlC {
    /// Or why there is nothing to wait for, until it is told.
    wait: Result<Occurrence, Option<io::Error>>,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wait {
            Ok(wait) => wait.poll(cx),
            Err(error) => {
                Poll::Ready(Err(error.take().unwrap_or_else(|| io::Error::other("this CtrlC has failed before"))))
            }
        }
    }
}

impl fmt::Debug for CtrlC {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CtrlC")
    }
}
