//! The cells whose value comes once, set or made: cases by hand, threads, random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the macros of proptest use the standard library's")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::primitive::{Shared, thread};
use weftwork_sync::{Event, OnceCell, SetError, SetOnce, block_on, coop, oneshot};

#[test]
fn all_who_wait_see_the_value_that_was_set() {
    let place = SetOnce::new();
    let mut tasks: Vec<_> = (0..10).map(|_| Task::new(place.wait())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    drop(tasks.remove(3));
    assert_eq!(place.set('a'), Ok(()));
    assert_eq!(place.set('b'), Err('b'));
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll() == Poll::Ready(&'a')));
    assert_eq!(Task::new(place.wait()).poll(), Poll::Ready(&'a'));
}

#[test]
fn a_place_drops_its_value_once_or_hands_it_out() {
    let token = Rc::new(());
    let place = SetOnce::new();
    assert!(place.set(token.clone()).is_ok());
    assert_eq!(Rc::strong_count(&token), 2);
    drop(place);
    assert_eq!(Rc::strong_count(&token), 1);
    assert!(SetOnce::from(token.clone()).into_inner().is_some());
    assert_eq!(Rc::strong_count(&token), 1);
    drop(SetOnce::<Rc<()>>::new());
}

#[test]
fn when_setting_is_refused_the_value_is_there() {
    for _ in 0..500 {
        let place = Shared::new(SetOnce::new());
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let place = place.clone();
                let work = move || match place.set(n) {
                    Ok(()) => true,
                    Err(_) => {
                        assert!(place.get().is_some());
                        false
                    }
                };
                thread::spawn("sets".into(), work).unwrap()
            })
            .collect();
        assert_eq!(threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|set| *set).count(), 1);
    }
}

#[test]
fn the_first_who_asks_makes_the_value() {
    let cell = OnceCell::new();
    assert_eq!(block_on(cell.get_or_init(async || 1)), &1);
    assert_eq!(block_on(cell.get_or_init(async || panic!("there is one"))), &1);
    assert_eq!(cell.set(2), Err(SetError::AlreadySet(2)));
}

#[test]
fn a_cancelled_initialiser_hands_over_to_the_next() {
    let cell = OnceCell::new();
    let mut first = Task::new(cell.get_or_init(pending::<u8>));
    let mut second = Task::new(cell.get_or_init(|| ready(2)));
    let mut third = Task::new(cell.get_or_init(|| ready(3)));
    assert!(first.poll().is_pending() && second.poll().is_pending() && third.poll().is_pending());
    assert_eq!(cell.set(9), Err(SetError::Initializing(9)));
    drop(first);
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    assert_eq!(second.poll(), Poll::Ready(&2));
    assert_eq!((third.wakes(), third.poll()), (1, Poll::Ready(&2)));
}

#[test]
fn the_next_begins_when_the_cancelled_initialiser_is_gone() {
    struct Sees<'a>(&'a Event);
    impl Drop for Sees<'_> {
        fn drop(&mut self) {
            self.0.set();
        }
    }
    let (cell, gone) = (OnceCell::new(), Event::new());
    let sees = Sees(&gone);
    let mut first = Task::new(cell.get_or_init(|| async move {
        let _sees = sees;
        pending::<u8>().await
    }));
    let mut second = Task::new(cell.get_or_init(|| {
        assert!(gone.is_set());
        ready(2)
    }));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(first);
    assert_eq!(second.poll(), Poll::Ready(&2));
}

#[test]
fn an_initialiser_that_was_handed_the_turn_and_is_dropped_hands_it_on() {
    let cell = OnceCell::new();
    let mut first = Task::new(cell.get_or_init(pending::<u8>));
    let mut second = Task::new(cell.get_or_init(|| ready(2)));
    let mut third = Task::new(cell.get_or_init(|| ready(3)));
    assert!(first.poll().is_pending() && second.poll().is_pending() && third.poll().is_pending());
    drop(first);
    drop(second);
    assert_eq!(third.wakes(), 1);
    assert_eq!(third.poll(), Poll::Ready(&3));
}

#[test]
fn an_initialiser_that_fails_lets_the_next_try() {
    let cell = OnceCell::<u8>::new();
    let (answer, answered) = oneshot::channel::<()>();
    let mut first = Task::new(cell.get_or_try_init(|| async { answered.await.map(|()| 1) }));
    let mut second = Task::new(cell.get_or_try_init(|| ready(Ok::<_, ()>(2))));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(answer);
    assert!(matches!(first.poll(), Poll::Ready(Err(_))));
    assert_eq!(second.poll(), Poll::Ready(Ok(&2)));
}

#[test]
fn an_initialiser_that_panics_lets_the_next_try() {
    let cell = OnceCell::new();
    let mut first = Task::new(cell.get_or_init(async || -> u8 { panic!("planted") }));
    let mut in_the_closure = Task::new(cell.get_or_init(|| -> std::future::Ready<u8> { panic!("planted") }));
    assert!(catch_unwind(AssertUnwindSafe(|| first.poll())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| in_the_closure.poll())).is_err());
    assert_eq!(block_on(cell.get_or_init(async || 2)), &2);
    assert!(catch_unwind(AssertUnwindSafe(|| first.poll())).is_err(), "it says that it had panicked");
}

