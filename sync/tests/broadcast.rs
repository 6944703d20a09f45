//! The broadcast channel: cases by hand, threads, random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the macros of proptest use the standard library's")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::broadcast::{self, Receiver, RecvError, SendError, Sender, TryRecvError};
use weftwork_sync::primitive::thread;
use weftwork_sync::{block_on, coop};

#[test]
fn each_receiver_sees_each_value_in_order() {
    let (sender, mut first) = broadcast::channel(4);
    assert_eq!(sender.send(1), Ok(1));
    let mut second = sender.subscribe();
    assert_eq!(sender.send(2), Ok(2));
    assert_eq!((first.try_recv(), first.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((second.try_recv(), second.try_recv()), (Ok(2), Err(TryRecvError::Empty)));
    assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn who_lags_is_told_by_how_many_and_goes_on_with_the_oldest() {
    let (sender, mut receiver) = broadcast::channel(2);
    assert!((0..5).all(|value| sender.send(value).is_ok()));
    assert_eq!(receiver.len(), 5);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(3)));
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(3), Ok(4)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!((5..8).all(|value| sender.send(value).is_ok()));
    assert_eq!(block_on(receiver.recv()), Err(RecvError::Lagged(1)));
    assert_eq!(block_on(receiver.recv()), Ok(6));
}

#[test]
fn who_waits_is_woken_by_a_value_and_by_the_end() {
    let (sender, receiver) = broadcast::channel(2);
    let mut receivers: Vec<_> = (0..20).map(|_| receiver.resubscribe()).collect();
    {
        let mut tasks: Vec<_> = receivers.iter_mut().map(|receiver| Task::new(receiver.recv())).collect();
        assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
        drop(tasks.remove(3));
        assert_eq!(sender.send('a'), Ok(21));
        assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll() == Poll::Ready(Ok('a'))));
    }
    drop(receivers.remove(3));
    let mut tasks: Vec<_> = receivers.iter_mut().map(|receiver| Task::new(receiver.recv())).collect();
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    drop(sender);
    assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll() == Poll::Ready(Err(RecvError::Closed))));
}

#[test]
fn what_was_sent_is_received_before_the_end() {
    let (sender, mut receiver) = broadcast::channel(2);
    assert!(sender.send(1).is_ok());
    drop(sender);
    assert_eq!((block_on(receiver.recv()), block_on(receiver.recv())), (Ok(1), Err(RecvError::Closed)));
}

#[test]
fn tokio_4867_a_channel_that_nobody_received_from_can_be_received_from_again() {
    let (sender, receiver) = broadcast::channel(2);
    drop(receiver);
    assert_eq!(sender.send(1).map_err(SendError::into_inner), Err(1));
    let mut receiver = sender.subscribe();
    let mut waiting = Task::new(receiver.recv());
    assert!(waiting.poll().is_pending());
    assert_eq!(sender.send(2), Ok(1));
    assert_eq!((waiting.wakes(), waiting.poll()), (1, Poll::Ready(Ok(2))));
}

#[test]
fn tokio_7629_a_sender_made_without_a_receiver_is_closed_to_them() {
    let sender = Sender::<u8>::new(2);
    assert!(Task::new(sender.closed()).poll().is_ready());
    assert_eq!(sender.send(1).map_err(SendError::into_inner), Err(1));
    let receiver = sender.subscribe();
    let mut closed = Task::new(sender.closed());
    assert!(closed.poll().is_pending());
    drop(receiver);
    assert_eq!((closed.wakes(), closed.poll().is_ready()), (1, true));
}

#[test]
fn tokio_5923_each_of_many_waiters_is_woken_once_by_a_value() {
    let (sender, receiver) = broadcast::channel(2);
    let mut receivers: Vec<_> = (0..1_000).map(|_| receiver.resubscribe()).collect();
    for value in 0..10 {
        let mut tasks: Vec<_> = receivers.iter_mut().map(|receiver| Task::new(receiver.recv())).collect();
        assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
        assert_eq!(sender.send(value), Ok(1_001));
        assert!(tasks.iter_mut().all(|task| task.wakes() == 1 && task.poll() == Poll::Ready(Ok(value))));
    }
}

/// Counts its clones, and the values that there are.
struct Counted {
    clones: Rc<Cell<u32>>,
    _there: Rc<()>,
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.clones.set(self.clones.get() + 1);
        Self { clones: self.clones.clone(), _there: self._there.clone() }
    }
}

