//! The watched value: cases by hand, threads, random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the macros of proptest use the standard library's")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::watch::{self, Receiver, Sender};
use weftwork_sync::{block_on, coop};

#[test]
fn a_receiver_sees_the_newest_value_once() {
    let (sender, mut receiver) = watch::channel(0);
    assert!(Task::new(receiver.changed()).poll().is_pending(), "the first value counts as seen");
    assert!((1..4).all(|value| sender.send(value).is_ok()));
    assert_eq!(Task::new(receiver.changed()).poll(), Poll::Ready(Ok(())));
    assert_eq!(*receiver.borrow(), 3);
    assert!(Task::new(receiver.changed()).poll().is_pending());
}

#[test]
fn every_receiver_that_waits_is_woken_once() {
    let (sender, receiver) = watch::channel(0);
    let mut receivers: Vec<_> = (0..20).map(|_| receiver.clone()).collect();
    let mut tasks: Vec<_> = receivers.iter_mut().map(|receiver| Task::new(receiver.changed())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    drop(tasks.remove(7));
    assert!(sender.send(1).is_ok());
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll() == Poll::Ready(Ok(()))));
}

#[test]
fn a_clone_has_seen_what_the_original_has_and_a_subscriber_what_there_is() {
    let (sender, receiver) = watch::channel(0);
    assert!(sender.send(1).is_ok());
    assert_eq!(receiver.clone().has_changed(), Ok(true));
    assert_eq!(sender.subscribe().has_changed(), Ok(false));
    assert_eq!((sender.receiver_count(), sender.sender_count()), (1, 1));
}

#[test]
fn the_last_value_is_seen_before_the_end() {
    let (sender, mut receiver) = watch::channel(0);
    assert!(sender.send(1).is_ok());
    drop(sender);
    assert!(receiver.has_changed().is_err());
    assert_eq!(block_on(receiver.changed()), Ok(()));
    assert_eq!(*receiver.borrow(), 1);
    assert!(block_on(receiver.changed()).is_err());
}

#[test]
fn sending_to_nobody_gives_the_value_back_and_changes_nothing() {
    let sender = Sender::new(0);
    assert_eq!(sender.send(1).map_err(watch::SendError::into_inner), Err(1));
    assert_eq!(sender.send_replace(2), 0);
    sender.send_modify(|value| *value += 1);
    assert_eq!(*sender.subscribe().borrow(), 3);
}

#[test]
fn a_change_that_is_none_wakes_nobody() {
    let (sender, mut receiver) = watch::channel(0);
    let mut waiting = Task::new(receiver.changed());
    assert!(waiting.poll().is_pending());
    assert!(!sender.send_if_modified(|_| false));
    assert_eq!(waiting.wakes(), 0);
    assert!(sender.send_if_modified(|value| {
        *value = 1;
        true
    }));
    assert_eq!(waiting.wakes(), 1);
}

#[test]
fn a_panic_in_a_change_tells_nobody_and_poisons_nothing() {
    let (sender, mut receiver) = watch::channel(0);
    let mut waiting = Task::new(receiver.changed());
    assert!(waiting.poll().is_pending());
    let panics = || {
        sender.send_modify(|value| {
            *value = 9;
            panic!("planted")
        });
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!((waiting.wakes(), *sender.borrow()), (0, 9));
    assert!(sender.send(1).is_ok());
    assert_eq!(waiting.poll(), Poll::Ready(Ok(())));
}

#[test]
fn a_panic_in_the_test_of_a_wait_poisons_nothing() {
    let (sender, mut receiver) = watch::channel(0);
    let mut waiting = Task::new(receiver.wait_for(|_| panic!("planted")));
    assert!(catch_unwind(AssertUnwindSafe(|| waiting.poll().map(|_| ()))).is_err());
    drop(waiting);
    assert!(sender.send(1).is_ok());
    assert_eq!(*receiver.borrow(), 1);
}

#[test]
fn a_value_is_waited_for_until_it_passes() {
    let (sender, mut receiver) = watch::channel(0);
    let mut waiting = Task::new(receiver.wait_for(|value| *value >= 2));
    assert!(waiting.poll().is_pending());
    assert!(sender.send(1).is_ok());
    assert!(waiting.poll().is_pending());
    assert!(sender.send(2).is_ok());
    assert!(matches!(waiting.poll(), Poll::Ready(Ok(value)) if *value == 2 && value.has_changed()));
    drop(waiting);
    assert_eq!(receiver.has_changed(), Ok(false));
    assert!(sender.send(3).is_ok());
    drop(sender);
    assert_eq!(block_on(receiver.wait_for(|value| *value == 3)).map(|value| *value), Ok(3));
    assert!(block_on(receiver.wait_for(|value| *value == 4)).is_err());
}

#[test]
fn two_values_may_be_borrowed_at_a_time() {
    let (sender, receiver) = watch::channel(1);
    let (first, second) = (receiver.borrow(), sender.borrow());
    assert_eq!(*first, *second);
}

#[test]
fn the_old_value_is_dropped_where_it_may_come_back() {
    // Its drop borrows the new value: under the lock that would wait for ever.
    struct Looks(Option<Receiver<Option<Looks>>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            if let Some(receiver) = self.0.take() {
                assert!(receiver.borrow().is_none());
            }
        }
    }
    let (sender, receiver) = watch::channel(None);
    sender.send_replace(Some(Looks(Some(receiver.clone()))));
    assert!(sender.send(None).is_ok());
}

