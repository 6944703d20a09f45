//! Tasks that complete away from home, and freed cells (L11): each comes back once, and no cell is handed out twice.
#![cfg(weftwork_loom)]

use weftwork::doors::{Depot, Engine, Ready};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicUsize, Ordering};
use weftwork_sync::primitive::{Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// A point whose order among the threads loom tries out. Loom keeps one last access per atomic, so a thread that loads a
/// word before it exchanges it hides the exchange from the loads that others did before; orders that hang on such a pair
/// alone are searched through these points. They order nothing themselves.
#[derive(Clone)]
struct Points(Shared<AtomicUsize>);

impl Points {
    fn new() -> Self {
        Self(Shared::new(AtomicUsize::new(0)))
    }

    fn pass(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn two_threads_hand_tasks_back_while_the_owner_drains() {
    check("handed_back/two_against_owner", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let engine = Engine::multi_thread(1);
        engine.sit(0, |seat| {
            for _ in 0..2 {
                seat.spawn(async {}).detach();
            }
            let points = Points::new();
            let run = |task: Ready| {
                let points = points.clone();
                spawn(move || {
                    task.run();
                    points.pass();
                })
            };
            let others: Vec<_> = seat.take_all().into_iter().map(run).collect();
            assert_eq!(others.len(), 2);
            points.pass();
            seat.tidy();
            points.pass();
            seat.tidy();
            for other in others {
                other.join().unwrap();
            }
            seat.tidy();
            assert_eq!(seat.owned(), 0);
        });
    });
}

#[test]
fn the_owner_completes_a_neighbour_meanwhile() {
    check("handed_back/neighbours", Bound::Preemptions(3), Bound::Unbounded, || {
        let engine = Engine::multi_thread(1);
        engine.sit(0, |seat| {
            for _ in 0..3 {
                seat.spawn(async {}).detach();
            }
            let mut tasks = seat.take_all();
            let (last, first) = (tasks.remove(2), tasks.remove(0));
            let points = Points::new();
            let theirs = points.clone();
            let other = spawn(move || {
                first.run();
                theirs.pass();
                last.run();
                theirs.pass();
            });
            tasks.remove(0).run();
            points.pass();
            seat.tidy();
            points.pass();
            other.join().unwrap();
            seat.tidy();
            assert_eq!(seat.owned(), 0);
        });
    });
}

#[test]
fn a_handle_outlives_the_list() {
    check("handed_back/handle", Bound::Preemptions(2), Bound::Preemptions(4), || {
        let engine = Engine::multi_thread(1);
        engine.sit(0, |seat| {
            let mut handle = seat.spawn(async { 7 });
            let task = seat.take_all().remove(0);
            let points = Points::new();
            let theirs = points.clone();
            let other = spawn(move || {
                task.run();
                theirs.pass();
            });
            points.pass();
            let holder = spawn(move || handle.try_take().map(Result::unwrap));
            seat.tidy();
            other.join().unwrap();
            assert!(holder.join().unwrap().is_none_or(|value| value == 7));
            seat.tidy();
            assert_eq!(seat.owned(), 0);
        });
    });
}

#[test]
fn a_magazine_is_fetched_by_one() {
    check("depot/fetched_once", Bound::Preemptions(3), Bound::Unbounded, || {
        let depot = Shared::new(Depot::new());
        assert!(depot.leave(0, 16));
        let (leaves, fetches) = (depot.clone(), depot.clone());
        let leaving = spawn(move || leaves.leave(0, 32));
        let fetching = spawn(move || fetches.fetch(0));
        let mut fetched: Vec<usize> = depot.fetch(0).into_iter().collect();
        assert!(leaving.join().unwrap());
        fetched.extend(fetching.join().unwrap());
        fetched.extend(core::iter::from_fn(|| depot.fetch(0)));
        fetched.sort_unstable();
        assert_eq!(fetched, [16, 32]);
    });
}