#[test]
fn the_last_receiver_gets_the_value_itself_and_none_is_kept() {
    let (sender, mut first) = broadcast::channel(4);
    let mut second = sender.subscribe();
    let (clones, there) = (Rc::new(Cell::new(0)), Rc::new(()));
    let value = || Counted { clones: clones.clone(), _there: there.clone() };
    assert!(sender.send(value()).is_ok() && sender.send(value()).is_ok());
    assert_eq!(sender.len(), 2);
    drop((first.try_recv(), second.try_recv()));
    assert_eq!((clones.get(), Rc::strong_count(&there), sender.len()), (1, 2, 1));
    drop(first.try_recv());
    drop(second);
    assert_eq!((clones.get(), Rc::strong_count(&there), sender.len()), (2, 1, 0));
    assert!(sender.send(value()).is_ok());
    drop(sender);
    drop(first);
    assert_eq!(Rc::strong_count(&there), 1);
}

#[test]
fn a_clone_that_panics_counts_as_received() {
    struct Panics(Rc<Cell<bool>>, Rc<()>);
    impl Clone for Panics {
        fn clone(&self) -> Self {
            assert!(!self.0.get(), "planted");
            Self(self.0.clone(), self.1.clone())
        }
    }
    let (sender, mut first) = broadcast::channel(4);
    let mut second = sender.subscribe();
    let (panics, there) = (Rc::new(Cell::new(true)), Rc::new(()));
    assert!(sender.send(Panics(panics.clone(), there.clone())).is_ok());
    assert!(catch_unwind(AssertUnwindSafe(|| first.try_recv().is_ok())).is_err());
    panics.set(false);
    assert_eq!(first.try_recv().err(), Some(TryRecvError::Empty));
    assert!(second.try_recv().is_ok());
    assert_eq!(Rc::strong_count(&there), 1);
}

#[test]
fn a_value_may_come_back_into_the_channel_when_it_is_cloned_or_dropped() {
    #[derive(Default)]
    struct Returns(Option<Rc<Sender<Returns>>>);
    impl Clone for Returns {
        fn clone(&self) -> Self {
            if let Some(sender) = &self.0 {
                assert!((0..9).all(|_| sender.send(Self(None)).is_ok()));
            }
            Self(None)
        }
    }
    impl Drop for Returns {
        fn drop(&mut self) {
            if let Some(sender) = self.0.take() {
                assert!(sender.subscribe().is_empty());
            }
        }
    }
    let (sender, mut first) = broadcast::channel(2);
    let sender = Rc::new(sender);
    let second = sender.subscribe();
    for _ in 0..3 {
        assert!(sender.send(Returns(Some(sender.clone()))).is_ok());
        while !matches!(first.try_recv(), Err(TryRecvError::Empty)) {}
    }
    assert!((0..3).all(|_| sender.send(Returns(Some(sender.clone()))).is_ok()));
    drop((first, second));
    assert_eq!(Rc::strong_count(&sender), 1);
}

#[test]
fn a_weak_sender_keeps_nothing_open() {
    let (sender, mut receiver) = broadcast::channel(2);
    let weak = sender.downgrade();
    let again = weak.upgrade().expect("a sender is there");
    drop(sender);
    assert!(!receiver.is_closed() && again.sender_count() == 1);
    assert!(again.send(1).is_ok());
    drop(again);
    assert!(receiver.is_closed() && weak.upgrade().is_none());
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
}

#[test]
fn a_value_wins_over_a_cancelled_region_and_spends_the_budget() {
    let (sender, mut receiver) = broadcast::channel(8);
    let mut waiting = Task::new(receiver.recv());
    assert!(waiting.poll().is_pending());
    assert!((0..4).all(|value| sender.send(value).is_ok()));
    coop::within(8, true, || assert_eq!(waiting.poll(), Poll::Ready(Ok(0))));
    drop(waiting);
    coop::within(2, false, || {
        assert_eq!(Task::new(receiver.recv()).poll(), Poll::Ready(Ok(1)));
        assert_eq!(Task::new(receiver.recv()).poll(), Poll::Ready(Ok(2)));
        assert!(Task::new(receiver.recv()).poll().is_pending());
    });
}

#[test]
#[should_panic(expected = "use 1 or more")]
fn a_channel_without_a_place_names_the_fix() {
    let _ = broadcast::channel::<u8>(0);
}

