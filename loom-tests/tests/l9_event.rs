//! The event and the wait group (part of L9), and with them the word that many wait for: setting reaches everybody who
//! waits, what was done before it is seen, clearing and then looking misses nothing, a waiter can be dropped in any state.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};
use weftwork_sync::{Event, WaitGroup, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

fn poll_once(future: impl Future) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

struct Told {
    event: Event,
    data: UnsafeCell<u32>,
}
// SAFETY: the event orders the accesses; loom checks that it does.
unsafe impl Sync for Told {}
// SAFETY: as above.
unsafe impl Send for Told {}

#[test]
fn setting_wakes_and_publishes() {
    check("event/set", Bound::Unbounded, Bound::Unbounded, || {
        let told = Shared::new(Told { event: Event::new(), data: UnsafeCell::new(0) });
        let theirs = told.clone();
        let other = spawn(move || {
            // SAFETY: the reader waits for the event below.
            theirs.data.with_mut(|data| unsafe { *data = 7 });
            theirs.event.set();
        });
        block_on(told.event.wait());
        // SAFETY: set after the write.
        assert_eq!(told.data.with(|data| unsafe { *data }), 7);
        other.join().unwrap();
    });
}

#[test]
fn who_finds_it_set_sees_what_was_done_before() {
    // Both pass the gate, which orders nothing: without it loom does not try a setting that is over before the first look.
    use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
    check("event/found_set", Bound::Unbounded, Bound::Unbounded, || {
        let told = Shared::new((Told { event: Event::new(), data: UnsafeCell::new(0) }, AtomicU32::new(0)));
        let theirs = told.clone();
        let other = spawn(move || {
            // SAFETY: the reader looks at the event below.
            theirs.0.data.with_mut(|data| unsafe { *data = 7 });
            theirs.0.event.set();
            theirs.1.fetch_add(1, Ordering::Relaxed);
        });
        told.1.fetch_add(1, Ordering::Relaxed);
        if poll_once(told.0.event.wait()) {
            // SAFETY: set after the write.
            assert_eq!(told.0.data.with(|data| unsafe { *data }), 7);
        }
        other.join().unwrap();
    });
}

#[test]
fn who_waits_is_woken_though_the_event_is_cleared_at_once() {
    check("event/set_and_clear", Bound::Unbounded, Bound::Unbounded, || {
        let told = Shared::new(Told { event: Event::new(), data: UnsafeCell::new(0) });
        let mut waiting = Box::pin(told.event.wait());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let theirs = told.clone();
        let other = spawn(move || {
            // SAFETY: the reader waits for the event below.
            theirs.data.with_mut(|data| unsafe { *data = 7 });
            theirs.event.set();
            theirs.event.clear();
        });
        block_on(waiting);
        // SAFETY: set after the write.
        assert_eq!(told.data.with(|data| unsafe { *data }), 7);
        other.join().unwrap();
        assert!(!told.event.is_set());
    });
}

#[test]
fn two_who_wait_are_woken_by_either_who_sets() {
    check("event/two_and_two", Bound::Preemptions(1), Bound::Preemptions(2), || {
        let event = Shared::new(Event::new());
        let (first, second, third) = (event.clone(), event.clone(), event.clone());
        let others = [
            spawn(move || block_on(first.wait())),
            spawn(move || {
                second.set();
            }),
            spawn(move || {
                third.set();
            }),
        ];
        block_on(event.wait());
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn two_changes_before_it_are_seen_by_who_waits_for_the_second() {
    // Both write before they set; who is told by the second has to see the first's, also if it was set already.
    struct Both(Event, [UnsafeCell<u32>; 2]);
    // SAFETY: the event orders the accesses; loom checks that it does.
    unsafe impl Sync for Both {}
    // SAFETY: as above.
    unsafe impl Send for Both {}
    check("event/set_twice", Bound::Preemptions(2), Bound::Unbounded, || {
        let both = Shared::new(Both(Event::new(), [UnsafeCell::new(0), UnsafeCell::new(0)]));
        let write = |at: usize| {
            let theirs = both.clone();
            spawn(move || {
                // SAFETY: read once both were joined, or their setting was seen.
                theirs.1[at].with_mut(|data| unsafe { *data = 1 });
                theirs.0.set()
            })
        };
        let others = [write(0), write(1)];
        block_on(both.0.wait());
        let [first, second] = others.map(|other| other.join().unwrap());
        assert!(first != second, "one of them set it");
    });
}

#[test]
fn clearing_and_then_looking_misses_nothing() {
    // What the setter did before, the one that clears sees, or it finds the event set again.
    check("event/clear_then_look", Bound::Unbounded, Bound::Unbounded, || {
        let told = Shared::new(Told { event: Event::new(), data: UnsafeCell::new(0) });
        told.event.set();
        let theirs = told.clone();
        let other = spawn(move || {
            // SAFETY: read below only once this setting was seen.
            theirs.data.with_mut(|data| unsafe { *data = 7 });
            theirs.event.set()
        });
        told.event.clear();
        if other.join().unwrap() {
            assert!(told.event.is_set());
        } else {
            assert!(!told.event.is_set(), "it set an event that was set, which was cleared after it");
        }
    });
}

#[test]
fn a_setting_that_changes_nothing_is_still_acquired_by_who_clears() {
    use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
    check("event/set_publishes_when_set", Bound::Unbounded, Bound::Unbounded, || {
        let shared = Shared::new((Event::new(), AtomicU32::new(0)));
        shared.0.set();
        let theirs = shared.clone();
        let other = spawn(move || {
            theirs.1.store(1, Ordering::Relaxed);
            theirs.0.set();
        });
        shared.0.clear();
        let seen = shared.1.load(Ordering::Relaxed) == 1 || shared.0.is_set();
        other.join().unwrap();
        assert!(seen || shared.0.is_set(), "the setter's work was missed and the event is clear");
    });
}

#[test]
fn a_waiter_dropped_in_any_state_leaves_the_others_alone() {
    check("event/dropped_waiter", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let event = Shared::new(Event::new());
        let (first, second) = (event.clone(), event.clone());
        let gives_up = spawn(move || poll_once(first.wait()));
        let sets = spawn(move || second.set());
        block_on(event.wait());
        gives_up.join().unwrap();
        assert!(sets.join().unwrap());
    });
}

#[test]
fn the_last_worker_wakes_and_publishes_what_all_did() {
    struct Work(UnsafeCell<u32>);
    // SAFETY: the wait group orders the accesses; loom checks that it does.
    unsafe impl Sync for Work {}
    // SAFETY: as above.
    unsafe impl Send for Work {}
    check("wait_group/two_workers", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let group = WaitGroup::new();
        let work = [0, 1].map(|_| Shared::new(Work(UnsafeCell::new(0))));
        let others = work.each_ref().map(|work| {
            let (worker, work) = (group.worker(), work.clone());
            spawn(move || {
                // SAFETY: the reader waits for the group below.
                work.0.with_mut(|data| unsafe { *data = 7 });
                drop(worker);
            })
        });
        block_on(group.wait());
        for work in &work {
            // SAFETY: all workers are gone.
            assert_eq!(work.0.with(|data| unsafe { *data }), 7);
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_worker_that_is_cloned_elsewhere_is_waited_for() {
    check("wait_group/cloned", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let group = WaitGroup::new();
        let worker = group.worker();
        let other = spawn(move || {
            let another = worker.clone();
            let inner = spawn(move || drop(another));
            drop(worker);
            inner.join().unwrap();
        });
        block_on(group.wait());
        assert_eq!(group.workers(), 0);
        other.join().unwrap();
    });
}
