//! What Ctrl-C does to a run whose program says nothing about it.
//!
//! Three may want a Ctrl-C: the program, if it has asked for it ([`ctrl_c`](super::ctrl_c), or a listener for `SIGINT`); a run with
//! the policy; and the system, which ends the process. The first of them in this order has it, and the handler decides which that is:
//! it runs on any thread at any instruction, so what it decides holds also where all workers are blocked.
//!
//! | the program has asked | runs under way | presses since the first began | the handler |
//! |---|---|---|---|
//! | yes, ever | | | leaves it to the program |
//! | no | none | | does what the system would have done |
//! | no | some | none | counts it; the run's watcher, told by the pipe of `unix.rs`, cancels the main future |
//! | no | some | one, or a main future is over | ends the process with 130 |
//!
//! A handler that somebody else has installed before is respected, and so is a signal that is ignored (`nohup`, or a shell's job in
//! the background): the policy then does nothing.
//!
//! Races:
//! 1. A press between the last look of a watcher and the end of its run: it is counted, and nobody acts on it; the run is over anyway.
//! 2. A press as the first run begins: presses are forgotten before the run counts, so it is the system's, or the first of the run. Runs
//!    begin and end one after the other, by the handler's lock, so that none of two that begin at once forgets a press of the other's.
//! 3. The program asks while a press is on its way to the watcher: that looks again at who has it, and the program's listener counts
//!    from when it asked.

use super::system::{INTERRUPT, Occurrence, Signals};
use crate::scheduler::Core;
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;
use core::task::{Context, Poll};
use std::io;
use weftwork_sync::primitive::Mutex;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a shell makes of a process that `SIGINT` ended.
const ENDED: i32 = 128 + INTERRUPT;

/// Whose Ctrl-C it is.
pub(super) struct Whose {
    asked: AtomicBool,
    runs: AtomicUsize,
    presses: AtomicUsize,
    /// Held by a run that begins or ends; the handler itself takes no lock.
    handler: Mutex<Handler>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handler {
    Missing,
    Installed,
    /// Somebody else's, or none by somebody's wish.
    Foreign,
}

impl Whose {
    pub(super) fn new() -> Self {
        Self {
            asked: AtomicBool::new(false),
            runs: AtomicUsize::new(0),
            presses: AtomicUsize::new(0),
            handler: Mutex::new(Handler::Missing),
        }
    }

    /// The program has asked for it.
    pub(super) fn ask(&self) {
        // Ordering: Release pairs with `pressed`.
        self.asked.store(true, Ordering::Release);
    }

    /// The handler.
    fn pressed(&self) {
        // Ordering: Acquire pairs with `ask`.
        if self.asked.load(Ordering::Acquire) {
            return;
        }
        // Ordering: Acquire pairs with the Release of a run that begins: race 2.
        if self.runs.load(Ordering::Acquire) == 0 {
            as_by_default();
        // Ordering: Relaxed: of two presses one is the second.
        } else if self.presses.fetch_add(1, Ordering::Relaxed) > 0 {
            // SAFETY: async-signal-safe; no code of this process runs after it.
            unsafe { libc::_exit(ENDED) };
        }
    }

    /// Whether a run may have the handler.
    fn install(&'static self, theirs: bool) -> io::Result<bool> {
        let handler = &mut *self.handler.lock();
        if *handler == Handler::Missing {
            if theirs && !is_default()? {
                *handler = Handler::Foreign;
            } else {
                // SAFETY: `pressed` reads and writes atomics and calls what is async-signal-safe. It takes no lock and allocates
                // nothing.
                unsafe { signal_hook_registry::register(INTERRUPT, move || self.pressed())? };
                *handler = Handler::Installed;
            }
        }
        Ok(*handler == Handler::Installed)
    }
}

/// Whether nobody has said anything about the signal.
fn is_default() -> io::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: asks only; the system fills in what it answers with.
    let action = unsafe {
        if libc::sigaction(INTERRUPT, ptr::null(), action.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        action.assume_init()
    };
    Ok(action.sa_sigaction == libc::SIG_DFL)
}

/// Ends the process as if nobody had installed a handler.
fn as_by_default() {
    // SAFETY: both calls are async-signal-safe. The signal is blocked while its handler runs, so it comes when that returns.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(INTERRUPT, &raw const action, ptr::null_mut());
        libc::raise(INTERRUPT);
    }
}

/// A run whose main future Ctrl-C cancels. While it lives the process has that policy.
pub(crate) struct Run(&'static Whose, Cell<bool>);

/// The wait for the press that cancels the main future.
pub(crate) struct Press(Occurrence, &'static Whose);

impl Run {
    /// Begins a run with the policy; `None` where Ctrl-C is somebody else's.
    ///
    /// # Errors
    /// The handler cannot be installed.
    pub(crate) fn begin(core: &Core) -> io::Result<Option<(Self, Press)>> {
        let Some(reactor) = &core.reactor else { return Ok(None) };
        let signals = Signals::get()?;
        let whose = &signals.interrupt;
        // Ordering: Acquire pairs with `ask`, here and in `Press::poll`.
        if whose.asked.load(Ordering::Acquire) || !whose.install(!signals.has_handler(INTERRUPT))? {
            return Ok(None);
        }
        let wait = Occurrence::on(reactor, INTERRUPT)?;
        let begins = whose.handler.lock();
        // Ordering: Relaxed: written under the lock.
        if whose.runs.load(Ordering::Relaxed) == 0 {
            whose.presses.store(0, Ordering::Relaxed);
        }
        // Ordering: Release pairs with `pressed`: whoever finds the run finds that the presses before it are forgotten.
        whose.runs.fetch_add(1, Ordering::Release);
        drop(begins);
        Ok(Some((Self(whose, Cell::new(false)), Press(wait, whose))))
    }

    /// The main future is over: whoever presses now wants the process to end.
    pub(crate) fn main_is_over(&self) {
        if !self.1.replace(true) {
            // Ordering: Relaxed, as in `pressed`.
            self.0.presses.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ends = self.0.handler.lock();
        if self.1.get() {
            // What stood for a press: another run that goes on has not been asked to end.
            // Ordering: Relaxed: read by whoever finds a run, which begins or goes on.
            self.0.presses.fetch_sub(1, Ordering::Relaxed);
        }
        // Ordering: Relaxed: a handler that finds none looks at nothing else.
        self.0.runs.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Press {
    /// Ready at the first press that is not the program's.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(came) = self.0.poll(cx) {
            if came.is_err() {
                // Its reactor has ended, and so does the run.
                break;
            }
            if !self.1.asked.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}