#[test]
fn rustsec_2025_0023_threads_receive_all_or_learn_what_they_missed() {
    for capacity in [1, 2, 16] {
        let (sender, receiver) = broadcast::channel(capacity);
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let mut receiver: Receiver<Box<(usize, u64)>> = receiver.resubscribe();
                let work = move || {
                    let mut next = [0_u64; 2];
                    let (mut received, mut missed) = (0, 0);
                    loop {
                        match receiver.blocking_recv() {
                            Ok(value) => {
                                let (from, number) = *value;
                                assert!(number >= next[from], "out of order");
                                next[from] = number + 1;
                                received += 1;
                            }
                            Err(RecvError::Lagged(count)) => missed += count,
                            Err(_) => return received + missed,
                        }
                    }
                };
                thread::spawn("receives".into(), work).unwrap()
            })
            .collect();
        drop(receiver);
        let senders: Vec<_> = (0..2_usize)
            .map(|from| {
                let sender = sender.clone();
                let work =
                    move || (0..2_000_u64).for_each(|number| assert!(sender.send(Box::new((from, number))).is_ok()));
                thread::spawn("sends".into(), work).unwrap()
            })
            .collect();
        drop(sender);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert!(receivers.into_iter().all(|receiver| receiver.join().unwrap() == 4_000), "capacity {capacity}");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Send,
    Subscribe,
    Resubscribe(usize),
    TryRecv(usize),
    Recv(usize),
    Drop(usize),
    Weak,
}

fn op() -> impl Strategy<Value = Op> {
    let at = || 0..4usize;
    prop_oneof![
        8 => Just(Op::Send),
        1 => Just(Op::Subscribe),
        1 => at().prop_map(Op::Resubscribe),
        6 => at().prop_map(Op::TryRecv),
        3 => at().prop_map(Op::Recv),
        1 => at().prop_map(Op::Drop),
        1 => Just(Op::Weak),
    ]
}

/// A value with a token beside it, whose count shows what is kept.
type Marked = (u64, Rc<()>);

proptest! {
    /// The reference: for each receiver the queue of what it has not received, cut to the capacity.
    #[test]
    fn it_behaves_as_the_reference(exponent in 0..3u32, ops in prop::collection::vec(op(), 1..100)) {
        let capacity = 2_usize.pow(exponent);
        let (sender, receiver): (Sender<Marked>, Receiver<Marked>) = broadcast::channel(capacity);
        let token = Rc::new(());
        let mut receivers = vec![(VecDeque::new(), 0_u64, receiver)];
        for (value, op) in (0_u64..).zip(ops) {
            match op {
                Op::Send => {
                    let sent = sender.send((value, token.clone()));
                    prop_assert_eq!(sent.map_err(|_| ()), if receivers.is_empty() { Err(()) } else { Ok(receivers.len()) });
                    for (queue, missed, _) in &mut receivers {
                        queue.push_back(value);
                        if queue.len() > capacity {
                            queue.pop_front();
                            *missed += 1;
                        }
                    }
                }
                Op::Subscribe => receivers.push((VecDeque::new(), 0, sender.subscribe())),
                Op::Resubscribe(at) if at < receivers.len() => {
                    let another = receivers[at].2.resubscribe();
                    receivers.push((VecDeque::new(), 0, another));
                }
                Op::TryRecv(at) if at < receivers.len() => {
                    let (queue, missed, receiver) = &mut receivers[at];
                    let received = receiver.try_recv().map(|value| value.0);
                    match (std::mem::take(missed), queue.front()) {
                        (0, None) => prop_assert_eq!(received, Err(TryRecvError::Empty)),
                        (0, Some(_)) => prop_assert_eq!(received.ok(), queue.pop_front()),
                        (missed, _) => prop_assert_eq!(received, Err(TryRecvError::Lagged(missed))),
                    }
                }
                Op::Recv(at) if at < receivers.len() => {
                    let (queue, missed, receiver) = &mut receivers[at];
                    let polled = Task::new(receiver.recv()).poll().map(|received| received.map(|value| value.0));
                    match (std::mem::take(missed), queue.front()) {
                        (0, None) => prop_assert!(polled.is_pending()),
                        (0, Some(_)) => prop_assert_eq!(polled.map(Result::ok), Poll::Ready(queue.pop_front())),
                        (missed, _) => prop_assert_eq!(polled, Poll::Ready(Err(RecvError::Lagged(missed)))),
                    }
                }
                Op::Drop(at) if at < receivers.len() => drop(receivers.remove(at)),
                Op::Weak => prop_assert!(sender.downgrade().upgrade().is_some()),
                _ => {}
            }
            let kept = receivers.iter().map(|(queue, ..)| queue.len()).max().unwrap_or(0);
            prop_assert_eq!(sender.len(), kept);
            prop_assert_eq!(Rc::strong_count(&token), 1 + kept);
            prop_assert_eq!(sender.receiver_count(), receivers.len());
            for (queue, missed, receiver) in &receivers {
                prop_assert_eq!(receiver.len() as u64, queue.len() as u64 + missed);
            }
        }
    }
}
