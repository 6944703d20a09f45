//! The limiter: cases by hand, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Borrow, Limiter, LimiterToken, Semaphore, TryBorrowError, block_on, coop};

#[test]
fn a_raised_total_is_lent_to_those_who_wait() {
    let limiter = Limiter::new(0);
    let mut tasks: Vec<_> = (0..3).map(|_| Task::new(limiter.borrow())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    assert_eq!(limiter.waiting(), 3);
    limiter.set_total(2);
    assert_eq!(tasks.iter().map(Task::wakes).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!((limiter.borrowed(), limiter.waiting()), (2, 1));
    limiter.set_total(usize::MAX);
    assert!(tasks.iter_mut().all(|task| task.poll().is_ready()));
}

#[test]
fn a_lowered_total_lends_nothing_until_enough_has_come_back() {
    let limiter = Limiter::new(3);
    let mut tokens: Vec<_> = (0..3).map(|_| limiter.try_borrow().unwrap()).collect();
    limiter.set_total(1);
    let mut waits = Task::new(limiter.borrow());
    assert!(waits.poll().is_pending());
    for left in [2, 1] {
        drop(tokens.pop());
        assert_eq!((limiter.borrowed(), limiter.available(), waits.wakes()), (left, 0, 0));
    }
    drop(tokens);
    assert_eq!(waits.wakes(), 1);
    assert!(waits.poll().is_ready());
}

#[test]
fn a_borrower_that_is_dropped_in_any_state_leaves_its_token_to_the_next() {
    let limiter = Limiter::new(1);
    let token = limiter.try_borrow().unwrap();
    let (mut first, mut second, mut third) =
        (Task::new(limiter.borrow()), Task::new(limiter.borrow()), Task::new(limiter.borrow()));
    assert!(first.poll().is_pending() && second.poll().is_pending() && third.poll().is_pending());
    drop(first);
    drop(token);
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    drop(second);
    assert_eq!(third.wakes(), 1);
    assert!(third.poll().is_ready());
    assert_eq!((limiter.borrowed(), limiter.waiting()), (0, 0));
}

#[test]
fn a_borrower_is_known_while_it_waits_and_while_it_has_a_token() {
    let limiter = Limiter::new(1);
    let token = limiter.try_borrow_on_behalf_of(1).unwrap();
    assert_eq!(limiter.borrow_on_behalf_of(1).unwrap_err().key(), 1);
    assert_eq!(limiter.try_borrow_on_behalf_of(1).unwrap_err(), TryBorrowError::AlreadyBorrowed);
    assert_eq!(limiter.try_borrow_on_behalf_of(2).unwrap_err(), TryBorrowError::NoToken);
    let mut waits = Task::new(limiter.borrow_on_behalf_of(2).expect("a try that failed is forgotten"));
    assert!(waits.poll().is_pending());
    assert!(limiter.borrow_on_behalf_of(2).is_err());
    assert_eq!(format!("{limiter:?}"), "Limiter { total: 1, borrowed: 1, waiting: 1, keys: [1, 2] }");
    drop(token);
    let Poll::Ready(token) = waits.poll() else { panic!("it was lent the token") };
    drop(waits);
    assert!(limiter.borrow_on_behalf_of(2).is_err());
    drop(token);
    // Never polled, and dropped while it waits or once it has been lent a token.
    drop(limiter.borrow_on_behalf_of(2).unwrap());
    let held = limiter.try_borrow().unwrap();
    let (mut waits, mut lent) =
        (Task::new(limiter.borrow_on_behalf_of(3).unwrap()), Task::new(limiter.borrow_on_behalf_of(2).unwrap()));
    assert!(lent.poll().is_pending() && waits.poll().is_pending());
    drop((waits, held, lent));
    assert_eq!(format!("{limiter:?}"), "Limiter { total: 1, borrowed: 0, waiting: 0, keys: [] }");
}

#[test]
fn owned_tokens_outlive_the_handle_and_come_back() {
    let limiter = Arc::new(Limiter::new(1));
    let token = block_on(limiter.clone().borrow_owned());
    assert!(limiter.clone().try_borrow_owned().is_none());
    let mut waits = Task::new(limiter.clone().borrow_owned());
    assert!(waits.poll().is_pending());
    thread::spawn("drops".into(), move || drop(token)).unwrap().join().unwrap();
    assert_eq!(waits.wakes(), 1);
    drop(waits);
    assert_eq!(limiter.available(), 1);
}

#[test]
fn a_spent_budget_refuses_and_a_cancelled_region_begins_nothing() {
    let limiter = Limiter::new(1);
    let (mut first, mut second) = (Task::new(limiter.borrow()), Task::new(limiter.borrow()));
    coop::within(0, false, || assert!(first.poll().is_pending()));
    assert_eq!(first.wakes(), 1, "others run in between");
    coop::within(8, true, || assert!(second.poll().is_pending()));
    assert_eq!((second.wakes(), limiter.waiting(), limiter.borrowed()), (0, 0, 0));
    coop::within(1, false, || {
        assert!(first.poll().is_ready());
        assert!(!coop::has_budget());
    });
}

#[test]
fn no_more_threads_than_tokens_are_inside() {
    let limiter = Arc::new(Limiter::new(2));
    let inside = Arc::new(Semaphore::new(2));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (limiter, inside) = (limiter.clone(), inside.clone());
            let work = move || {
                for round in 0..1_000 {
                    let _token = limiter.blocking_borrow();
                    let _inside = inside.try_acquire().expect("at most two are inside");
                    limiter.set_total(1 + round % 2);
                }
                limiter.set_total(2);
            };
            thread::spawn("enters".into(), work).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((limiter.borrowed(), limiter.available()), (0, 2));
}

#[derive(Debug, Clone)]
enum Op {
    Borrow(Option<u64>),
    Try(Option<u64>),
    Poll(usize),
    DropWaiter(usize),
    DropToken(usize),
    SetTotal(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let key = || prop_oneof![1 => Just(None), 2 => (0..4u64).prop_map(Some)];
    prop_oneof![
        4 => key().prop_map(Op::Borrow),
        2 => key().prop_map(Op::Try),
        4 => (0..8usize).prop_map(Op::Poll),
        3 => (0..8usize).prop_map(Op::DropWaiter),
        4 => (0..8usize).prop_map(Op::DropToken),
        2 => (0..5usize).prop_map(Op::SetTotal),
    ]
}

/// What a limiter is, in the fewest words.
#[derive(Default)]
struct Reference {
    total: usize,
    borrowed: usize,
    keys: BTreeSet<u64>,
    queue: VecDeque<u64>,
    granted: Vec<u64>,
}

impl Reference {
    fn serve(&mut self) {
        while self.borrowed < self.total && !self.queue.is_empty() {
            self.borrowed += 1;
            self.granted.extend(self.queue.pop_front());
        }
    }

    fn give(&mut self, key: Option<u64>) {
        self.borrowed -= 1;
        self.forget(key);
        self.serve();
    }

    fn forget(&mut self, key: Option<u64>) {
        if let Some(key) = key {
            assert!(self.keys.remove(&key));
        }
    }
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(total in 0..4usize, ops in prop::collection::vec(op(), 1..60)) {
        let limiter = Limiter::new(total);
        let mut model = Reference { total, ..Reference::default() };
        let mut waiting: Vec<(u64, Option<u64>, Task<Borrow<'_>>)> = vec![];
        let mut tokens: Vec<LimiterToken<'_>> = vec![];
        for (id, op) in (0u64..).zip(ops) {
            match op {
                Op::Borrow(key) => {
                    let borrow = match key {
                        None => limiter.borrow(),
                        Some(key) => match limiter.borrow_on_behalf_of(key) {
                            Ok(borrow) => {
                                prop_assert!(model.keys.insert(key));
                                borrow
                            }
                            Err(_) => {
                                prop_assert!(model.keys.contains(&key));
                                continue;
                            }
                        },
                    };
                    let mut task = Task::new(borrow);
                    match task.poll() {
                        Poll::Ready(token) => {
                            prop_assert!(model.borrowed < model.total);
                            model.borrowed += 1;
                            tokens.push(token);
                        }
                        Poll::Pending => {
                            prop_assert!(model.borrowed >= model.total);
                            model.queue.push_back(id);
                            waiting.push((id, key, task));
                        }
                    }
                }
                Op::Try(key) => {
                    let known = key.is_some_and(|key| model.keys.contains(&key));
                    let token = match key {
                        None => limiter.try_borrow().ok_or(TryBorrowError::NoToken),
                        Some(key) => limiter.try_borrow_on_behalf_of(key),
                    };
                    match token {
                        Ok(token) => {
                            prop_assert!(!known && model.borrowed < model.total);
                            model.borrowed += 1;
                            model.keys.extend(key);
                            tokens.push(token);
                        }
                        Err(TryBorrowError::AlreadyBorrowed) => prop_assert!(known),
                        Err(_) => prop_assert!(!known && model.borrowed >= model.total),
                    }
                }
                Op::Poll(at) if at < waiting.len() => {
                    let (id, _, task) = &mut waiting[at];
                    let granted = model.granted.contains(id);
                    match task.poll() {
                        Poll::Ready(token) => {
                            prop_assert!(granted);
                            tokens.push(token);
                            waiting.remove(at);
                        }
                        Poll::Pending => prop_assert!(!granted),
                    }
                }
                Op::DropWaiter(at) if at < waiting.len() => {
                    let (id, key, task) = waiting.remove(at);
                    drop(task);
                    if model.granted.contains(&id) {
                        model.give(key);
                    } else {
                        model.queue.retain(|other| *other != id);
                        model.forget(key);
                    }
                }
                Op::DropToken(at) if at < tokens.len() => {
                    let token = tokens.remove(at);
                    model.give(token.key());
                    drop(token);
                }
                Op::SetTotal(total) => {
                    model.total = total;
                    model.serve();
                    limiter.set_total(total);
                }
                Op::Poll(_) | Op::DropWaiter(_) | Op::DropToken(_) => {}
            }
            for (id, _, task) in &waiting {
                prop_assert_eq!(task.wakes() > 0, model.granted.contains(id), "woken exactly if it was lent a token");
            }
            prop_assert_eq!(
                format!("{limiter:?}"),
                format!(
                    "Limiter {{ total: {}, borrowed: {}, waiting: {}, keys: {:?} }}",
                    model.total, model.borrowed, model.queue.len(), model.keys.iter().collect::<Vec<_>>()
                )
            );
        }
    }
}
