//! Spare workers: they stand in for blocked ones, at seats of their own, so that the number that is not blocked stays.
//!
//! A seat is one word. It belongs to a slot behind those of the workers, and to the one thread that sits at that slot.
//!
//! ```text
//!              1 hired                    2 dismissed                4 rests
//!    VACANT ------------> WORKING <=====================> DISMISSED ---------> RESTING
//!       ^                  |   ^       3 taken back           |                | |
//!       |                  |   +------------------------------|----------------+ |
//!       |                  |             5 hired again        |        6 goes    |
//!       |                  |                                  |          home    v
//!       +------------------+----------------------------------+-------------- ENDING
//!         8 the runtime stops                                   7 gone
//! ```
//!
//! | state | means | who leaves it |
//! |---|---|---|
//! | `VACANT` | no thread has anything to do with the slot | the watchdog: 1 |
//! | `WORKING` | a thread sits there, or starts, and steps as any worker | the watchdog: 2; the thread: 8 |
//! | `DISMISSED` | it has been told to leave and has not yet done so | the watchdog: 3; the thread: 4, 8 |
//! | `RESTING` | it has handed everything on, and waits to be hired again | the watchdog: 5; the thread: 6 |
//! | `ENDING` | nobody may hire it, but it is not over yet: it lets go of its worker and runs the user's hook | the thread: 7 |
//!
//! A dismissed spare rests for a while before its thread ends: where polls are a little longer than the watchdog's period
//! it is needed again at once, and a thread a millisecond would be started and ended otherwise.
//!
//! One thread, the watchdog, hires and dismisses; one thread, that of the seat, does the rest. So there are two sides at
//! most, and each step that both could take away from each other is a compare-exchange. A spare's thread ends by resting
//! enough or because the runtime stops, in no other way: panics of tasks and of hooks are contained below it.
//!
//! Races (model L14):
//! 1. Hired again (5) against going home (6): both leave `RESTING` by a compare-exchange, so one wins. Who goes home too late
//!    finds that it has been hired; who hires too late looks for another seat.
//! 2. Hired (1) against the end of the thread before (7): `VACANT` is stored as the thread's last act and with Release, and
//!    who hires reads it with Acquire, so two threads never sit at one slot. To give the seat up where the rest ends, with
//!    the thread still to end, is not enough: it would then end in the name of the thread that was hired meanwhile.
//! 3. Taken back (3) against resting (4): both leave `DISMISSED` by a compare-exchange. A spare that would rest and finds
//!    that it works goes on working, and nobody has to ring for it: it is awake.
//! 4. Hired again (5) while the spare is between lying down and its bell: the word is changed first and the bell rung then,
//!    and the spare reads the word after the bell. A bell that rings for a hiring which the spare saw by itself leaves a
//!    token, which ends its next wait early; it looks at the word and waits again.
//! 5. Dismissed (2) against going to sleep: the word is published by [`Idle::publish_to`](super::idle::Idle::publish_to),
//!    and a worker's last check before it sleeps looks at the word, so either the spare stays up or it is woken.
//! 6. Dismissed (2) again before it noticed that it was hired (5): it finds `DISMISSED` where it looks for `WORKING`, which
//!    says the same to one who rests: it has been hired, and learns at its first step that it may go.
//! 7. The end of the runtime against all of it: `stopping` is stored first and then every bell is rung, so who rests goes
//!    home, and who is hired meanwhile finds `stopping` at its first step. What the watchdog does to a seat that becomes
//!    `VACANT` by 8 changes nothing (2, 3 expect another state) or starts a thread that leaves at once; the watchdog is
//!    counted among the threads that shutdown waits for, so it cannot start one when nobody waits any more.
//!
//! The number of spares never exceeds that of the seats, because each has one, and keeps it until its thread is over: a hook
//! that does not return keeps its seat.

use super::{Core, shutdown};
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use core::time::Duration;
use std::io;
use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
use weftwork_sync::primitive::{Mutex, ParkResult, Parker, Shared};

/// How long a dismissed spare waits to be hired again.
const REST: Duration = Duration::from_secs(1);

const VACANT: u32 = 0;
const WORKING: u32 = 1;
const DISMISSED: u32 = 2;
const RESTING: u32 = 3;
const ENDING: u32 = 4;

/// The seats of spares, in the order of their slots.
#[derive(Debug)]
pub(crate) struct Spares {
    seats: Box<[Seat]>,
    /// Why the last spare could not be had; reported once.
    refused: Mutex<Option<io::Error>>,
}

#[derive(Debug)]
struct Seat {
    state: AtomicU32,
    bell: Parker,
}

/// What hiring came to.
#[derive(Debug)]
#[must_use]
pub(crate) enum Hired {
    /// The spare at this seat is at work, or will be as soon as its thread runs.
    Spare(usize),
    /// Each seat is taken, but one is being left: in a moment there is one.
    Later,
    /// There is none to be had.
    Refused(io::Error),
}

impl Seat {
    fn is(&self, state: u32) -> bool {
        // Ordering: Relaxed: a hint, or inside a pair, or behind the bell.
        self.state.load(Ordering::Relaxed) == state
    }