#[test]
fn what_was_marked_is_as_if_it_were_so() {
    let (sender, mut receiver) = watch::channel(0);
    receiver.mark_changed();
    assert!(receiver.borrow_and_update().has_changed());
    assert!(sender.send(1).is_ok());
    receiver.mark_unchanged();
    assert!(Task::new(receiver.changed()).poll().is_pending());
}

#[test]
fn the_sender_learns_that_nobody_watches() {
    let (sender, receiver) = watch::channel(0);
    let mut closed = Task::new(sender.closed());
    assert!(closed.poll().is_pending());
    drop(receiver);
    assert_eq!((closed.wakes(), closed.poll().is_ready()), (1, true));
    let _again = sender.subscribe();
    assert!(!sender.is_closed());
    assert!(Task::new(sender.closed()).poll().is_pending());
}

#[test]
fn a_change_wins_over_a_cancelled_region_and_spends_the_budget() {
    let (sender, mut receiver) = watch::channel(0);
    let mut waiting = Task::new(receiver.changed());
    assert!(waiting.poll().is_pending());
    assert!(sender.send(1).is_ok());
    coop::within(8, true, || assert!(waiting.poll().is_ready()));
    drop(waiting);
    coop::within(1, false, || {
        receiver.mark_changed();
        assert!(Task::new(receiver.changed()).poll().is_ready());
        receiver.mark_changed();
        assert!(Task::new(receiver.changed()).poll().is_pending());
    });
}

#[test]
fn tokio_3168_threads_see_the_last_of_many_changes() {
    let (sender, receiver) = watch::channel(0);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let mut receiver = receiver.clone();
            let work = move || {
                let mut newest = 0;
                while block_on(receiver.changed()).is_ok() {
                    let now = *receiver.borrow_and_update();
                    assert!(now > newest);
                    newest = now;
                }
                newest
            };
            thread::spawn("watches".into(), work).unwrap()
        })
        .collect();
    drop(receiver);
    for value in 1..=4_000 {
        sender.send_replace(value);
    }
    drop(sender);
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 4_000));
}

#[derive(Debug, Clone)]
enum Op {
    Send,
    Replace,
    Subscribe,
    Clone(usize),
    Look(usize),
    Update(usize),
    Change(usize),
    Wait(usize),
    Mark(usize),
    Drop(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let at = || 0..4usize;
    prop_oneof![
        4 => Just(Op::Send),
        2 => Just(Op::Replace),
        1 => Just(Op::Subscribe),
        1 => at().prop_map(Op::Clone),
        2 => at().prop_map(Op::Look),
        2 => at().prop_map(Op::Update),
        5 => at().prop_map(Op::Change),
        2 => at().prop_map(Op::Wait),
        1 => at().prop_map(Op::Mark),
        1 => at().prop_map(Op::Drop),
    ]
}

proptest! {
    /// The reference: a value that is the number of its version, and what each receiver has seen.
    #[test]
    fn it_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..80)) {
        let (sender, receiver) = watch::channel(0);
        let mut version = 0;
        let mut receivers: Vec<(Option<i32>, Receiver<i32>)> = vec![(Some(0), receiver)];
        for op in ops {
            match op {
                Op::Send => {
                    prop_assert_eq!(sender.send(version + 1).is_ok(), !receivers.is_empty());
                    version += i32::from(!receivers.is_empty());
                }
                Op::Replace => {
                    prop_assert_eq!(sender.send_replace(version + 1), version);
                    version += 1;
                }
                Op::Subscribe => receivers.push((Some(version), sender.subscribe())),
                Op::Clone(at) if at < receivers.len() => {
                    let (seen, receiver) = &receivers[at];
                    let clone = (*seen, receiver.clone());
                    receivers.push(clone);
                }
                Op::Look(at) if at < receivers.len() => {
                    let (seen, receiver) = &receivers[at];
                    let value = receiver.borrow();
                    prop_assert_eq!((*value, value.has_changed()), (version, *seen != Some(version)));
                }
                Op::Update(at) if at < receivers.len() => {
                    let (seen, receiver) = &mut receivers[at];
                    prop_assert_eq!(*receiver.borrow_and_update(), version);
                    *seen = Some(version);
                }
                Op::Change(at) if at < receivers.len() => {
                    let (seen, receiver) = &mut receivers[at];
                    prop_assert_eq!(Task::new(receiver.changed()).poll().is_ready(), *seen != Some(version));
                    *seen = Some(version);
                }
                Op::Wait(at) if at < receivers.len() => {
                    let (seen, receiver) = &mut receivers[at];
                    let mut waiting = Task::new(receiver.wait_for(|value| *value % 2 == 0));
                    let even = version % 2 == 0;
                    prop_assert_eq!(waiting.poll().is_ready(), even);
                    if !even {
                        prop_assert_eq!(sender.send_replace(version + 1), version);
                        version += 1;
                        prop_assert_eq!(waiting.wakes(), 1);
                        prop_assert!(waiting.poll_as_another().is_ready());
                    }
                    *seen = Some(version);
                }
                Op::Mark(at) if at < receivers.len() => {
                    let (seen, receiver) = &mut receivers[at];
                    receiver.mark_changed();
                    *seen = None;
                }
                Op::Drop(at) if at < receivers.len() => drop(receivers.remove(at)),
                _ => {}
            }
            prop_assert_eq!(sender.receiver_count(), receivers.len());
        }
        drop(sender);
        for (seen, mut receiver) in receivers {
            prop_assert_eq!(block_on(receiver.changed()).is_ok(), seen != Some(version));
            prop_assert!(block_on(receiver.changed()).is_err());
        }
    }
}
