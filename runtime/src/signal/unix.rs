//! Signals on Unix.
//!
//! The handler may run on any thread at any instruction, so it does two things only: it counts, and it writes one byte
//! into a pipe (a pair of sockets, which std makes non-blocking and closed on exec). A full pipe is no loss: there is
//! something to read in it, and the count says how much.
//!
//! Every waiter has an end of its own to read from, a duplicate of the one, registered with the reactor of its runtime.
//! Whoever reads the pipe empty wakes all waiters of the process, because the others' reactors may find nothing in it any
//! more.
//!
//! Races:
//! 1. A signal between the beginning of a wait and its first poll: the wait compares counts, and began with the old one.
//! 2. A signal while a waiter looks: it enters the list of waiters first, then reads the pipe empty, then looks at the
//!    count. The handler counts before it writes. If the byte was there to be read, the count is seen. If it came later,
//!    the pipe's readiness wakes this waiter (its registration is waited on in the same poll) or another one, which wakes
//!    all.
//! 3. A waiter is dropped after it was woken and before it was polled: it had already read what it was woken for, or
//!    somebody else will; bytes that are left in the pipe wake whoever waits next, which costs a poll.

use super::policy::Whose;
use crate::reactor::registered::Left;
use crate::reactor::{First, Interest, Place, Reactor, Registered, Way};
use core::task::{Context, Poll, Waker};
use slab::Slab;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use weftwork_sync::WakeBatch;
use weftwork_sync::primitive::atomic::{AtomicU64, Ordering};
use weftwork_sync::primitive::fault::{self, Point};
use weftwork_sync::primitive::{Mutex, Shared};

/// Ctrl-C.
pub(super) const INTERRUPT: i32 = libc::SIGINT;

/// More than any Unix has; a number in between that is no signal is refused by the system.
const KINDS: usize = 129;

/// What the process has one of.
pub(super) struct Signals {
    read: UnixStream,
    write: UnixStream,
    /// By number.
    kinds: Box<[Kind]>,
    /// By place; `None` where a waiter was woken or never polled.
    waiters: Mutex<Slab<Option<Waker>>>,
    /// Whose Ctrl-C is.
    pub(super) interrupt: Whose,
}

/// One kind of signal.
struct Kind {
    count: AtomicU64,
    /// Whether its handler is installed.
    installed: Mutex<bool>,
}

static SIGNALS: OnceLock<Signals> = OnceLock::new();

impl Signals {
    fn new() -> io::Result<Self> {
        fault::pass(Point::Descriptor)?;
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        let kinds = (0..KINDS).map(|_| Kind { count: AtomicU64::new(0), installed: Mutex::new(false) }).collect();
        Ok(Self { read, write, kinds, waiters: Mutex::new(Slab::new()), interrupt: Whose::new() })
    }

    pub(super) fn get() -> io::Result<&'static Self> {
        match SIGNALS.get() {
            Some(signals) => Ok(signals),
            // Two threads at once make two and keep one.
            None => {
                let made = Self::new()?;
                Ok(SIGNALS.get_or_init(|| made))
            }
        }
    }

    fn kind(&self, number: i32) -> io::Result<&Kind> {
        let refused = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("signal {number} {why}"));
        if signal_hook_registry::FORBIDDEN.contains(&number) {
            return Err(refused("cannot be waited for: no program may handle it, or go on after it"));
        }
        let kind = usize::try_from(number).ok().filter(|&number| number > 0).and_then(|number| self.kinds.get(number));
        kind.ok_or_else(|| refused("is none of this system's"))
    }

    /// Whether there is a handler of ours for the kind with this number.
    pub(super) fn has_handler(&self, number: i32) -> bool {
        self.kind(number).is_ok_and(|kind| *kind.installed.lock())
    }

    /// The handler.
    fn came(&self, kind: &Kind) {
        // Ordering: Release, and before the write: whoever was woken by the byte finds the count.
        kind.count.fetch_add(1, Ordering::Release);
        // Full is fine, see the head of this file; any other failure has nobody to be told to in a signal handler.
        let _ = (&self.write).write(&[1]);
    }

    fn wake_all(&self) {
        let mut batch = WakeBatch::new();
        batch.extend(self.waiters.lock().iter_mut().filter_map(|(_, waker)| waker.take()));
        batch.wake_all();
    }
}

