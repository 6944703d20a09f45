//! The mutex (part of L9): one owner at a time, what an owner wrote is seen by the next, and a free lock never leaves
//! somebody asleep, whoever is dropped in whichever state.
#![cfg(weftwork_loom)]

use core::pin::pin;
use core::task::{Context, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, thread};
use weftwork_sync::{Mutex, block_on};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

#[test]
fn two_tasks_add_up() {
    check("mutex/two_tasks_add_up", Bound::Preemptions(2), Bound::Unbounded, || {
        let mutex = Shared::new(Mutex::new(0));
        let theirs = mutex.clone();
        let other = spawn(move || block_on(async { *theirs.lock().await += 1 }));
        block_on(async { *mutex.lock().await += 1 });
        other.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 2);
    });
}

#[test]
fn three_tasks_add_up() {
    check("mutex/three_tasks_add_up", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let mutex = Shared::new(Mutex::new(0));
        let others = [mutex.clone(), mutex.clone()].map(|m| spawn(move || block_on(async { *m.lock().await += 1 })));
        block_on(async { *mutex.lock().await += 1 });
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*mutex.try_lock().unwrap(), 3);
    });
}

#[test]
fn a_waiter_dropped_in_any_state_passes_the_lock_on() {
    check("mutex/dropped_waiter_passes_on", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let mutex = Shared::new(Mutex::new(0));
        let guard = mutex.try_lock().unwrap();
        let (first, second) = (mutex.clone(), mutex.clone());
        let gives_up = spawn(move || {
            let mut waiting = pin!(first.lock());
            let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).map(|mut guard| *guard += 1);
        });
        let stays = spawn(move || block_on(async { *second.lock().await += 1 }));
        drop(guard);
        gives_up.join().unwrap();
        stays.join().unwrap();
        assert!(*mutex.try_lock().unwrap() >= 1);
    });
}

/// Makes the first unlock after this one a hand-over: the waiter comes too late as often as it has patience for.
#[allow(clippy::disallowed_types, reason = "owned guards live on the standard library's count")]
fn impatient(
    mutex: &std::sync::Arc<Mutex<u32>>,
    mut waiting: core::pin::Pin<&mut weftwork_sync::LockOwned<u32>>,
) -> weftwork_sync::OwnedMutexGuard<u32> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut guard = mutex.clone().try_lock_owned().unwrap();
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    for _ in 0..4 {
        drop(guard);
        guard = mutex.clone().try_lock_owned().expect("the lock is free for whoever comes first");
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
    }
    guard
}

#[test]
#[allow(clippy::disallowed_types, reason = "owned guards live on the standard library's count")]
fn a_handed_over_lock_publishes_what_the_last_owner_wrote() {
    check("mutex/hand_over_publishes", Bound::Preemptions(2), Bound::Unbounded, || {
        let mutex = std::sync::Arc::new(Mutex::new(0));
        let mut waiting = Box::pin(mutex.clone().lock_owned());
        let mut guard = impatient(&mutex, waiting.as_mut());
        let other = spawn(move || {
            *guard += 1;
            drop(guard);
        });
        let guard = block_on(waiting);
        assert_eq!(*guard, 1);
        assert!(mutex.try_lock().is_none());
        drop(guard);
        other.join().unwrap();
        assert!(mutex.try_lock().is_some());
    });
}

#[test]
#[allow(clippy::disallowed_types, reason = "owned guards live on the standard library's count")]
fn a_handed_over_lock_is_passed_on_by_a_waiter_that_is_dropped() {
    check("mutex/hand_over_dropped", Bound::Preemptions(2), Bound::Unbounded, || {
        let mutex = std::sync::Arc::new(Mutex::new(0));
        let mut waiting = Box::pin(mutex.clone().lock_owned());
        let guard = impatient(&mutex, waiting.as_mut());
        let theirs = mutex.clone();
        let other = spawn(move || {
            drop(guard);
            block_on(async { *theirs.lock().await += 1 });
        });
        drop(waiting);
        other.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 1);
    });
}
