//! The signals of one kind, one after the other.

use super::SignalKind;
use super::system::Occurrence;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

/// Listens for signals of a kind, from this call on.
///
/// The first call for a kind in a process installs a handler for good: from then on the signal no longer does what it does
/// by default (ending the process, as a rule), also when nobody listens. Handlers that were there before are called first.
///
/// # Errors
/// `InvalidInput` for a number that is no signal or that no program may handle (`SIGKILL`, `SIGSTOP`, and those of a program
/// that has gone wrong: `SIGILL`, `SIGFPE`, `SIGSEGV`); otherwise the handler cannot be installed, no runtime is on this
/// thread, or it has shut down.
///
/// asyncio: `loop.add_signal_handler`; tokio: `signal::unix::signal`.
///
/// ```
/// use weftwork::signal::{SignalKind, signal};
/// # fn main() -> std::io::Result<()> { weftwork::run(async {
/// let mut hangups = signal(SignalKind::hangup())?;
/// # // SAFETY: a signal to this process, whose handler is in place.
/// # unsafe { libc::raise(libc::SIGHUP) };
/// hangups.recv().await?;
/// println!("reading the configuration again");
/// # Ok(()) }) }
/// ```
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Ok(Signal { kind, wait: Occurrence::next(kind.as_raw())? })
}

/// The signals of one kind; made by [`signal`].
///
/// Also a `Stream`, without an end.
pub struct Signal {
    kind: SignalKind,
    wait: Occurrence,
}

impl Signal {
    /// Waits for the next signal. Several that come before it is asked are one, as they are for the system itself.
    ///
    /// # Errors
    /// The runtime has shut down.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call gives what came meanwhile.
    pub fn recv(&mut self) -> Recv<'_> {
        Recv(self)
    }

    /// The kind that is listened for.
    pub fn kind(&self) -> SignalKind {
        self.kind
    }

    /// As [`recv`](Self::recv), for a future of one's own.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wait.poll(cx)
    }
}

impl futures_core::Stream for Signal {
    type Item = io::Result<()>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<()>>> {
        self.poll_recv(cx).map(Some)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal({})", self.kind)
    }
}

/// The future of [`Signal::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a>(&'a mut Signal);

impl Future for Recv<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_recv(cx)
    }
}
