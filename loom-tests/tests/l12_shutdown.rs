//! Spawning against the end of a runtime (L12): each future is dropped exactly once, each handle resolves, and no cell is
//! left. Workers are the shipped threads; shutdown is the shipped shutdown.
#![cfg(weftwork_loom)]

use core::future::{Future, pending};
use weftwork::JoinHandle;
use weftwork::doors::Engine;
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// Counts its drops.
struct Canary(Shared<Counter>);

impl Drop for Canary {
    fn drop(&mut self) {
        self.0.add(1);
    }
}

/// A future that is ready at once, and counts its drops.
fn quick(drops: &Shared<Counter>) -> impl Future<Output = ()> + Send + use<> {
    let canary = Canary(drops.clone());
    async move { drop(canary) }
}

/// A future that never ends by itself.
fn endless(drops: &Shared<Counter>) -> impl Future<Output = ()> + Send + use<> {
    let canary = Canary(drops.clone());
    async move {
        let _canary = canary;
        pending::<()>().await;
    }
}

fn counter() -> Shared<Counter> {
    Shared::new(Counter::new(0))
}

fn resolved(handle: &mut JoinHandle<()>) -> bool {
    handle.try_take().is_some()
}

#[test]
fn a_task_that_waits_is_dropped_by_shutdown_and_leaves_nothing() {
    check("shutdown/idle_task", Bound::Unbounded, Bound::Unbounded, || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        let mut outside = engine.spawn(endless(&drops));
        let mut inside = engine.sit(0, |seat| {
            let inside = seat.spawn(endless(&drops));
            assert!(seat.step() && !seat.step() && seat.step(), "polled, fetched, polled");
            inside
        });
        engine.shutdown();
        assert_eq!(drops.get(), 2);
        assert!(resolved(&mut outside) && resolved(&mut inside));
        assert_eq!(engine.listed(), 0, "a list still holds a task that is complete");
    });
}

#[test]
fn a_spawn_from_outside_against_shutdown() {
    check("shutdown/spawn_from_outside", Bound::Preemptions(3), Bound::Unbounded, || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        let (theirs, counted) = (engine.clone(), drops.clone());
        let other = spawn(move || theirs.spawn(endless(&counted)));
        engine.shutdown();
        let mut handle = other.join().unwrap();
        assert_eq!(drops.get(), 1);
        assert!(resolved(&mut handle));
        assert_eq!(engine.listed(), 0);
    });
}

#[test]
fn a_worker_that_ends_and_a_task_from_outside() {
    check("shutdown/worker_runs_or_drops", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        engine.start_worker(0);
        let mut handle = engine.spawn(quick(&drops));
        engine.shutdown();
        assert_eq!(drops.get(), 1);
        assert!(resolved(&mut handle));
        assert_eq!(engine.listed(), 0);
    });
}

#[test]
fn a_worker_that_spawns_while_the_runtime_ends() {
    check("shutdown/worker_spawns", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        engine.start_worker(0);
        let (counted, inner) = (drops.clone(), drops.clone());
        let canary = Canary(counted);
        let mut handle = engine.spawn(async move {
            weftwork::spawn(endless(&inner)).detach();
            drop(canary);
        });
        engine.shutdown();
        let spawned = handle.try_take().unwrap().is_ok();
        assert_eq!(drops.get(), if spawned { 2 } else { 1 });
        assert_eq!(engine.listed(), 0);
    });
}

#[test]
fn a_wake_from_outside_while_the_runtime_ends() {
    check("shutdown/wake", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        let (waiting, inside) = engine.sit(0, |seat| {
            let (given, taken) = weftwork_sync::oneshot::channel::<()>();
            let canary = Canary(drops.clone());
            let handle = seat.spawn(async move {
                let _canary = canary;
                let _ = taken.await;
            });
            assert!(seat.step());
            (given, handle)
        });
        let other = spawn(move || drop(waiting));
        engine.shutdown();
        other.join().unwrap();
        let mut inside = inside;
        assert!(resolved(&mut inside));
        assert_eq!(drops.get(), 1);
        assert_eq!(engine.listed(), 0);
    });
}

#[test]
fn a_worker_that_shutdown_did_not_wait_for_spawns() {
    check("shutdown/late_worker_spawns", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        let (theirs, counted) = (engine.clone(), drops.clone());
        let late = spawn(move || theirs.sit(0, |seat| seat.spawn(endless(&counted))));
        engine.finish_tasks();
        let mut handle = late.join().unwrap();
        assert_eq!(drops.get(), 1, "found by shutdown, or refused by the list");
        assert!(resolved(&mut handle));
    });
}

/// The end of a run against a worker that runs `tasks`; all have ended when it returns, and each future was dropped once.
fn winds_down(
    name: &'static str,
    loom: Bound,
    spawn_tasks: impl Fn(&Engine, &Shared<Counter>) -> Vec<JoinHandle<()>> + Send + Sync + 'static,
) {
    check(name, loom, Bound::Preemptions(2), move || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        let tasks = spawn_tasks(&engine, &drops);
        let theirs = engine.clone();
        let worker = spawn(move || theirs.work(0));
        engine.wind_down();
        assert_eq!(drops.get(), tasks.len() as u64);
        for mut task in tasks {
            assert!(resolved(&mut task), "it was waited for");
        }
        engine.stop();
        worker.join().unwrap();
        assert_eq!(engine.live_tasks(), 0);
    });
}

#[test]
fn the_end_of_a_run_against_a_task_that_ends_by_itself() {
    winds_down("wind_down/ends_by_itself", Bound::Preemptions(1), |engine, drops| vec![engine.spawn(quick(drops))]);
}

#[test]
fn the_end_of_a_run_against_a_task_that_waits() {
    winds_down("wind_down/waits", Bound::Preemptions(1), |engine, drops| vec![engine.spawn(endless(drops))]);
}

#[test]
fn the_end_of_a_run_against_one_that_ends_and_one_that_waits() {
    winds_down("wind_down/ends_and_waits", Bound::Preemptions(1), |engine, drops| {
        vec![engine.spawn(quick(drops)), engine.spawn(endless(drops))]
    });
}

#[test]
fn the_end_of_a_run_against_a_spawn() {
    check("wind_down/spawn", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let (engine, drops) = (Engine::multi_thread(1), counter());
        let canary = Canary(drops.clone());
        let inner = drops.clone();
        let mut handle = engine.spawn(async move {
            weftwork::spawn(endless(&inner)).detach();
            drop(canary);
        });
        let theirs = engine.clone();
        let worker = spawn(move || theirs.work(0));
        engine.wind_down();
        engine.stop();
        worker.join().unwrap();
        let spawned = handle.try_take().unwrap().is_ok();
        assert_eq!(drops.get(), if spawned { 2 } else { 1 });
        assert_eq!(engine.live_tasks(), 0);
    });
}
