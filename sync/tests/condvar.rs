//! The condition variable: cases by hand, each end of a wait dropped in each state, and threads.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Condvar, CondvarWait, Mutex, MutexGuard, block_on, coop};

#[test]
fn it_gives_the_lock_up_and_has_it_again() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let mut waits = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(mutex.try_lock().is_none(), "held until it is polled");
    assert!(waits.poll().is_pending());
    *mutex.try_lock().expect("given up") = 1;
    assert!(waits.poll().is_pending(), "nobody notified it");
    condvar.notify_one();
    assert_eq!(waits.wakes(), 1);
    let Poll::Ready(guard) = waits.poll() else { panic!("the lock is free") };
    assert_eq!(*guard, 1);
    assert!(mutex.try_lock().is_none());
}

#[test]
fn a_notification_without_waiters_is_not_kept() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    condvar.notify_one();
    condvar.notify_all();
    let mut waits = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(waits.poll().is_pending() && waits.poll().is_pending());
}

#[test]
fn notify_one_tells_them_in_the_order_in_which_they_came_and_notify_all_tells_everybody() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut tasks: Vec<_> = (0..4)
        .map(|_| {
            let mut task = Task::new(condvar.wait(mutex.try_lock().unwrap()));
            assert!(task.poll().is_pending());
            task
        })
        .collect();
    condvar.notify_one();
    assert_eq!(tasks.iter().map(Task::wakes).collect::<Vec<_>>(), [1, 0, 0, 0]);
    condvar.notify_all();
    assert_eq!(tasks.iter().map(Task::wakes).collect::<Vec<_>>(), [1, 1, 1, 1]);
    for task in &mut tasks {
        assert!(task.poll().is_ready());
    }
}

#[test]
fn one_that_was_notified_waits_for_the_lock_as_others_do() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waits = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(waits.poll().is_pending());
    let guard = mutex.try_lock().unwrap();
    condvar.notify_one();
    assert!(waits.poll().is_pending(), "the lock is taken");
    drop(guard);
    assert_eq!(waits.wakes(), 2);
    assert!(waits.poll().is_ready());
}

#[test]
fn a_waiter_that_is_dropped_before_it_was_notified_leaves_no_trace() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut first = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(first.poll().is_pending());
    let mut second = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(second.poll().is_pending());
    drop(first);
    assert_eq!(second.wakes(), 0);
    condvar.notify_one();
    assert_eq!(second.wakes(), 1);
    assert_eq!(format!("{condvar:?}"), "Condvar { waiters: 0 }");
}

#[test]
fn a_waiter_that_was_never_polled_gives_the_lock_back() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    drop(condvar.wait(mutex.try_lock().unwrap()));
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_notified_waiter_that_is_dropped_passes_the_notification_on() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut tasks: Vec<_> = (0..2)
        .map(|_| {
            let mut task = Task::new(condvar.wait(mutex.try_lock().unwrap()));
            assert!(task.poll().is_pending());
            task
        })
        .collect();
    condvar.notify_one();
    drop(tasks.remove(0));
    assert_eq!(tasks[0].wakes(), 1);
    assert!(tasks[0].poll().is_ready());
}

#[test]
fn a_waiter_that_is_dropped_while_it_waits_for_the_lock_passes_on_and_leaves_the_lock_clean() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut first = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(first.poll().is_pending());
    let mut second = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(second.poll().is_pending());
    let guard = mutex.try_lock().unwrap();
    condvar.notify_one();
    assert!(first.poll().is_pending(), "the lock is taken");
    let mut third = Task::new(mutex.lock());
    assert!(third.poll().is_pending());
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(guard);
    assert_eq!(third.wakes(), 1, "the next in the mutex's queue");
    assert!(third.poll().is_ready());
    assert!(second.poll().is_ready());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_waiter_that_was_woken_for_the_lock_and_is_dropped_wakes_the_next_for_it() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waits = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(waits.poll().is_pending());
    let guard = mutex.try_lock().unwrap();
    condvar.notify_all();
    assert!(waits.poll().is_pending());
    let mut locks = Task::new(mutex.lock());
    assert!(locks.poll().is_pending());
    drop(guard);
    assert_eq!((waits.wakes(), locks.wakes()), (2, 0));
    drop(waits);
    assert_eq!(locks.wakes(), 1);
    assert!(locks.poll().is_ready());
}

