//! Spare workers (L14): one thread at a time sits at a slot, a spare that is hired works, one that is dismissed leaves, and
//! none is left behind when the runtime ends. A bell that nobody rings is a deadlock here, and loom says so.
//!
//! The model stands in the watchdog's place, which alone hires and dismisses. In most models it plays the spares' threads as
//! well, around the shipped transitions; in those called `whole` the threads are those that ship, steps included. Race
//! numbers are those at the head of `scheduler/spares.rs`.
#![cfg(weftwork_loom)]

use weftwork::doors::{Engine, Hire, Rest};
use weftwork_loom_tests::Bound::{Preemptions, Unbounded};
use weftwork_loom_tests::check;
use weftwork_sync::block_on;
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};
use weftwork_sync::primitive::{Parker, Shared, UnsafeCell, thread};

/// A runtime without workers, with the threads of its spares played by the model.
#[derive(Clone)]
struct House {
    engine: Engine,
    floor: Shared<Floor>,
}

struct Floor {
    /// What only the thread at a slot may touch.
    desks: [UnsafeCell<()>; 2],
    /// Nudges that were answered.
    answers: AtomicUsize,
    /// Rung at each answer.
    bell: Parker,
}

// SAFETY: the desks are what the models are about: loom fails one in which two threads are at a desk at once.
unsafe impl Sync for Floor {}
// SAFETY: as above.
unsafe impl Send for Floor {}

impl House {
    fn new(seats: usize) -> Self {
        let floor = Floor {
            desks: [UnsafeCell::new(()), UnsafeCell::new(())],
            answers: AtomicUsize::new(0),
            bell: Parker::new(),
        };
        Self { engine: Engine::with_spares(0, seats), floor: Shared::new(floor) }
    }

    fn hire(&self, rest: Rest, threads: &mut Vec<thread::JoinHandle<()>>) -> Hire {
        let hired = self.engine.hire_by(|spare| {
            let theirs = self.clone();
            threads.push(thread::spawn(String::new(), move || theirs.be(spare, rest)).unwrap());
        });
        assert!(self.engine.spares_working() <= self.seats(), "more spares than seats");
        hired
    }

    fn seats(&self) -> usize {
        self.engine.spare_seats()
    }

    /// A spare's thread.
    fn be(&self, spare: usize, rest: Rest) {
        self.sit(spare);
        self.engine.be_spare(spare, rest, || {
            self.sit(spare);
            self.floor.answers.fetch_add(1, Ordering::Relaxed);
            self.floor.bell.unpark();
        });
        // The hook, and what is let go of at the end.
        self.sit(spare);
        self.engine.spare_is_gone(spare);
    }

    fn sit(&self, spare: usize) {
        self.floor.desks[spare].with_mut(|_| ());
    }

    /// Whoever is at work answers a nudge; one who rests would not.
    fn somebody_works(&self) {
        self.engine.nudge();
        while self.floor.answers.load(Ordering::Relaxed) == 0 {
            self.floor.bell.park();
        }
    }

    /// All threads are over: no seat is taken any more.
    fn is_empty(&self, threads: Vec<thread::JoinHandle<()>>) {
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(self.engine.spares_working(), 0);
        let mut free = 0;
        for _ in 0..self.seats() {
            let hired = self.engine.hire_by(|_| free += 1);
            assert!(matches!(hired, Hire::Spare(_)), "a seat that nobody will ever leave");
        }
        assert_eq!(free, self.seats(), "a seat without a thread rests");
        assert_eq!(self.engine.hire_without_threads(), Hire::Refused, "each seat is had once");
    }
}

#[test]
fn a_seat_is_taken_once_although_its_spare_is_just_ending() {
    // Races 1 to 3, and 6: hired is the thread that has not yet left, or the one that rests, or another after its end.
    check("spares/hire_against_going_home", Preemptions(3), Preemptions(5), || {
        let (house, mut threads) = (House::new(1), Vec::new());
        assert_eq!(house.hire(Rest::Over, &mut threads), Hire::Spare(0));
        house.engine.dismiss(0);
        match house.hire(Rest::Over, &mut threads) {
            Hire::Spare(spare) => house.engine.dismiss(spare),
            Hire::Later => {}
            Hire::Refused => panic!("the only spare has been dismissed"),
        }
        // Nobody rings and the runtime does not end: whoever is still here has missed its dismissal.
        house.is_empty(threads);
    });
}

#[test]
fn a_spare_that_is_hired_is_at_work_although_its_rest_was_just_over() {
    check("spares/hired_is_at_work", Preemptions(3), Preemptions(4), || {
        let (house, mut threads) = (House::new(1), Vec::new());
        let _ = house.hire(Rest::Over, &mut threads);
        house.engine.dismiss(0);
        if house.hire(Rest::Over, &mut threads) == Hire::Spare(0) {
            house.somebody_works();
            house.engine.dismiss(0);
        }
        house.is_empty(threads);
    });
}

#[test]
fn a_spare_that_rests_is_rung_for() {
    // Races 3 and 4.
    check("spares/hire_against_rest", Preemptions(3), Preemptions(4), || {
        let (house, mut threads) = (House::new(1), Vec::new());
        let _ = house.hire(Rest::Endless, &mut threads);
        house.engine.dismiss(0);
        if house.hire(Rest::Endless, &mut threads) == Hire::Spare(0) {
            house.somebody_works();
        }
        house.engine.stop();
        house.is_empty(threads);
    });
}