#[test]
fn setting_lets_those_go_who_wait_to_be_told() {
    let cell = OnceCell::new();
    let mut told = Task::new(cell.wait());
    assert!(told.poll().is_pending());
    assert_eq!(cell.set(1), Ok(()));
    assert_eq!((told.wakes(), told.poll()), (1, Poll::Ready(&1)));
}

#[test]
fn a_value_that_was_taken_is_made_again() {
    let mut cell = OnceCell::new_with(1);
    assert_eq!(cell.take(), Some(1));
    assert_eq!(cell.take(), None);
    assert_eq!(block_on(cell.get_or_init(async || 2)), &2);
    assert_eq!(cell.take(), Some(2));
    assert_eq!(cell.set(3), Ok(()));
    assert_eq!(cell.get_mut(), Some(&mut 3));
    assert_eq!(cell.into_inner(), Some(3));
}

#[test]
fn asking_spends_the_budget_and_a_value_wins_over_a_cancelled_region() {
    let cell = OnceCell::new();
    let mut first = Task::new(cell.get_or_init(pending::<u8>));
    let mut second = Task::new(cell.get_or_init(pending::<u8>));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(first);
    let mut other = Task::new(cell.get_or_init(|| ready(1)));
    assert!(other.poll().is_pending());
    drop(second);
    coop::within(8, true, || assert_eq!(other.poll(), Poll::Ready(&1)));
    coop::within(2, false, || {
        assert!((0..2).all(|_| Task::new(cell.get_or_init(pending)).poll().is_ready()));
        assert!(Task::new(cell.get_or_init(pending)).poll().is_pending());
    });
}

#[test]
fn one_of_many_threads_makes_the_value() {
    for _ in 0..200 {
        let cell = Shared::new((OnceCell::new(), weftwork_sync::Semaphore::new(0)));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let cell = cell.clone();
                let work = move || {
                    block_on(async {
                        *cell
                            .0
                            .get_or_init(async || {
                                cell.1.add_permits(1);
                                n
                            })
                            .await
                    })
                };
                thread::spawn("asks".into(), work).unwrap()
            })
            .collect();
        let values: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(values.iter().all(|value| *value == values[0]));
        assert_eq!(cell.1.available_permits(), 1, "one initialiser ran");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Ask,
    Poll(usize),
    Answer(usize, bool),
    Drop(usize),
    Set,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Ask),
        6 => (0..5usize).prop_map(Op::Poll),
        4 => ((0..5usize), prop::bool::weighted(0.3)).prop_map(|(at, ok)| Op::Answer(at, ok)),
        3 => (0..5usize).prop_map(Op::Drop),
        1 => Just(Op::Set),
    ]
}

proptest! {
    /// The reference: those who ask are a queue, whose first runs; an answer makes the value or sends its asker away.
    #[test]
    fn initialisers_take_turns_as_in_the_reference(ops in prop::collection::vec(op(), 1..60)) {
        let cell = OnceCell::<u32>::new();
        let mut value = None;
        let mut asking = vec![];
        for (n, op) in (0u32..).zip(ops) {
            match op {
                Op::Ask => {
                    let (answer, answered) = oneshot::channel::<Result<u32, ()>>();
                    let init = || async { answered.await.unwrap_or(Err(())) };
                    let mut task = Task::new(cell.get_or_try_init(init));
                    let polled = task.poll();
                    prop_assert_eq!(polled.is_ready(), value.is_some());
                    if value.is_none() {
                        asking.push((Some(answer), None, task));
                    }
                }
                Op::Answer(at, ok) if at < asking.len() => {
                    if let Some(answer) = asking[at].0.take() {
                        let outcome = if ok { Ok(n) } else { Err(()) };
                        asking[at].1 = Some(outcome);
                        prop_assert!(answer.send(outcome).is_ok());
                    }
                }
                Op::Poll(at) if at < asking.len() => {
                    let (answer, outcome, mut task) = asking.remove(at);
                    let polled = task.poll_as_another();
                    match (value, at, outcome) {
                        (Some(value), ..) => prop_assert_eq!(polled, Poll::Ready(Ok(&value))),
                        (None, 0, Some(Ok(made))) => {
                            value = Some(made);
                            prop_assert_eq!(polled, Poll::Ready(Ok(&made)));
                            prop_assert!(asking.iter().all(|(_, _, task)| task.wakes() > 0));
                        }
                        (None, 0, Some(Err(()))) => {
                            prop_assert_eq!(polled, Poll::Ready(Err(())));
                            prop_assert!(asking.first().is_none_or(|(_, _, task)| task.wakes() > 0));
                        }
                        _ => {
                            prop_assert!(polled.is_pending());
                            asking.insert(at, (answer, outcome, task));
                        }
                    }
                }
                Op::Drop(at) if at < asking.len() => {
                    drop(asking.remove(at));
                    let handed_over = at == 0 && value.is_none();
                    prop_assert!(!handed_over || asking.first().is_none_or(|(_, _, task)| task.wakes() > 0));
                }
                Op::Set => match cell.set(n) {
                    Ok(()) => {
                        prop_assert!(value.is_none() && asking.is_empty());
                        value = Some(n);
                    }
                    Err(SetError::AlreadySet(_)) => prop_assert!(value.is_some()),
                    Err(_) => prop_assert!(value.is_none() && !asking.is_empty()),
                },
                Op::Poll(_) | Op::Drop(_) | Op::Answer(..) => {}
            }
            prop_assert_eq!(cell.get(), value.as_ref());
        }
    }
}