#[test]
fn what_notify_all_told_is_not_passed_on() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut first = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(first.poll().is_pending());
    condvar.notify_all();
    let mut late = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    assert!(late.poll().is_pending());
    drop(first);
    assert_eq!(late.wakes(), 0);
}

#[test]
fn wait_while_looks_at_once_and_after_each_notification() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let mut looked = 0;
    let mut waits = Task::new(condvar.wait_while(mutex.try_lock().unwrap(), |value| {
        looked += 1;
        *value < 2
    }));
    assert!(waits.poll().is_pending() && waits.poll().is_pending());
    for _ in 0..2 {
        *mutex.try_lock().unwrap() += 1;
        condvar.notify_one();
        if *mutex.try_lock().unwrap() < 2 {
            assert!(waits.poll().is_pending());
        }
    }
    let Poll::Ready(guard) = waits.poll() else { panic!("it is 2") };
    assert_eq!(*guard, 2);
    drop((guard, waits));
    assert_eq!(looked, 3);
    assert!(block_on(condvar.wait_while(mutex.try_lock().unwrap(), |_| false)).eq(&2));
}

#[test]
fn a_condition_that_panics_gives_the_lock_back() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let waited = catch_unwind(AssertUnwindSafe(|| {
        drop(block_on(condvar.wait_while(mutex.try_lock().unwrap(), |_| -> bool { panic!("planted") })));
    }));
    assert!(waited.is_err());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn an_owned_guard_comes_back_owned() {
    let (mutex, condvar) = (Arc::new(Mutex::new(0)), Condvar::new());
    let mut waits = Task::new(condvar.wait(mutex.clone().try_lock_owned().unwrap()));
    assert!(waits.poll().is_pending());
    condvar.notify_one();
    let Poll::Ready(guard) = waits.poll() else { panic!("the lock is free") };
    drop(waits);
    let other = thread::spawn("drops".into(), move || drop(guard)).unwrap();
    other.join().unwrap();
    assert!(mutex.try_lock().is_some());
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn a_waker_whose_clone_panics_leaves_both_usable() {
    use std::task::{Context, RawWaker, RawWakerVTable, Waker};
    static VTABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("planted"), |_| {}, |_| {}, |_| {});
    // SAFETY: the functions of the table do nothing with the pointer.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let waker = std::mem::ManuallyDrop::new(waker);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    for polls_before in 0..2 {
        let mut waits = Task::new(condvar.wait(mutex.try_lock().unwrap()));
        for _ in 0..polls_before {
            assert!(waits.poll().is_pending());
        }
        let polled =
            catch_unwind(AssertUnwindSafe(|| waits.future().poll(&mut Context::from_waker(&waker)).is_ready()));
        assert!(polled.is_err());
        drop(waits);
        assert!(mutex.try_lock().is_some());
        assert_eq!(format!("{condvar:?}"), "Condvar { waiters: 0 }");
    }
}

#[test]
fn a_spent_budget_refuses_and_a_cancelled_region_begins_nothing() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waits = Task::new(condvar.wait(mutex.try_lock().unwrap()));
    coop::within(0, false, || assert!(waits.poll().is_pending()));
    assert_eq!(waits.wakes(), 1, "others run in between");
    assert!(mutex.try_lock().is_none(), "it has not begun");
    coop::within(8, true, || assert!(waits.poll().is_pending()));
    assert!(mutex.try_lock().is_none());
    coop::within(1, false, || {
        assert!(waits.poll().is_pending());
        assert!(coop::has_budget());
        condvar.notify_one();
        assert!(waits.poll().is_ready());
        assert!(!coop::has_budget());
    });
}

