//! Sleeping and waking (L5), driven by shipped workers: if work is left, somebody is awake or about to be. A lost wake-up is
//! a deadlock here, because nothing else would ever wake a worker, and loom says so.
#![cfg(weftwork_loom)]

use core::future::poll_fn;
use core::task::{Poll, Waker};
use weftwork::doors::{Engine, Sleepers};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::block_on;
use weftwork_sync::primitive::atomic::{AtomicBool, AtomicUsize, Ordering};
use weftwork_sync::primitive::{Mutex, Parker, Shared, thread};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// Workers in the first `count` seats, each on a thread of its own.
fn workers(engine: &Engine, count: usize) -> Vec<thread::JoinHandle<()>> {
    let start = |seat| {
        let engine = engine.clone();
        spawn(move || engine.work(seat))
    };
    (0..count).map(start).collect()
}

/// Ends what [`workers`] began; whoever was woken for nothing must have said that it searches no more.
fn end(engine: &Engine, workers: Vec<thread::JoinHandle<()>>) {
    engine.stop();
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(engine.searching(), 0);
}

#[test]
fn a_task_from_outside_is_run() {
    check("idle/one_worker", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let engine = Engine::multi_thread(1);
        let workers = workers(&engine, 1);
        assert_eq!(block_on(engine.spawn(async { 7 })).unwrap(), 7);
        end(&engine, workers);
    });
}

#[test]
fn a_task_from_outside_is_run_by_the_current_thread_flavour() {
    check("idle/current_thread", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let engine = Engine::current_thread();
        let workers = workers(&engine, 1);
        assert_eq!(block_on(engine.spawn(async { 7 })).unwrap(), 7);
        end(&engine, workers);
    });
}

#[test]
fn a_worker_that_was_woken_for_nothing_is_woken_again() {
    check("idle/woken_for_nothing", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let engine = Engine::current_thread();
        let workers = workers(&engine, 1);
        engine.advance(1);
        assert_eq!(block_on(engine.spawn(async { 7 })).unwrap(), 7);
        end(&engine, workers);
    });
}

#[test]
fn two_workers_and_a_task_from_outside() {
    check("idle/two_workers", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let engine = Engine::multi_thread(2);
        let workers = workers(&engine, 2);
        assert_eq!(block_on(engine.spawn(async { 7 })).unwrap(), 7);
        end(&engine, workers);
    });
}

#[test]
fn two_threads_outside_and_one_sleeper() {
    check("idle/two_publishers", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let engine = Engine::multi_thread(1);
        let workers = workers(&engine, 1);
        let theirs = engine.clone();
        let other = spawn(move || block_on(theirs.spawn(async { 1 })).unwrap());
        assert_eq!(block_on(engine.spawn(async { 2 })).unwrap(), 2);
        assert_eq!(other.join().unwrap(), 1);
        end(&engine, workers);
    });
}

#[test]
fn a_wake_from_outside_reaches_a_task_that_waits() {
    check("idle/wake", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let engine = Engine::multi_thread(1);
        let workers = workers(&engine, 1);
        let flag = Shared::new((AtomicBool::new(false), Mutex::new(None::<Waker>)));
        let theirs = flag.clone();
        let handle = engine.spawn(poll_fn(move |cx| {
            *theirs.1.lock() = Some(cx.waker().clone());
            if theirs.0.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        }));
        let theirs = flag.clone();
        let other = spawn(move || {
            theirs.0.store(true, Ordering::Relaxed);
            let waker = theirs.1.lock().take();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        block_on(handle).unwrap();
        other.join().unwrap();
        drop(flag.1.lock().take());
        end(&engine, workers);
    });
}

#[test]
fn a_timer_of_no_worker_reaches_the_keeper() {
    // The clock is none that loom sees, so time does not pass here: the timer is due as it is armed, and fires as soon as the
    // keeper looks, which it does only if it is told or checks.
    check("idle/outside_timer", Bound::Preemptions(3), Bound::Preemptions(4), || {
        let engine = Engine::multi_thread(1);
        engine.advance(10);
        let workers = workers(&engine, 1);
        let mut armed = None;
        block_on(poll_fn(|cx| {
            if armed.is_some() {
                return Poll::Ready(());
            }
            armed = engine.arm_outside(5, cx.waker().clone());
            Poll::Pending
        }));
        drop(armed);
        end(&engine, workers);
    });
}

#[test]
fn a_searcher_that_leaves_was_relied_on() {
    check("idle/searcher_leaves", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let engine = Engine::multi_thread(2);
        let (sleeps, leaves) = (engine.clone(), engine.clone());
        let sleeper = spawn(move || sleeps.announce(0));
        let searcher = spawn(move || leaves.sit(1, |seat| _ = seat.begin_search()));
        engine.spawn(async {}).detach();
        let stays = sleeper.join().unwrap();
        searcher.join().unwrap();
        assert!(stays | engine.was_claimed(0), "it sleeps beside a task that nobody looks for");
        engine.shutdown();
    });
}