#[test]
fn a_spare_that_was_hired_and_dismissed_while_it_rested_is_awake() {
    // Race 6: one that slept on would be taken back without a bell.
    check("spares/dismissed_in_its_rest", Preemptions(2), Preemptions(3), || {
        let (house, mut threads) = (House::new(1), Vec::new());
        let _ = house.hire(Rest::Endless, &mut threads);
        house.engine.dismiss(0);
        if house.hire(Rest::Endless, &mut threads) == Hire::Spare(0) {
            house.engine.dismiss(0);
            if house.hire(Rest::Endless, &mut threads) == Hire::Spare(0) {
                house.somebody_works();
            }
        }
        house.engine.stop();
        house.is_empty(threads);
    });
}

#[test]
fn a_spare_that_rests_or_goes_to_rest_leaves_when_the_runtime_stops() {
    // Race 7.
    check("spares/stop_against_rest", Preemptions(3), Unbounded, || {
        let (house, mut threads) = (House::new(1), Vec::new());
        let _ = house.hire(Rest::Endless, &mut threads);
        house.engine.dismiss(0);
        house.engine.stop();
        house.is_empty(threads);
    });
}

#[test]
fn nobody_is_left_behind_by_a_runtime_that_stops_while_spares_are_hired() {
    // Race 7.
    check("spares/stop_against_hire", Preemptions(2), Preemptions(3), || {
        let (house, mut threads) = (House::new(1), Vec::new());
        let _ = house.hire(Rest::Endless, &mut threads);
        house.engine.dismiss(0);
        let theirs = house.engine.clone();
        let stopper = thread::spawn(String::new(), move || theirs.stop()).unwrap();
        if house.hire(Rest::Endless, &mut threads) == Hire::Spare(0) {
            house.engine.dismiss(0);
        }
        stopper.join().unwrap();
        house.is_empty(threads);
    });
}

#[test]
fn there_are_as_many_spares_as_seats() {
    check("spares/two_seats", Preemptions(2), Preemptions(3), || {
        let (house, mut threads) = (House::new(2), Vec::new());
        assert_eq!(house.hire(Rest::Over, &mut threads), Hire::Spare(0));
        assert_eq!(house.hire(Rest::Over, &mut threads), Hire::Spare(1));
        assert_eq!(house.hire(Rest::Over, &mut threads), Hire::Refused);
        house.engine.dismiss(0);
        assert_ne!(house.hire(Rest::Over, &mut threads), Hire::Spare(1), "that one works");
        house.engine.dismiss(1);
        house.engine.dismiss(0);
        house.is_empty(threads);
    });
}

#[test]
fn a_spare_that_rests_is_hired_where_the_system_has_no_threads() {
    check("spares/refused_start", Preemptions(3), Preemptions(5), || {
        let (house, mut threads) = (House::new(2), Vec::new());
        let _ = house.hire(Rest::Over, &mut threads);
        house.engine.dismiss(0);
        if house.engine.hire_without_threads() == Hire::Spare(0) {
            house.somebody_works();
            house.engine.dismiss(0);
        }
        house.is_empty(threads);
    });
}

#[test]
fn a_spare_that_has_not_yet_left_is_taken_back() {
    check("spares/taken_back", Unbounded, Unbounded, || {
        // No thread: it would be inside a poll.
        let engine = Engine::with_spares(0, 1);
        assert_eq!(engine.hire_by(|_| ()), Hire::Spare(0));
        engine.dismiss(0);
        assert_eq!(engine.hire_without_threads(), Hire::Spare(0));
    });
}

#[test]
fn a_whole_spare_that_is_dismissed_leaves() {
    // Race 5, with the sleep that ships: one that slept on would have to be woken by somebody else.
    check("spares/whole_dismiss_against_sleep", Preemptions(2), Preemptions(3), || {
        let engine = Engine::with_spares(0, 1);
        let _ = engine.hire();
        engine.dismiss(0);
        while engine.spares_working() > 0 {
            thread::yield_now();
        }
        engine.shutdown();
    });
}

#[test]
fn a_whole_spare_runs_what_nobody_else_would() {
    check("spares/whole_hire_against_rest", Preemptions(1), Preemptions(2), || {
        let engine = Engine::with_spares(0, 1);
        assert_eq!(engine.hire(), Some(0));
        engine.dismiss(0);
        // Later where it is between two states.
        while engine.hire().is_none() {
            thread::yield_now();
        }
        assert_eq!(block_on(engine.spawn(async { 7 })).unwrap(), 7);
        engine.shutdown();
        assert_eq!(engine.spares_working(), 0);
    });
}

#[test]
fn shutdown_waits_for_every_spare() {
    check("spares/whole_shutdown_against_hire", Preemptions(1), Preemptions(2), || {
        let engine = Engine::with_spares(0, 1);
        let _ = engine.hire();
        let theirs = engine.clone();
        let watchdog = engine.counted(move || {
            theirs.dismiss(0);
            let _ = theirs.hire();
        });
        engine.shutdown();
        assert_eq!(engine.spares_working(), 0, "a thread is left behind");
        watchdog.join().unwrap();
    });
}
