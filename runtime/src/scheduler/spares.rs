//! Spare workers: they stand in for blocked ones, at seats of their own, so that the number that is not blocked stays.
//!
//! ```text
//!            start_worker                  dismissed
//!   VACANT --------------> WORKING ---------------------> RESTING
//!     ^                       ^                              |
//!     |                       +--------- hired again: CAS ---+
//!     +------------------------------ rested enough: CAS ----+
//! ```
//!
//! A dismissed spare rests for a while before its thread ends: where polls are a little longer than the watchdog's period
//! it is needed again at once, and a thread a millisecond would be started and ended otherwise.
//!
//! Races: hiring and going home both leave RESTING by a compare-exchange, so one wins; the loser of going home has been hired.
//! `leave` is taken back before the hiring exchange and set only while WORKING, both by the watchdog, which alone hires and
//! dismisses: a spare that is dismissed again before it woke finds that out at its first step.

use super::{Core, shutdown};
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use core::time::Duration;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use weftwork_sync::primitive::{Mutex, ParkResult, Parker, Shared};

/// How long a dismissed spare waits to be hired again.
const REST: Duration = Duration::from_secs(1);

const VACANT: u32 = 0;
const WORKING: u32 = 1;
const RESTING: u32 = 2;

/// The seats of spares, in the order of their slots.
#[derive(Debug)]
pub(crate) struct Spares {
    seats: Box<[Seat]>,
    /// How many are at work.
    working: AtomicUsize,
    /// Why the last spare could not be had; reported once.
    refused: Mutex<Option<std::io::Error>>,
}

#[derive(Debug)]
struct Seat {
    state: AtomicU32,
    /// The spare has been told to leave.
    leave: AtomicBool,
    bell: Parker,
}

impl Spares {
    pub(crate) fn new(seats: usize) -> Self {
        let seat = |_| Seat { state: AtomicU32::new(VACANT), leave: AtomicBool::new(false), bell: Parker::new() };
        Self { seats: (0..seats).map(seat).collect(), working: AtomicUsize::new(0), refused: Mutex::new(None) }
    }

    /// How many are at work.
    pub(crate) fn working(&self) -> usize {
        self.working.load(Ordering::Relaxed)
    }

    fn seat(&self, core: &Core, slot: usize) -> Option<&Seat> {
        self.seats.get(slot.checked_sub(core.config.workers)?)
    }

    /// Whether the worker at this slot is a spare that has been told to leave.
    pub(crate) fn wants_to_leave(&self, core: &Core, slot: usize) -> bool {
        self.seat(core, slot).is_some_and(|seat| seat.leave.load(Ordering::Relaxed))
    }

    /// Whether somebody works at this slot: a worker always, a spare while it is not dismissed.
    pub(crate) fn is_at_work(&self, core: &Core, slot: usize) -> bool {
        self.seat(core, slot).is_none_or(|seat| seat.state.load(Ordering::Relaxed) == WORKING)
    }

    /// The thread at this slot has been dismissed and handed everything on: rests; `true` if it is hired again.
    pub(crate) fn rest(&self, core: &Core, slot: usize) -> bool {
        let Some(seat) = self.seat(core, slot) else { return false };
        self.working.fetch_sub(1, Ordering::Relaxed);
        // Ordering: Release: whoever hires sees what was done at this seat.
        seat.state.store(RESTING, Ordering::Release);
        loop {
            let rested = seat.bell.park_for(Some(REST)) == ParkResult::TimedOut || core.is_stopping();
            match seat.state.load(Ordering::Acquire) {
                // Hired. A token left over wakes the next rest once, which looks again.
                WORKING => return true,
                _ if rested => {
                    let home = seat.state.compare_exchange(RESTING, VACANT, Ordering::AcqRel, Ordering::Acquire);
                    if home.is_ok() {
                        return false;
                    }
                }
                _ => {}
            }
        }
    }

    /// The thread at this slot ends without having rested: the runtime stops, or it never started.
    pub(crate) fn gone(&self, core: &Core, slot: usize) {
        if let Some(seat) = self.seat(core, slot)
            && seat.state.swap(VACANT, Ordering::AcqRel) == WORKING
        {
            self.working.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The runtime stops: nobody rests any longer.
    pub(crate) fn send_home(&self) {
        for seat in &self.seats {
            seat.bell.unpark();
        }
    }

    /// Sets one to work: one that rests, else a new thread; the seat, if there is one and the system gives a thread.
    pub(crate) fn hire(core: &Shared<Core>) -> Option<usize> {
        let spares = &core.spares;
        for (index, seat) in spares.seats.iter().enumerate() {
            if seat.state.load(Ordering::Relaxed) != RESTING {
                continue;
            }
            // Taken back before the exchange: who sees that it is hired sees this, or a later dismissal. Should it go home
            // instead, nobody looks.
            seat.leave.store(false, Ordering::Relaxed);
            // Ordering: Release publishes that; Acquire sees what was done at this seat.
            if seat.state.compare_exchange(RESTING, WORKING, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                spares.working.fetch_add(1, Ordering::Relaxed);
                seat.bell.unpark();
                return Some(index);
            }
        }
        let vacant = |seat: &Seat| seat.state.load(Ordering::Acquire) == VACANT;
        let Some(index) = spares.seats.iter().position(vacant) else {
            Self::report(core, std::io::Error::other("as many spares as the builder allows are at work"));
            return None;
        };
        let seat = &spares.seats[index];
        let slot = core.config.workers + index;
        seat.leave.store(false, Ordering::Relaxed);
        seat.state.store(WORKING, Ordering::Relaxed);
        spares.working.fetch_add(1, Ordering::Relaxed);
        match shutdown::start_worker(core, slot) {
            Ok(()) => {
                core.stats.spares_started.add(1);
                Some(index)
            }
            Err(error) => {
                spares.gone(core, slot);
                Self::report(core, error);
                None
            }
        }
    }

    /// Tells a spare to leave: the worker it stood in for is back.
    pub(crate) fn dismiss(core: &Core, spare: usize) {
        let slot = core.config.workers + spare;
        // Ordering: Relaxed; a sleeping spare looks at it inside its pair.
        let asleep = core.idle.publish_to(slot, || core.spares.seats[spare].leave.store(true, Ordering::Relaxed));
        if asleep {
            core.wake(slot);
        }
    }

    /// Says once that blocked workers cannot be stood in for. The pool tells it: the watchdog runs no foreign code.
    fn report(core: &Shared<Core>, why: std::io::Error) {
        let text = format!("every worker may be blocked: {why}");
        if core.spares.refused.lock().replace(why).is_some() {
            return;
        }
        let theirs = core.clone();
        let tell = move || theirs.report(&Unhandled::elsewhere(UnhandledKind::NoSpare, Some(&text)));
        let _runs_on = core.pool.submit(tell);
    }
}