impl Kind {
    fn install(&'static self, number: i32, signals: &'static Signals) -> io::Result<()> {
        let mut installed = self.installed.lock();
        if !*installed {
            // SAFETY: `came` adds to an atomic and writes to a socket: both are async-signal-safe. It takes no lock,
            // allocates nothing, and the registry restores errno.
            unsafe { signal_hook_registry::register(number, move || signals.came(self))? };
            *installed = true;
        }
        Ok(())
    }
}

/// A wait for the next signal of a kind, from its making on.
pub(super) struct Occurrence {
    signals: &'static Signals,
    kind: &'static Kind,
    pipe: Registered<UnixStream>,
    /// The count it began with.
    seen: u64,
    /// Its own among the waiters, from its making to its drop.
    place: usize,
}

impl Occurrence {
    pub(super) fn next(number: i32) -> io::Result<Self> {
        let wait = Self::on(&crate::context::reactor()?, number)?;
        if number == INTERRUPT {
            wait.signals.interrupt.ask();
        }
        Ok(wait)
    }

    pub(super) fn on(reactor: &Shared<Reactor>, number: i32) -> io::Result<Self> {
        let signals = Signals::get()?;
        let kind = signals.kind(number)?;
        kind.install(number, signals)?;
        // Ordering: Acquire as in `poll`.
        let seen = kind.count.load(Ordering::Acquire);
        fault::pass(Point::Descriptor)?;
        let pipe = Registered::new(reactor, signals.read.try_clone()?, Interest::READABLE, First::Try)?;
        let place = signals.waiters.lock().insert(None);
        Ok(Self { signals, kind, pipe, seen, place })
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waker = Some(cx.waker().clone());
        let old = core::mem::replace(&mut self.signals.waiters.lock()[self.place], waker);
        drop(old);
        let failed = self.drain(cx);
        // Ordering: Acquire pairs with the Release in `came`.
        let count = self.kind.count.load(Ordering::Acquire);
        if count != self.seen {
            // Whatever came until now is one, as it may have been for the system.
            self.seen = count;
            return Poll::Ready(Ok(()));
        }
        failed.map_or(Poll::Pending, |e| Poll::Ready(Err(e)))
    }

    /// Reads the pipe empty and waits for the next byte. Whoever finds bytes wakes everybody, itself among them.
    fn drain(&self, cx: &mut Context<'_>) -> Option<io::Error> {
        let mut found = false;
        let failed = loop {
            let mut bytes = [0; 64];
            let read = self.pipe.poll_io(Way::In, &mut Place::Anonymous, true, cx, |mut pipe| {
                Ok((pipe.read(&mut bytes)?, Left::Perhaps))
            });
            match read {
                Poll::Ready(Ok(0)) => break Some(io::Error::other("the pipe of the signal handler was closed")),
                Poll::Ready(Ok(_)) => found = true,
                Poll::Ready(Err(e)) => break Some(e),
                Poll::Pending => break None,
            }
        };
        if found {
            self.signals.wake_all();
        }
        failed
    }
}

impl Drop for Occurrence {
    fn drop(&mut self) {
        let waker = self.signals.waiters.lock().remove(self.place);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::testing::{Count, by_hand, turn};

    fn poll(wait: &mut Occurrence, task: &Count) -> Poll<io::Result<()>> {
        wait.poll(&mut Context::from_waker(&task.waker()))
    }

    #[test]
    fn every_waiter_gets_the_ctrl_c_that_comes_after_its_beginning() {
        by_hand(|reactor| {
            let (early, late) = (Count::new(), Count::new());
            let mut waits = [Occurrence::on(reactor, INTERRUPT).unwrap(), Occurrence::on(reactor, INTERRUPT).unwrap()];
            // What other tests may have left in the pipe is read here.
            for wait in &mut waits {
                assert!(poll(wait, &early).is_pending());
            }
            let woken = early.wakes();
            // SAFETY: the handler is installed. To this thread, so that it has run when the call returns.
            assert_eq!(unsafe { libc::raise(INTERRUPT) }, 0);
            let mut later = Occurrence::on(reactor, INTERRUPT).unwrap();
            while early.wakes() < woken + 2 {
                turn(reactor);
            }
            for wait in &mut waits {
                assert!(matches!(poll(wait, &early), Poll::Ready(Ok(()))));
            }
            assert!(poll(&mut later, &late).is_pending());
        });
    }
}
