//! The semaphore (part of L9): permits are conserved, nobody sleeps beside enough of them, closing reaches everybody, in
//! whichever state a waiter is dropped.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};
use weftwork_sync::{Semaphore, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

struct Guarded {
    semaphore: Semaphore,
    data: UnsafeCell<u32>,
}
// SAFETY: the only permit orders the accesses; loom checks that it does.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    fn add(&self) {
        let permit = block_on(self.semaphore.acquire()).unwrap();
        // SAFETY: the caller holds the only permit.
        self.data.with_mut(|data| unsafe { *data += 1 });
        drop(permit);
    }
}

#[test]
fn one_permit_is_a_lock() {
    check("semaphore/one_permit_is_a_lock", Bound::Preemptions(2), Bound::Unbounded, || {
        let shared = Shared::new(Guarded { semaphore: Semaphore::new(1), data: UnsafeCell::new(0) });
        let theirs = shared.clone();
        let other = spawn(move || theirs.add());
        shared.add();
        other.join().unwrap();
        // SAFETY: the other thread was joined.
        assert_eq!(shared.data.with(|data| unsafe { *data }), 2);
        assert_eq!(shared.semaphore.available_permits(), 1);
    });
}

#[test]
fn three_tasks_share_one_permit() {
    check("semaphore/three_tasks", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Shared::new(Guarded { semaphore: Semaphore::new(1), data: UnsafeCell::new(0) });
        let others = [shared.clone(), shared.clone()].map(|theirs| spawn(move || theirs.add()));
        shared.add();
        for other in others {
            other.join().unwrap();
        }
        // SAFETY: the other threads were joined.
        assert_eq!(shared.data.with(|data| unsafe { *data }), 3);
        assert_eq!(shared.semaphore.available_permits(), 1);
    });
}

#[test]
fn a_waiter_dropped_in_any_state_passes_its_permit_on() {
    check("semaphore/dropped_waiter_passes_on", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let semaphore = Shared::new(Semaphore::new(0));
        let (first, second) = (semaphore.clone(), semaphore.clone());
        let gives_up = spawn(move || {
            let mut waiting = pin!(first.acquire());
            let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        let stays = spawn(move || block_on(second.acquire()).unwrap().count());
        semaphore.add_permits(1);
        gives_up.join().unwrap();
        assert_eq!(stays.join().unwrap(), 1);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn a_small_request_behind_a_large_one_that_gives_up_is_served() {
    check("semaphore/large_request_gives_up", Bound::Preemptions(2), Bound::Unbounded, || {
        let semaphore = Shared::new(Semaphore::new(1));
        let mut large = Box::pin(semaphore.acquire_many(2));
        assert!(large.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let theirs = semaphore.clone();
        let small = spawn(move || block_on(theirs.acquire()).unwrap().count());
        drop(large);
        assert_eq!(small.join().unwrap(), 1);
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn permits_of_two_sizes_are_conserved() {
    check("semaphore/two_sizes", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let semaphore = Shared::new(Semaphore::new(2));
        let (first, second) = (semaphore.clone(), semaphore.clone());
        let others = [
            spawn(move || drop(block_on(first.acquire_many(2)).unwrap())),
            spawn(move || drop(block_on(second.acquire()).unwrap())),
        ];
        drop(block_on(semaphore.acquire()).unwrap());
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 2);
    });
}

struct TwoCells {
    semaphore: Semaphore,
    data: [UnsafeCell<u32>; 2],
}
// SAFETY: each cell is written before a permit is given and read after both were taken; loom checks that it holds.
unsafe impl Sync for TwoCells {}
// SAFETY: as above.
unsafe impl Send for TwoCells {}

#[test]
fn permits_served_by_another_thread_publish_what_their_giver_wrote() {
    check("semaphore/served_by_another", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let data = [UnsafeCell::new(0), UnsafeCell::new(0)];
        let shared = Shared::new(TwoCells { semaphore: Semaphore::new(0), data });
        let mut waiting = Box::pin(shared.semaphore.acquire_many(2));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let others = [0, 1].map(|i| {
            let theirs = shared.clone();
            spawn(move || {
                // SAFETY: the reader waits for both permits.
                theirs.data[i].with_mut(|data| unsafe { *data = 7 });
                theirs.semaphore.add_permits(1);
            })
        });
        block_on(waiting).unwrap().forget();
        for cell in &shared.data {
            // SAFETY: both permits were given after the writes.
            assert_eq!(cell.with(|data| unsafe { *data }), 7);
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn closing_reaches_a_waiter_and_conserves_permits() {
    check("semaphore/close", Bound::Preemptions(2), Bound::Unbounded, || {
        let semaphore = Shared::new(Semaphore::new(0));
        let theirs = semaphore.clone();
        let other = spawn(move || block_on(theirs.acquire()).is_ok());
        semaphore.add_permits(1);
        semaphore.close();
        other.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
        assert!(semaphore.is_closed());
    });
}

#[test]
fn tokio_8021_giving_back_does_not_reopen() {
    check("semaphore/tokio_8021", Bound::Unbounded, Bound::Unbounded, || {
        let semaphore = Shared::new(Semaphore::new(1));
        let theirs = semaphore.clone();
        let other = spawn(move || drop(theirs.try_acquire()));
        semaphore.close();
        other.join().unwrap();
        assert!(semaphore.is_closed() && semaphore.try_acquire().is_err());
    });
}

#[test]
fn permits_that_are_forgotten_are_given_to_nobody() {
    check("semaphore/forget", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let semaphore = Shared::new(Semaphore::new(1));
        let theirs = semaphore.clone();
        let other = spawn(move || drop(block_on(theirs.acquire()).unwrap()));
        let forgotten = semaphore.forget_permits(1);
        semaphore.add_permits(1);
        other.join().unwrap();
        assert_eq!(semaphore.available_permits(), 2 - forgotten);
    });
}