#[test]
fn a_searcher_that_found_work_was_relied_on() {
    check("idle/finder_hands_on", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let engine = Engine::multi_thread(2);
        engine.spawn(async {}).detach();
        let (sleeps, finds) = (engine.clone(), engine.clone());
        let bells = Shared::new([Parker::new(), Parker::new()]);
        let theirs = bells.clone();
        let sleeper = spawn(move || sleeps.announce(0));
        let finder = spawn(move || {
            finds.sit(1, |seat| {
                let _ = seat.begin_search();
                assert!(seat.take_injected() && seat.step());
                // From here on it is inside a poll that does not end: what is left is another's.
                theirs[0].unpark();
                theirs[1].park();
            });
        });
        engine.spawn(async {}).detach();
        bells[0].park();
        let stays = sleeper.join().unwrap();
        let left = engine.has_visible_work();
        assert!(!left || stays | engine.was_claimed(0), "it sleeps beside a task that nobody looks for");
        bells[1].unpark();
        finder.join().unwrap();
        engine.shutdown();
    });
}

#[test]
fn a_sleeper_is_woken_where_it_sleeps() {
    check("idle/bed", Bound::Unbounded, Bound::Unbounded, || {
        let engine = Engine::multi_thread(1);
        let theirs = engine.clone();
        let sleeper = spawn(move || theirs.announce_in_reactor(0));
        let in_reactor = engine.claim();
        assert_ne!(in_reactor, Some(false), "it sleeps elsewhere");
        let _ = sleeper.join().unwrap();
        engine.shutdown();
    });
}

/// What a worker of the small models sleeps by: the shipped protocol and the shipped parkers, without the worker around it.
struct Beds {
    sleepers: Sleepers,
    beds: [Parker; 2],
    work: AtomicUsize,
}

impl Beds {
    fn new() -> Shared<Self> {
        let beds = [Parker::new(), Parker::new()];
        Shared::new(Self { sleepers: Sleepers::new(2), beds, work: AtomicUsize::new(0) })
    }

    fn publish(&self) {
        if let Some(worker) = self.sleepers.publish(|| _ = self.work.fetch_add(1, Ordering::Relaxed)) {
            self.beds[worker].unpark();
        }
    }

    /// Takes a piece of work, if there is one.
    fn try_take(&self) -> bool {
        let take = |work: usize| work.checked_sub(1);
        self.work.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Takes one piece of work, sleeping until there is some, and goes away: what is left is another's.
    fn take(&self, worker: usize) {
        let mut searching = false;
        loop {
            if self.try_take() {
                if searching {
                    let next = self.sleepers.end_search_with_work(|| self.work.load(Ordering::Relaxed) > 0);
                    if let Some(next) = next {
                        self.beds[next].unpark();
                    }
                }
                return;
            }
            if searching {
                self.sleepers.end_search();
            }
            let stay = self.sleepers.announce(worker, || self.work.load(Ordering::Relaxed) > 0);
            if !stay {
                self.beds[worker].park();
            }
            searching = !self.sleepers.retract(worker) || (stay && self.sleepers.begin_search());
        }
    }
}

#[test]
fn two_sleepers_and_two_publishers() {
    // Not deeper: five threads at three preemptions take longer than every other model together.
    check("idle/protocol_two_by_two", Bound::Preemptions(2), Bound::Preemptions(2), || {
        let beds = Beds::new();
        let sleepers = [0, 1].map(|worker| {
            let beds = beds.clone();
            spawn(move || beds.take(worker))
        });
        let theirs = beds.clone();
        let other = spawn(move || theirs.publish());
        beds.publish();
        other.join().unwrap();
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
        assert_eq!(beds.sleepers.searching(), 0);
    });
}

#[test]
fn a_sleeper_that_wakes_by_itself_against_its_waker() {
    check("idle/claim_against_retract", Bound::Unbounded, Bound::Unbounded, || {
        let beds = Beds::new();
        let theirs = beds.clone();
        let other = spawn(move || theirs.publish());
        // Each waking is by itself: as by a timer.
        let _ = beds.sleepers.announce(0, || true);
        let claimed = !beds.sleepers.retract(0);
        other.join().unwrap();
        assert_eq!(beds.sleepers.searching(), usize::from(claimed));
        assert_eq!(beds.work.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_claim_that_is_counted_late_hides_no_sleeper() {
    check("idle/late_count", Bound::Unbounded, Bound::Unbounded, || {
        let beds = Beds::new();
        let more = || _ = beds.work.fetch_add(1, Ordering::Relaxed);
        let _ = beds.sleepers.announce(1, || false);
        let theirs = beds.clone();
        let other = spawn(move || theirs.sleepers.publish(|| _ = theirs.work.fetch_add(1, Ordering::Relaxed)));
        // Wakes by itself, and if it was claimed ends its search, perhaps before its claimer has counted it.
        let _ = beds.sleepers.announce(0, || true);
        if !beds.sleepers.retract(0) {
            let _ = beds.sleepers.end_search_with_work(|| false);
        }
        let second = beds.sleepers.publish(more);
        let first = other.join().unwrap();
        assert!(first == Some(1) || second == Some(1), "one sleeps beside work that nobody looks for");
    });
}