#[test]
fn threads_pass_every_item_through() {
    let shared = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let shared = shared.clone();
            let work = move || {
                let (mutex, more) = &*shared;
                let take = async {
                    let mut sum = 0u64;
                    for _ in 0..500 {
                        let mut queue = more.wait_while(mutex.lock().await, |queue| queue.is_empty()).await;
                        sum += queue.pop_front().unwrap_or(0);
                    }
                    sum
                };
                block_on(take)
            };
            thread::spawn("takes".into(), work).unwrap()
        })
        .collect();
    for item in 1..=1_500u64 {
        shared.0.blocking_lock().push_back(item);
        shared.1.notify_one();
    }
    let sum: u64 = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
    assert_eq!(sum, 1_500 * 1_501 / 2);
}

#[derive(Debug, Clone)]
enum Op {
    Wait,
    NotifyOne,
    NotifyAll,
    Poll(usize),
    DropWaiter(usize),
    TakeLock,
    GiveLock,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::Wait),
        3 => Just(Op::NotifyOne),
        1 => Just(Op::NotifyAll),
        5 => (0..6usize).prop_map(Op::Poll),
        3 => (0..6usize).prop_map(Op::DropWaiter),
        2 => Just(Op::TakeLock),
        2 => Just(Op::GiveLock),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Not,
    Alone,
    WithAll,
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..80)) {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        // In the order in which they came: what each was told.
        let mut waiting: Vec<(Told, Task<CondvarWait<'_, MutexGuard<'_, ()>>>)> = vec![];
        let mut held = None;
        fn tell_one<T>(waiting: &mut [(Told, T)]) {
            if let Some((told, _)) = waiting.iter_mut().find(|(told, _)| *told == Told::Not) {
                *told = Told::Alone;
            }
        }
        for op in ops {
            match op {
                Op::Wait => {
                    if let Some(guard) = held.take().or_else(|| mutex.try_lock()) {
                        let mut task = Task::new(condvar.wait(guard));
                        prop_assert!(task.poll().is_pending());
                        waiting.push((Told::Not, task));
                    }
                }
                Op::NotifyOne => {
                    condvar.notify_one();
                    tell_one(&mut waiting);
                }
                Op::NotifyAll => {
                    condvar.notify_all();
                    for (told, _) in waiting.iter_mut().filter(|(told, _)| *told == Told::Not) {
                        *told = Told::WithAll;
                    }
                }
                Op::Poll(at) if at < waiting.len() => {
                    let (told, task) = &mut waiting[at];
                    prop_assert_eq!(task.wakes() > 0, *told != Told::Not);
                    match task.poll() {
                        Poll::Ready(guard) => {
                            prop_assert!(*told != Told::Not && held.is_none());
                            held = Some(guard);
                            waiting.remove(at);
                        }
                        // It may have been passed over by whoever took the free lock before.
                        Poll::Pending => prop_assert!(*told == Told::Not || held.is_some() || mutex.try_lock().is_none()),
                    }
                }
                Op::DropWaiter(at) if at < waiting.len() => {
                    let (told, task) = waiting.remove(at);
                    drop(task);
                    if told == Told::Alone {
                        tell_one(&mut waiting);
                    }
                }
                Op::TakeLock => held = held.take().or_else(|| mutex.try_lock()),
                Op::GiveLock => held = None,
                Op::Poll(_) | Op::DropWaiter(_) => {}
            }
            for (told, task) in &waiting {
                prop_assert_eq!(task.wakes() > 0, *told != Told::Not, "woken exactly if it was told");
            }
        }
        drop((waiting, held));
        prop_assert!(mutex.try_lock().is_some());
        prop_assert_eq!(format!("{condvar:?}"), "Condvar { waiters: 0 }");
    }
}
