//! The barrier: cases by hand, threads, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the macros of proptest use the standard library's")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::task::Poll;
use weftwork_sync::primitive::{Mutex, Shared, thread};
use weftwork_sync::{Arrived, Barrier, BarrierWait, BrokenBarrier, coop};

fn index(arrived: Poll<Result<Arrived, BrokenBarrier>>) -> Option<usize> {
    match arrived {
        Poll::Ready(Ok(arrived)) => Some(arrived.index()),
        Poll::Ready(Err(_)) => panic!("broken"),
        Poll::Pending => None,
    }
}

fn is_broken(arrived: &Poll<Result<Arrived, BrokenBarrier>>) -> bool {
    matches!(arrived, Poll::Ready(Err(_)))
}

#[test]
fn the_last_to_arrive_lets_all_go_with_their_indices() {
    let barrier = Barrier::new(3);
    let (mut first, mut second) = (Task::new(barrier.wait()), Task::new(barrier.wait()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(barrier.waiting(), 2);
    let Poll::Ready(Ok(last)) = Task::new(barrier.wait()).poll() else { panic!("it completes the round") };
    assert_eq!((last.index(), last.is_leader()), (2, true));
    assert_eq!((first.wakes(), second.wakes(), barrier.waiting()), (1, 1, 0));
    assert_eq!((index(second.poll()), index(first.poll())), (Some(1), Some(0)));
}

#[test]
fn who_arrives_before_the_last_round_has_left_belongs_to_the_next() {
    let barrier = Barrier::new(2);
    let mut slow = Task::new(barrier.wait());
    assert!(slow.poll().is_pending());
    assert!(Task::new(barrier.wait()).poll().is_ready());
    let mut next = Task::new(barrier.wait());
    assert!(next.poll().is_pending());
    assert_eq!(index(slow.poll()), Some(0));
    assert_eq!(index(Task::new(barrier.wait()).poll()), Some(1));
    assert_eq!(index(next.poll()), Some(0));
}

#[test]
fn who_gives_up_is_not_counted_and_indices_stay_unique() {
    let barrier = Barrier::new(3);
    let (mut first, mut second) = (Task::new(barrier.wait()), Task::new(barrier.wait()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(first);
    assert_eq!(barrier.waiting(), 1);
    let mut third = Task::new(barrier.wait());
    assert!(third.poll().is_pending());
    assert_eq!(index(Task::new(barrier.wait()).poll()), Some(2));
    assert_eq!((index(second.poll()), index(third.poll())), (Some(0), Some(1)));
}

#[test]
fn who_is_let_go_and_dropped_holds_nobody_back() {
    let barrier = Barrier::new(2);
    let mut first = Task::new(barrier.wait());
    assert!(first.poll().is_pending());
    assert!(Task::new(barrier.wait()).poll().is_ready());
    drop(first);
    assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
}

#[test]
fn abort_sends_all_away_until_it_is_reset() {
    let barrier = Barrier::new(3);
    let (mut first, mut second) = (Task::new(barrier.wait()), Task::new(barrier.wait()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    barrier.abort();
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert!(is_broken(&first.poll()) && is_broken(&second.poll()));
    assert!(is_broken(&Task::new(barrier.wait()).poll()) && barrier.is_broken());
    barrier.reset();
    assert!(!barrier.is_broken());
    assert!(Task::new(barrier.wait()).poll().is_pending());
}

#[test]
fn reset_sends_away_who_waits_and_the_next_round_is_whole() {
    let barrier = Barrier::new(2);
    let mut first = Task::new(barrier.wait());
    assert!(first.poll().is_pending());
    barrier.reset();
    let mut next = Task::new(barrier.wait());
    assert!(next.poll().is_pending());
    assert!(is_broken(&first.poll()));
    assert_eq!(index(Task::new(barrier.wait()).poll()), Some(1));
    assert_eq!(index(next.poll()), Some(0));
}

#[test]
#[should_panic(expected = "say how many tasks meet there")]
fn a_barrier_for_nobody_names_the_fix() {
    let _ = Barrier::new(0);
}

#[test]
fn a_round_that_is_complete_wins_over_a_cancelled_region() {
    let barrier = Barrier::new(2);
    let mut first = Task::new(barrier.wait());
    assert!(first.poll().is_pending());
    assert!(Task::new(barrier.wait()).poll().is_ready());
    coop::within(8, true, || assert_eq!(index(first.poll()), Some(0)));
}

#[test]
fn threads_meet_round_after_round() {
    let shared = Shared::new((Barrier::new(4), Mutex::new(vec![0_u32; 200])));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let shared = shared.clone();
            let work = move || {
                let mut led = 0;
                for round in 0..200 {
                    shared.1.lock()[round] += 1;
                    let arrived = shared.0.blocking_wait().unwrap();
                    led += u32::from(arrived.is_leader());
                    assert_eq!(shared.1.lock()[round], 4);
                }
                led
            };
            thread::spawn("meets".into(), work).unwrap()
        })
        .collect();
    assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>(), 200, "one leader in each round");
}

#[derive(Debug, Clone)]
enum Op {
    Arrive,
    Poll(usize),
    Drop(usize),
    Reset,
    Abort,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => Just(Op::Arrive),
        5 => (0..5usize).prop_map(Op::Poll),
        3 => (0..5usize).prop_map(Op::Drop),
        1 => Just(Op::Reset),
        1 => Just(Op::Abort),
    ]
}

/// What became of a wait, as the reference sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waits,
    Index(usize),
    Broken,
}

fn fate(arrived: Poll<Result<Arrived, BrokenBarrier>>) -> Fate {
    match arrived {
        Poll::Pending => Fate::Waits,
        Poll::Ready(Ok(arrived)) => Fate::Index(arrived.index()),
        Poll::Ready(Err(_)) => Fate::Broken,
    }
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(parties in 1..4usize, ops in prop::collection::vec(op(), 1..60)) {
        let barrier = Barrier::new(parties);
        let mut broken = false;
        let mut tasks: Vec<(Fate, Task<BarrierWait<'_>>)> = vec![];
        for op in ops {
            match op {
                Op::Arrive => {
                    let waiting = tasks.iter().filter(|(fate, _)| *fate == Fate::Waits).count();
                    let expected = match (broken, waiting + 1 == parties) {
                        (true, _) => Fate::Broken,
                        (false, true) => Fate::Index(waiting),
                        (false, false) => Fate::Waits,
                    };
                    if let Fate::Index(_) = expected {
                        let round = tasks.iter_mut().filter(|(fate, _)| *fate == Fate::Waits);
                        round.enumerate().for_each(|(index, (fate, _))| *fate = Fate::Index(index));
                    }
                    let mut task = Task::new(barrier.wait());
                    prop_assert_eq!(fate(task.poll()), expected);
                    if expected == Fate::Waits {
                        tasks.push((expected, task));
                    }
                }
                Op::Poll(at) if at < tasks.len() => {
                    let (expected, mut task) = tasks.remove(at);
                    prop_assert_eq!(task.wakes() > 0, expected != Fate::Waits);
                    prop_assert_eq!(fate(task.poll_as_another()), expected);
                    if expected == Fate::Waits {
                        tasks.insert(at, (expected, task));
                    }
                }
                Op::Drop(at) if at < tasks.len() => drop(tasks.remove(at)),
                Op::Poll(_) | Op::Drop(_) => {}
                Op::Reset | Op::Abort => {
                    broken = matches!(op, Op::Abort);
                    if broken { barrier.abort() } else { barrier.reset() }
                    let waiting = tasks.iter_mut().filter(|(fate, _)| *fate == Fate::Waits);
                    waiting.for_each(|(fate, _)| *fate = Fate::Broken);
                }
            }
            prop_assert_eq!(barrier.is_broken(), broken);
            prop_assert_eq!(barrier.waiting(), tasks.iter().filter(|(fate, _)| *fate == Fate::Waits).count());
        }
    }
}
