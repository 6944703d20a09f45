//! What is a worker's own until somebody has to rescue it (L13): the owner pushes, pops and completes while others revoke
//! and take. Each task is handed to one of them, and nobody is inside beside another: the value is watched.
#![cfg(weftwork_loom)]

use weftwork::doors::{Engine, Ready, Section};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Parker, Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// The owner adds one.
fn own(section: &Section<u32>) {
    // SAFETY: each model's own thread is the one owner, and no section lies in another.
    unsafe { section.own(|value| *value += 1) };
}

#[test]
fn the_owner_against_a_taker() {
    check("biased/owner_against_taker", Bound::Unbounded, Bound::Unbounded, || {
        let section = Shared::new(Section::new(0));
        let theirs = section.clone();
        let taker = spawn(move || theirs.try_take(|value| *value += 1).is_some());
        own(&section);
        own(&section);
        let taken = taker.join().unwrap();
        assert_eq!(section.take(|value| *value), 2 + u32::from(taken));
    });
}

#[test]
fn the_owner_sees_what_a_taker_left() {
    check("biased/owner_after_takers", Bound::Unbounded, Bound::Unbounded, || {
        let section = Shared::new(Section::new(0));
        let theirs = section.clone();
        // The second may give up, and must not cut the owner off from what the first did.
        let taker = spawn(move || {
            let first = theirs.try_take(|value| *value += 1).is_some();
            let second = theirs.try_take(|value| *value += 1).is_some();
            u32::from(first) + u32::from(second)
        });
        own(&section);
        let taken = taker.join().unwrap();
        own(&section);
        assert_eq!(section.take(|value| *value), 2 + taken);
    });
}

#[test]
fn the_owner_against_two_takers() {
    check("biased/two_takers", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let section = Shared::new(Section::new(0));
        let takers = [section.clone(), section.clone()]
            .map(|section| spawn(move || section.try_take(|value| *value += 1).is_some()));
        own(&section);
        own(&section);
        let taken: u32 = takers.into_iter().map(|taker| u32::from(taker.join().unwrap())).sum();
        assert_eq!(section.take(|value| *value), 2 + taken);
    });
}

#[test]
fn a_taker_that_waits_gets_in() {
    check("biased/taker_waits", Bound::Preemptions(3), Bound::Preemptions(5), || {
        let section = Shared::new(Section::new(0));
        let theirs = section.clone();
        let taker = spawn(move || theirs.take(|value| *value += 1));
        own(&section);
        taker.join().unwrap();
        own(&section);
        assert_eq!(section.take(|value| *value), 3);
    });
}

fn run_all(tasks: Vec<Ready>) {
    tasks.into_iter().for_each(Ready::run);
}

#[test]
fn a_worker_pushes_pops_and_completes_while_it_is_robbed() {
    check("biased/worker_is_robbed", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, polls) = (Engine::multi_thread(1), Shared::new(Counter::new(0)));
        let theirs = engine.clone();
        engine.sit(0, |seat| {
            let task = || {
                let polls = polls.clone();
                async move {
                    polls.add(1);
                }
            };
            seat.spawn(task()).detach();
            let robber = spawn(move || run_all(theirs.try_rob(0).unwrap_or_default()));
            seat.spawn(task()).detach();
            run_all(seat.take_all());
            seat.tidy();
            robber.join().unwrap();
            run_all(seat.take_all());
            seat.tidy();
            assert_eq!(polls.get(), 2, "each task is polled once");
            assert_eq!(seat.owned(), 0, "what completed elsewhere was handed back");
        });
    });
}

#[test]
fn two_rob_one_worker() {
    check("biased/two_robbers", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, polls) = (Engine::multi_thread(1), Shared::new(Counter::new(0)));
        let robbers = [engine.clone(), engine.clone()];
        engine.sit(0, |seat| {
            let task = || {
                let polls = polls.clone();
                async move {
                    polls.add(1);
                }
            };
            seat.spawn(task()).detach();
            let robbers = robbers.map(|engine| spawn(move || run_all(engine.try_rob(0).unwrap_or_default())));
            seat.spawn(task()).detach();
            for robber in robbers {
                robber.join().unwrap();
            }
            run_all(seat.take_all());
            seat.tidy();
            assert_eq!((polls.get(), seat.owned()), (2, 0));
        });
    });
}

#[test]
fn a_blocked_worker_is_rescued_into_the_hands_of_another() {
    check("watchdog/rescue", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, polls) = (Engine::multi_thread(2), Shared::new(Counter::new(0)));
        let theirs = engine.clone();
        let task = || {
            let polls = polls.clone();
            async move {
                polls.add(1);
            }
        };
        let watchdog = spawn(move || theirs.rescue(&[0]));
        engine.sit(0, |seat| {
            seat.spawn(task()).detach();
            seat.spawn(task()).detach();
            run_all(seat.take_all());
        });
        watchdog.join().unwrap();
        engine.sit(1, |seat| {
            while seat.take_injected() {
                run_all(seat.take_all());
            }
        });
        assert_eq!(polls.get(), 2, "each task is polled once");
        engine.shutdown();
    });
}

#[test]
fn a_watchdog_going_to_sleep_sees_a_worker_get_up() {
    // The task blocks its worker until the watchdog is up again: if the two missed each other, nobody would rescue.
    check("watchdog/sleep_against_stir", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let engine = Engine::watched(1);
        engine.start_worker(0);
        let awake = Shared::new(Parker::new());
        let (theirs, bell) = (engine.clone(), awake.clone());
        let watchdog = spawn(move || {
            theirs.watchdog_sleeps();
            bell.unpark();
        });
        engine.spawn(async move { awake.park() }).detach();
        watchdog.join().unwrap();
        engine.shutdown();
    });
}
