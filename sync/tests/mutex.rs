//! The mutex.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{MappedMutexGuard, Mutex, MutexGuard, OwnedMutexGuard, block_on, coop};

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

#[test]
fn a_mapped_guard_holds_the_lock_and_changes_the_part() {
    let mutex = Arc::new(Mutex::new((vec![1, 2, 3], "all")));
    let numbers = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.0[..]);
    let mut last = MappedMutexGuard::try_map(numbers, <[i32]>::last_mut).unwrap();
    *last = 9;
    assert!(mutex.try_lock().is_none());
    drop(last);
    let numbers = OwnedMutexGuard::map(mutex.clone().try_lock_owned().unwrap(), |pair| &mut pair.0);
    assert_eq!(*numbers, [1, 2, 9]);
    drop(numbers);
    let whole = MutexGuard::try_map(mutex.try_lock().unwrap(), |pair| pair.0.get_mut(3)).expect_err("there are three");
    assert_eq!(whole.1, "all");
    drop(whole);
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn a_mapped_guard_wakes_the_next_when_it_is_dropped() {
    let mutex = Mutex::new((1, 2));
    let second = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.1);
    let mut waiting = Task::new(mutex.lock());
    assert!(waiting.poll().is_pending());
    drop(second);
    assert_eq!(waiting.wakes(), 1);
    assert!(waiting.poll().is_ready());
}

#[test]
fn a_traced_lock_behaves_as_another_one() {
    let mutex = Mutex::traced("shared", 0);
    let mut guard = mutex.try_lock().unwrap();
    assert!(mutex.try_lock().is_none());
    let (mut first, mut second) = (Task::new(mutex.lock()), Task::new(mutex.lock()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    for _ in 0..4 {
        drop(guard);
        guard = mutex.try_lock().expect("free until the woken task comes");
        assert!(first.poll().is_pending());
    }
    drop(guard);
    assert!(mutex.try_lock().is_none(), "handed over");
    drop(first);
    assert_eq!(second.wakes(), 1);
    let Poll::Ready(mut guard) = second.poll() else { panic!("it was given back") };
    *guard = 1;
    drop((guard, second));
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

#[test]
fn many_threads_lose_no_increment_of_a_traced_lock() {
    let mutex = Arc::new(Mutex::traced("count", 0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mutex = mutex.clone();
            thread::spawn("adds".into(), move || (0..500).for_each(|_| *mutex.blocking_lock() += 1)).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(
        format!("{mutex:?}"),
        r#"Mutex { name: "count", held: None, waiting: [], locked: false, waiters: 0, value: 2000 }"#
    );
}

#[test]
fn a_traced_lock_tells_who_holds_it_and_who_waits() {
    let mutex = Mutex::traced("accounts", 0);
    let guard = mutex.try_lock().unwrap();
    let held = line!() - 1;
    let mut waiting = Task::new(mutex.lock());
    let asked = line!() - 1;
    assert!(waiting.poll().is_pending());
    let shown = format!("{mutex:?}");
    assert!(shown.contains(&format!("held: Some({}:{held}:", file!())), "{shown}");
    assert!(shown.contains(&format!("waiting: [{}:{asked}:", file!())), "{shown}");
    drop(guard);
    let shown = format!("{mutex:?}");
    assert!(shown.contains("held: None"), "{shown}");
    drop(waiting);
    let shown = format!("{mutex:?}");
    assert!(shown.contains("held: None, waiting: []"), "{shown}");
}

/// Runs `f` as if it were polled as a task of weftwork.
fn as_task<R>(header: &u64, f: impl FnOnce() -> R) -> R {
    // SAFETY: nothing in here asks a runtime about the task, whose address is only compared.
    unsafe { coop::within_task(std::ptr::from_ref(header).cast(), 128, false, f) }.0
}

fn message(panic: Box<dyn std::any::Any + std::marker::Send>) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_task_that_waits_for_the_traced_lock_it_holds_is_told_both_places() {
    let (one, other) = (1, 2);
    let mutex = Mutex::traced("accounts", 0);
    let mut holds = Task::new(mutex.lock());
    let first = line!() - 1;
    let Poll::Ready(guard) = as_task(&one, || holds.poll()) else { panic!("it is free") };
    let mut waits = Task::new(mutex.lock());
    assert!(as_task(&other, || waits.poll()).is_pending(), "another task may wait");
    let mut again = Task::new(mutex.lock());
    let second = line!() - 1;
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        as_task(&one, || again.poll().is_ready());
    }));
    let said = message(polled.expect_err("it would wait for itself"));
    assert!(said.contains("accounts") && said.contains(&format!("{}:{first}:", file!())), "{said}");
    assert!(said.contains(&format!("{}:{second}:", file!())), "{said}");
    drop((again, guard));
    assert_eq!(waits.wakes(), 1, "the panic left no trace");
    assert!(as_task(&other, || waits.poll()).is_ready());
}

#[test]
fn a_thread_that_blocks_for_the_traced_lock_it_holds_is_told() {
    let mutex = Mutex::traced("accounts", 0);
    let guard = mutex.blocking_lock();
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(mutex.blocking_lock())));
    assert!(message(again.expect_err("it would wait for itself")).contains("accounts"));
    drop(guard);
    drop(mutex.blocking_lock());
}
