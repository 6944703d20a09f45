//! The event and the wait group: cases by hand, threads, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the macros of proptest use the standard library's")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Event, EventWait, WaitGroup, WaitGroupWait, WaitGroupWorker, block_on, coop};

#[test]
fn setting_wakes_all_who_wait_even_if_it_is_cleared_at_once() {
    let event = Event::new();
    let mut tasks: Vec<_> = (0..20).map(|_| Task::new(event.wait())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    assert!(event.set());
    assert!(event.clear());
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll().is_ready()));
    assert!(Task::new(event.wait()).poll().is_pending());
}

#[test]
fn a_set_event_is_not_waited_for() {
    let event = Event::default();
    event.set();
    assert!(Task::new(event.wait()).poll().is_ready());
    assert!(!event.set(), "it was set before");
    event.clear();
    assert!(!event.clear(), "it was cleared before");
}

#[test]
fn a_future_that_was_not_polled_does_not_wait_yet() {
    let event = Event::new();
    let mut made = Task::new(event.wait());
    event.set();
    event.clear();
    assert!(made.poll().is_pending());
}

#[test]
fn a_dropped_waiter_leaves_the_others_waiting() {
    let event = Event::new();
    let (mut first, mut second) = (Task::new(event.wait()), Task::new(event.wait()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(first);
    assert_eq!(format!("{event:?}"), "Event { set: false, waiters: 1 }");
    event.set();
    assert_eq!((second.wakes(), second.poll().is_ready()), (1, true));
}

#[test]
fn the_waker_of_the_last_poll_is_called() {
    let event = Event::new();
    let mut task = Task::new(event.wait());
    assert!(task.poll().is_pending());
    assert!(task.poll_as_another().is_pending());
    event.set();
    assert_eq!(task.wakes(), 1);
}

#[test]
fn a_cancelled_region_still_takes_what_has_come() {
    let event = Event::new();
    let mut task = Task::new(event.wait());
    coop::within(8, true, || assert!(task.poll().is_pending()));
    assert_eq!(format!("{event:?}"), "Event { set: false, waiters: 0 }");
    assert!(task.poll().is_pending());
    event.set();
    coop::within(8, true, || assert!(task.poll().is_ready()));
}

#[test]
fn waiting_spends_the_budget() {
    let event = Event::new();
    event.set();
    coop::within(3, false, || {
        assert!((0..3).all(|_| Task::new(event.wait()).poll().is_ready()));
        assert!(Task::new(event.wait()).poll().is_pending());
    });
}

#[test]
fn clearing_first_and_looking_then_misses_nothing() {
    use weftwork_sync::primitive::Shared;
    use weftwork_sync::primitive::atomic::{AtomicU32, Ordering};
    let shared = Shared::new((Event::new(), AtomicU32::new(0)));
    let theirs = shared.clone();
    let other = thread::spawn("sets".into(), move || {
        for _ in 0..20_000 {
            theirs.1.fetch_add(1, Ordering::Relaxed);
            theirs.0.set();
        }
    })
    .unwrap();
    while shared.1.load(Ordering::Relaxed) < 20_000 {
        shared.0.blocking_wait();
        shared.0.clear();
    }
    other.join().unwrap();
}

#[test]
fn a_group_without_workers_is_not_waited_for() {
    let group = WaitGroup::new();
    assert!(Task::new(group.wait()).poll().is_ready());
    let worker = group.worker();
    let mut waiting = Task::new(group.wait());
    assert!(waiting.poll().is_pending());
    let another = worker.clone();
    drop(worker);
    assert!(waiting.poll().is_pending());
    drop(another);
    assert_eq!(waiting.wakes(), 1);
    assert!(waiting.poll().is_ready());
}

#[test]
fn golang_who_waited_is_let_go_though_others_come_at_once() {
    let group = WaitGroup::new();
    let worker = group.worker();
    let mut waiting = Task::new(group.wait());
    assert!(waiting.poll().is_pending());
    drop(worker);
    let _next = group.worker();
    assert!(waiting.poll().is_ready());
}

#[test]
fn what_workers_on_threads_did_is_seen() {
    let group = WaitGroup::new();
    for _ in 0..50 {
        let sum = weftwork_sync::primitive::Shared::new(weftwork_sync::primitive::Mutex::new(0));
        for _ in 0..4 {
            let (worker, sum) = (group.worker(), sum.clone());
            let work = move || {
                *sum.lock() += 1;
                drop(worker);
            };
            drop(thread::spawn("works".into(), work).unwrap());
        }
        block_on(group.wait());
        assert_eq!(*sum.lock(), 4);
    }
}

#[derive(Debug, Clone)]
enum Op {
    Set,
    Clear,
    Wait,
    Poll(usize),
    Drop(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::Set),
        2 => Just(Op::Clear),
        6 => Just(Op::Wait),
        5 => (0..5usize).prop_map(Op::Poll),
        3 => (0..5usize).prop_map(Op::Drop),
    ]
}

proptest! {
    #[test]
    fn an_event_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..60)) {
        let event = Event::new();
        let mut set = false;
        // Beside each task whether the event was set since it began to wait.
        let mut tasks: Vec<(bool, Task<EventWait<'_>>)> = vec![];
        for op in ops {
            match op {
                Op::Set => {
                    prop_assert_eq!(event.set(), !set);
                    set = true;
                    tasks.iter_mut().for_each(|(told, _)| *told = true);
                }
                Op::Clear => {
                    prop_assert_eq!(event.clear(), set);
                    set = false;
                }
                Op::Wait => {
                    let mut task = Task::new(event.wait());
                    prop_assert_eq!(task.poll().is_ready(), set);
                    if !set {
                        tasks.push((false, task));
                    }
                }
                Op::Poll(at) if at < tasks.len() => {
                    let (told, mut task) = tasks.remove(at);
                    prop_assert_eq!(task.wakes() > 0, told);
                    prop_assert_eq!(task.poll_as_another().is_ready(), told);
                    if !told {
                        tasks.insert(at, (told, task));
                    }
                }
                Op::Drop(at) if at < tasks.len() => drop(tasks.remove(at)),
                Op::Poll(_) | Op::Drop(_) => {}
            }
            prop_assert_eq!(event.is_set(), set);
            let waiting = tasks.iter().filter(|(told, _)| !told).count();
            let shown = format!("{event:?}");
            let expected = format!("waiters: {waiting} }}");
            prop_assert!(shown.ends_with(&expected));
        }
    }

    #[test]
    fn a_wait_group_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..60)) {
        let group = WaitGroup::new();
        let mut workers: Vec<WaitGroupWorker> = vec![];
        let mut tasks: Vec<(bool, Task<WaitGroupWait<'_>>)> = vec![];
        for op in ops {
            match op {
                Op::Set => workers.push(group.worker()),
                Op::Clear => {
                    if workers.pop().is_some() && workers.is_empty() {
                        tasks.iter_mut().for_each(|(told, _)| *told = true);
                    }
                }
                Op::Wait => {
                    let mut task = Task::new(group.wait());
                    prop_assert_eq!(task.poll().is_ready(), workers.is_empty());
                    if !workers.is_empty() {
                        tasks.push((false, task));
                    }
                }
                Op::Poll(at) if at < tasks.len() => {
                    let (told, mut task) = tasks.remove(at);
                    prop_assert_eq!(task.wakes() > 0, told);
                    prop_assert_eq!(task.poll_as_another().is_ready(), told);
                    if !told {
                        tasks.insert(at, (told, task));
                    }
                }
                Op::Drop(at) if at < tasks.len() => drop(tasks.remove(at)),
                Op::Poll(_) | Op::Drop(_) => {}
            }
            prop_assert_eq!(group.workers(), workers.len());
        }
    }
}
