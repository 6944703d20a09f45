//! From a worker's own queue to thieves and through the injector (L3): no task is lost, none is run twice.
#![cfg(weftwork_loom)]

use weftwork::doors::{Engine, Ready, Seat};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn counter() -> Shared<Counter> {
    Shared::new(Counter::new(0))
}

fn counted(polls: &Shared<Counter>) -> impl Future<Output = ()> + Send + use<> {
    let polls = polls.clone();
    async move { _ = polls.add(1) }
}

fn run_own(seat: &Seat<'_>) {
    seat.take_all().into_iter().for_each(Ready::run);
}

#[test]
fn published_tasks_are_stolen_or_kept() {
    check("overflow/publish_against_steal", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, polls) = (Engine::multi_thread(2), counter());
        let theirs = engine.clone();
        let thief = spawn(move || {
            theirs.sit(1, |seat| {
                seat.steal();
                run_own(seat);
            });
        });
        engine.sit(0, |seat| {
            for _ in 0..3 {
                seat.spawn(counted(&polls)).detach();
            }
            seat.publish();
            run_own(seat);
        });
        thief.join().unwrap();
        engine.shutdown();
        assert_eq!(polls.get(), 3);
    });
}

#[test]
fn two_workers_and_a_task_from_outside() {
    check("overflow/two_workers_one_outside", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (engine, polls) = (Engine::multi_thread(2), counter());
        engine.spawn(counted(&polls)).detach();
        let (theirs, counts) = (engine.clone(), polls.clone());
        let outside = spawn(move || theirs.spawn(counted(&counts)).detach());
        let theirs = engine.clone();
        let peer = spawn(move || {
            theirs.sit(1, |seat| {
                seat.take_injected();
                seat.steal();
                run_own(seat);
            });
        });
        engine.sit(0, |seat| {
            seat.spawn(counted(&polls)).detach();
            seat.take_injected();
            seat.publish();
            run_own(seat);
        });
        outside.join().unwrap();
        peer.join().unwrap();
        // What a worker left behind went to the injector as it left.
        engine.sit(0, |seat| {
            while seat.take_injected() {
                run_own(seat);
            }
        });
        assert_eq!(polls.get(), 3);
        engine.shutdown();
    });
}

#[test]
fn a_worker_that_leaves_hands_over() {
    check("overflow/hand_over", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let (engine, polls) = (Engine::multi_thread(2), counter());
        let (theirs, counts) = (engine.clone(), polls.clone());
        let leaves = spawn(move || theirs.sit(1, |seat| seat.spawn(counted(&counts)).detach()));
        engine.sit(0, |seat| {
            seat.spawn(counted(&polls)).detach();
            seat.take_injected();
            run_own(seat);
        });
        leaves.join().unwrap();
        engine.sit(0, |seat| {
            seat.take_injected();
            run_own(seat);
        });
        assert_eq!(polls.get(), 2);
        engine.shutdown();
    });
}
