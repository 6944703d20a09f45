//! The mutex.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Mutex, block_on, coop};

#[test]
fn a_waiter_is_woken_and_gets_the_lock() {
    let mutex = Mutex::new(1);
    let guard = mutex.try_lock().unwrap();
    let mut waiting = Task::new(mutex.lock());
    assert!(waiting.poll().is_pending());
    assert_eq!(waiting.wakes(), 0);
    drop(guard);
    assert_eq!(waiting.wakes(), 1);
    assert!(waiting.poll().is_ready());
}

#[test]
fn a_free_lock_goes_to_whoever_comes_first_and_the_waiter_stays_at_the_front() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let (mut first, mut second) = (Task::new(mutex.lock()), Task::new(mutex.lock()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(guard);
    let barged = mutex.try_lock().expect("free until the woken task comes");
    assert!(first.poll().is_pending());
    drop(barged);
    assert_eq!((first.wakes(), second.wakes()), (2, 0));
}

#[test]
fn the_front_waiter_is_passed_over_at_most_64_times() {
    let mutex = Mutex::new(());
    let mut guard = mutex.try_lock().unwrap();
    let mut waiting = Task::new(mutex.lock());
    assert!(waiting.poll().is_pending());
    let mut passed = 0;
    loop {
        drop(guard);
        match mutex.try_lock() {
            Some(barged) => guard = barged,
            None => break,
        }
        passed += 1;
    }
    assert_eq!(passed, 63);
    assert!(waiting.poll().is_ready(), "the lock was handed over");
}

#[test]
fn a_waiter_comes_too_late_at_most_4_times() {
    let mutex = Mutex::new(());
    let mut guard = mutex.try_lock().unwrap();
    let mut waiting = Task::new(mutex.lock());
    assert!(waiting.poll().is_pending());
    let mut late = 0;
    loop {
        drop(guard);
        match mutex.try_lock() {
            Some(barged) => guard = barged,
            None => break,
        }
        assert!(waiting.poll().is_pending());
        late += 1;
    }
    assert_eq!(late, 4);
    assert!(waiting.poll().is_ready());
}

#[test]
fn a_woken_waiter_that_is_dropped_wakes_the_next() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let (mut first, mut second) = (Task::new(mutex.lock()), Task::new(mutex.lock()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(guard);
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_ready());
}

#[test]
fn a_waiter_in_the_middle_leaves_no_trace() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut tasks: Vec<_> = (0..3).map(|_| Task::new(mutex.lock())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    drop(tasks.remove(1));
    drop(guard);
    for mut task in tasks {
        assert_eq!(task.wakes(), 1);
        assert!(task.poll().is_ready());
    }
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_task_that_changes_its_waker_is_woken_by_the_new_one_and_keeps_one() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut waiting = Task::new(mutex.lock());
    assert!(waiting.poll().is_pending());
    assert!(waiting.poll_as_another().is_pending());
    assert!(waiting.poll().is_pending());
    assert_eq!(waiting.wakers_held(), 1);
    drop(guard);
    assert_eq!((waiting.wakes(), waiting.wakers_held()), (1, 0));
}

#[test]
fn many_threads_lose_no_increment() {
    let mutex = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mutex = mutex.clone();
            let work = move || (0..5_000).for_each(|_| *mutex.blocking_lock() += 1);
            thread::spawn("adds".into(), work).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*mutex.try_lock().unwrap(), 20_000);
}

#[test]
fn a_panic_while_it_is_held_gives_it_back() {
    let mutex = Mutex::new(0);
    let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = mutex.try_lock().unwrap();
        panic!("planted");
    }));
    assert!(held.is_err());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn tokio_3689_a_waker_whose_clone_panics_leaves_the_lock_usable() {
    use std::task::{Context, RawWaker, RawWakerVTable, Waker};
    static VTABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("planted"), |_| {}, |_| {}, |_| {});
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.try_lock().unwrap();
    let mut owned = Task::new(mutex.clone().lock_owned());
    assert!(owned.poll().is_pending());
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: the functions of the table do nothing with the pointer.
        let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
        owned.future().poll(&mut Context::from_waker(&waker)).is_ready()
    }));
    assert!(polled.is_err());
    drop(owned);
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_spent_budget_refuses_and_a_cancelled_region_begins_nothing() {
    let mutex = Mutex::new(());
    let mut first = Task::new(mutex.lock());
    let mut second = Task::new(mutex.lock());
    coop::within(0, false, || assert!(first.poll().is_pending()));
    assert_eq!(first.wakes(), 1, "others run in between");
    coop::within(8, true, || assert!(second.poll().is_pending()));
    assert_eq!((second.wakes(), second.wakers_held()), (0, 0));
    assert!(mutex.try_lock().is_some());
    coop::within(1, false, || {
        assert!(matches!(first.poll(), Poll::Ready(_)));
        assert!(!coop::has_budget());
    });
}

#[test]
fn debug_says_who_waits() {
    let mutex = Mutex::new(7);
    assert_eq!(format!("{mutex:?}"), "Mutex { locked: false, waiters: 0, value: 7 }");
    let _guard = mutex.try_lock().unwrap();
    let mut waiting = Task::new(mutex.lock());
    assert!(waiting.poll().is_pending());
    assert_eq!(format!("{mutex:?}"), "Mutex { locked: true, waiters: 1, .. }");
}

#[test]
fn an_owned_guard_outlives_the_handle() {
    let mutex = Arc::new(Mutex::new(1));
    let guard = block_on(mutex.clone().lock_owned());
    drop(mutex);
    assert_eq!(*guard, 1);
}
