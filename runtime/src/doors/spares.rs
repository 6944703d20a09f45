//! Spares, hired and dismissed by a model in the watchdog's place. Their threads are those that ship, or threads of the model
//! that live as those do: time runs out where the model says so.

use super::engine::Engine;
use crate::scheduler::spares::{Hired, Spares};
use core::time::Duration;
use std::io;
use weftwork_sync::primitive::atomic::Ordering;
use weftwork_sync::primitive::{Parker, thread};

/// How long a rest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Over, unless somebody has rung.
    Over,
    /// Until somebody rings.
    Endless,
}

/// What hiring came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hire {
    /// The spare at this seat.
    Spare(usize),
    /// None yet.
    Later,
    /// None.
    Refused,
}

impl Engine {
    /// Hires a spare as the watchdog does; its thread is the one that ships.
    pub fn hire(&self) -> Option<usize> {
        Spares::hire(&self.core)
    }

    /// As [`hire`](Self::hire); `start` begins a thread of the model for that seat.
    pub fn hire_by(&self, start: impl FnOnce(usize)) -> Hire {
        let start = |seat| {
            start(seat);
            Ok(())
        };
        Hire::of(self.core.spares.hire_by(start))
    }

    /// As [`hire`](Self::hire), and the system refuses the thread if there has to be a new one.
    pub fn hire_without_threads(&self) -> Hire {
        Hire::of(self.core.spares.hire_by(|_| Err(io::Error::other("no threads"))))
    }

    /// Dismisses a spare as the watchdog does.
    pub fn dismiss(&self, spare: usize) {
        Spares::dismiss(&self.core, spare);
    }

    /// How many spares are at work.
    pub fn spares_working(&self) -> usize {
        self.core.spares.working()
    }

    /// Seats for spares.
    pub fn spare_seats(&self) -> usize {
        self.core.slots.len() - self.core.config.workers
    }

    /// A thread of the model is the spare at that seat, from its start until it goes home, as in `start_worker`. While it is
    /// at work it sleeps as a worker does, and calls `nudged` for each [`nudge`](Self::nudge).
    pub fn be_spare(&self, spare: usize, rest: Rest, nudged: impl Fn()) {
        let core = &*self.core;
        let index = core.config.workers + spare;
        let slot = &core.slots[index];
        let leaves = || core.is_stopping() || core.spares.wants_to_leave(core, index);
        let wait = |bell: &Parker| match rest {
            Rest::Over => bell.park_for(Some(Duration::ZERO)),
            Rest::Endless => bell.park_for(None),
        };
        loop {
            while !leaves() {
                if slot.nudged.load(Ordering::Relaxed) {
                    slot.nudged.store(false, Ordering::Relaxed);
                    nudged();
                }
                if !core.idle.announce(index, || leaves() || slot.wants_attention()) {
                    slot.parker.park();
                }
                if !core.idle.retract(index) {
                    core.idle.end_search();
                }
            }
            if core.is_stopping() || !core.spares.rest_by(core, index, wait) {
                break;
            }
        }
    }

    /// Has whoever sits at a slot look around.
    pub fn nudge(&self) {
        self.core.nudge_all();
    }

    /// The end of a spare's thread.
    pub fn spare_is_gone(&self, spare: usize) {
        self.core.spares.gone(&self.core, self.core.config.workers + spare);
    }

    /// Runs `f` on a thread that shutdown waits for, as it does for the watchdog's.
    pub fn counted(&self, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
        let core = self.core.clone();
        core.exits.enter();
        let counted = move || {
            f();
            core.exits.leave();
        };
        match thread::spawn(String::new(), counted) {
            Ok(thread) => thread,
            Err(error) => panic!("a model's thread always starts: {error}"),
        }
    }
}

impl Hire {
    fn of(hired: Hired) -> Self {
        match hired {
            Hired::Spare(seat) => Self::Spare(seat),
            Hired::Later => Self::Later,
            Hired::Refused(_) => Self::Refused,
        }
    }
}