    /// Takes the step from one state to another, unless it is in a third.
    fn step(&self, from: u32, to: u32) -> bool {
        // Ordering: Relaxed: the word alone decides races 1 and 3, and nothing else passes between the two sides. What a
        // thread did at its slot is passed on by VACANT (race 2), that it was hired by the bell (race 4).
        self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Spares {
    pub(crate) fn new(seats: usize) -> Self {
        let seat = |_| Seat { state: AtomicU32::new(VACANT), bell: Parker::new() };
        Self { seats: (0..seats).map(seat).collect(), refused: Mutex::new(None) }
    }

    /// How many are at work, those included that have been told to leave and are still inside a poll.
    pub(crate) fn working(&self) -> usize {
        self.seats.iter().filter(|seat| seat.is(WORKING) || seat.is(DISMISSED)).count()
    }

    fn seat(&self, core: &Core, slot: usize) -> Option<&Seat> {
        self.seats.get(slot.checked_sub(core.config.workers)?)
    }

    /// Whether the worker at this slot is a spare that has been told to leave.
    pub(crate) fn wants_to_leave(&self, core: &Core, slot: usize) -> bool {
        self.seat(core, slot).is_some_and(|seat| seat.is(DISMISSED))
    }

    /// Whether somebody works at this slot: a worker always, a spare while it is not dismissed.
    pub(crate) fn is_at_work(&self, core: &Core, slot: usize) -> bool {
        self.seat(core, slot).is_none_or(|seat| seat.is(WORKING))
    }

    /// The thread at this slot has been dismissed and handed everything on: rests; `true` if it is hired again.
    pub(crate) fn rest(&self, core: &Core, slot: usize) -> bool {
        self.rest_by(core, slot, |bell| bell.park_for(Some(REST)))
    }

    /// As [`rest`](Self::rest), with another way to wait for the bell: a model has no clock, and says when time is over.
    pub(crate) fn rest_by(&self, core: &Core, slot: usize, wait: impl Fn(&Parker) -> ParkResult) -> bool {
        let Some(seat) = self.seat(core, slot) else { return false };
        if !seat.step(DISMISSED, RESTING) {
            // Race 3.
            return true;
        }
        loop {
            if wait(&seat.bell) == ParkResult::TimedOut || core.is_stopping() {
                // Race 1: too late is hired.
                return !seat.step(RESTING, ENDING);
            }
            // Race 4: a token left over ends a wait early.
            if !seat.is(RESTING) {
                return true;
            }
        }
    }

    /// The thread at this slot is over, after a rest or because the runtime stops.
    pub(crate) fn gone(&self, core: &Core, slot: usize) {
        if let Some(seat) = self.seat(core, slot) {
            // Ordering: Release pairs with the Acquire of who hires next: race 2. An exchange as every step of this word that
            // the other side may compete with (race 7), so that the order of them all is plain.
            let _ = seat.state.swap(VACANT, Ordering::Release);
        }
    }

    /// The runtime stops: nobody rests any longer.
    pub(crate) fn send_home(&self) {
        for seat in &self.seats {
            seat.bell.unpark();
        }
    }

    /// Sets one to work, if there is one; the watchdog alone does. Where there is none that is reported, once.
    pub(crate) fn hire(core: &Shared<Core>) -> Option<usize> {
        let hired = core.spares.hire_by(|seat| {
            shutdown::start_worker(core, core.config.workers + seat)?;
            core.stats.spares_started.add(1);
            Ok(())
        });
        match hired {
            Hired::Spare(seat) => Some(seat),
            Hired::Later => None,
            Hired::Refused(why) => {
                Self::report(core, why);
                None
            }
        }
    }

    /// One that rests, else a new thread, else one that has been told to leave: that one may be stuck.
    pub(crate) fn hire_by(&self, start: impl FnOnce(usize) -> io::Result<()>) -> Hired {
        for (index, seat) in self.seats.iter().enumerate() {
            if seat.is(RESTING) && seat.step(RESTING, WORKING) {
                // Race 4: after the word.
                seat.bell.unpark();
                return Hired::Spare(index);
            }
        }
        // Ordering: Acquire pairs with the Release in `gone`: race 2.
        let vacant = |seat: &Seat| seat.state.load(Ordering::Acquire) == VACANT;
        if let Some(index) = self.seats.iter().position(vacant) {
            let seat = &self.seats[index];
            // Ordering: Relaxed: nobody else leaves VACANT, and the thread is started after it.
            seat.state.store(WORKING, Ordering::Relaxed);
            return match start(index) {
                Ok(()) => Hired::Spare(index),
                Err(error) => {
                    // Ordering: Relaxed: whoever hires next is this thread.
                    seat.state.store(VACANT, Ordering::Relaxed);
                    Hired::Refused(error)
                }
            };
        }
        if let Some(index) = self.seats.iter().position(|seat| seat.step(DISMISSED, WORKING)) {
            return Hired::Spare(index);
        }
        if self.seats.iter().any(|seat| !seat.is(WORKING)) {
            return Hired::Later;
        }
        Hired::Refused(io::Error::other("as many spares as the builder allows are at work"))
    }

    /// Tells a spare to leave: the worker it stood in for is back. The watchdog alone does.
    pub(crate) fn dismiss(core: &Core, spare: usize) {
        let slot = core.config.workers + spare;
        let dismissed = || {
            // It fails only where the thread has left because the runtime stops.
            let _ = core.spares.seats[spare].step(WORKING, DISMISSED);
        };
        // Race 5.
        if core.idle.publish_to(slot, dismissed) {
            core.wake(slot);
        }
    }

    /// Says once that blocked workers cannot be stood in for. The pool tells it: the watchdog runs no foreign code.
    fn report(core: &Shared<Core>, why: io::Error) {
        let text = format!("every worker may be blocked: {why}");
        if core.spares.refused.lock().replace(why).is_some() {
            return;
        }
        let theirs = core.clone();
        let tell = move || theirs.report(&Unhandled::elsewhere(UnhandledKind::NoSpare, Some(&text)));
        let _runs_on = core.pool.submit(tell);
    }
}
