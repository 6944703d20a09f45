//! The channel without a buffer: cases by hand, threads, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::block_on;
use weftwork_sync::channel::{self, Handover, Recv, Rendezvous, TryRecvError, TrySendError};
use weftwork_sync::primitive::thread;

#[test]
fn a_send_is_done_when_the_value_was_taken() {
    let (sender, receiver) = channel::rendezvous();
    let mut sending = Task::new(sender.send(1));
    assert!(sending.poll().is_pending());
    assert!(sending.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(sending.wakes(), 1);
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_receiver_that_waits_is_told_and_takes_the_value() {
    let (sender, receiver) = channel::rendezvous();
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending());
    let mut sending = Task::new(sender.send(1));
    assert!(sending.poll().is_pending(), "told is not taken");
    assert_eq!(receiving.wakes(), 1);
    assert_eq!(receiving.poll(), Poll::Ready(Ok(1)));
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
}

#[test]
fn try_send_needs_a_receiver_that_waits() {
    let (sender, receiver) = channel::rendezvous();
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending());
    assert_eq!(sender.try_send(2), Ok(()));
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(receiving.poll(), Poll::Ready(Ok(2)));
}

#[test]
fn kanal_50_a_value_handed_to_a_receiver_that_is_dropped_goes_to_the_next() {
    let (sender, receiver) = channel::rendezvous();
    let (mut first, mut second) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn a_value_handed_to_nobody_any_more_waits_for_the_next_receiver() {
    let (sender, receiver) = channel::rendezvous();
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending());
    assert_eq!(sender.try_send(1), Ok(()));
    drop(receiving);
    assert_eq!(receiver.len(), 1);
    sender.close();
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Closed)));
}

#[test]
fn a_send_that_is_dropped_takes_its_value_back_and_leaves_the_others_theirs() {
    let (sender, receiver) = channel::rendezvous();
    let mut sending: Vec<_> = (0..3).map(|n| Task::new(sender.send(n))).collect();
    assert!(sending.iter_mut().all(|task| task.poll().is_pending()));
    let mut middle = sending.remove(1);
    assert_eq!(middle.future().take_back(), Some(1));
    drop(middle);
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(0), Ok(2)));
    assert!(sending.iter_mut().all(|task| task.poll() == Poll::Ready(Ok(()))));
}

#[test]
fn a_send_that_was_taken_has_nothing_to_take_back() {
    let (sender, receiver) = channel::rendezvous();
    let mut sending = Task::new(sender.send(1));
    assert!(sending.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(sending.future().take_back(), None);
}

#[test]
fn closing_gives_waiting_senders_their_values_back() {
    let (sender, receiver) = channel::rendezvous();
    let mut sending: Vec<_> = (0..3).map(|n| Task::new(sender.send(n))).collect();
    assert!(sending.iter_mut().all(|task| task.poll().is_pending()));
    assert!(receiver.close() && !sender.close());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed), "what was not sent is not received");
    for (n, task) in sending.iter_mut().enumerate() {
        assert_eq!(task.wakes(), 1);
        assert_eq!(task.poll().map(|sent| sent.map_err(channel::SendError::into_inner)), Poll::Ready(Err(n)));
    }
    assert_eq!(block_on(sender.send(9)).map_err(channel::SendError::into_inner), Err(9));
    assert_eq!(sender.try_send(9), Err(TrySendError::Closed(9)));
}

#[test]
fn the_last_receiver_ends_the_wait_of_senders_and_drops_what_is_nobodys() {
    let (sender, receiver) = channel::rendezvous();
    let value = Rc::new(());
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending());
    assert!(sender.try_send(value.clone()).is_ok());
    let mut sending = Task::new(sender.send(value.clone()));
    assert!(sending.poll().is_pending());
    drop(receiving);
    drop(receiver);
    assert_eq!(Rc::strong_count(&value), 2, "the sender's own is left");
    assert!(matches!(sending.poll(), Poll::Ready(Err(_))));
}

#[test]
fn iroh_2536_a_cancelled_receiver_passes_its_notification_on() {
    let (sender, receiver) = channel::rendezvous();
    let (mut first, mut second) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    let mut sending = Task::new(sender.send(1));
    assert!(sending.poll().is_pending());
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn many_offers_are_taken_at_once() {
    let (sender, receiver) = channel::rendezvous();
    let mut sending: Vec<_> = (0..5).map(|n| Task::new(sender.send(n))).collect();
    assert!(sending.iter_mut().all(|task| task.poll().is_pending()));
    let mut got = vec![];
    assert_eq!(block_on(receiver.recv_many(&mut got, 3)), Ok(3));
    assert_eq!(got, [0, 1, 2]);
    assert_eq!(sending.iter().map(Task::wakes).collect::<Vec<_>>(), [1, 1, 1, 0, 0]);
}

#[test]
fn many_threads_lose_and_double_nothing() {
    let (sender, receiver) = channel::rendezvous();
    let senders: Vec<_> = (0..3u64)
        .map(|n| {
            let sender = sender.clone();
            let work = move || (0..300u64).for_each(|i| sender.blocking_send(n * 300 + i).unwrap());
            thread::spawn("sends".into(), work).unwrap()
        })
        .collect();
    drop(sender);
    let receivers: Vec<_> = (0..2)
        .map(|_| {
            let receiver = receiver.clone();
            let work = move || receiver.blocking_iter().collect::<Vec<_>>();
            thread::spawn("receives".into(), work).unwrap()
        })
        .collect();
    for sender in senders {
        sender.join().unwrap();
    }
    let mut all: Vec<_> = receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..900));
}

#[derive(Debug, Clone)]
enum Op {
    Send,
    PollSend(usize),
    DropSend(usize),
    TrySend,
    Recv,
    PollRecv(usize),
    DropRecv(usize),
    TryRecv,
    TryRecvMany(usize),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    let at = || 0..5usize;
    prop_oneof![
        8 => Just(Op::Send),
        6 => at().prop_map(Op::PollSend),
        3 => at().prop_map(Op::DropSend),
        5 => Just(Op::TrySend),
        8 => Just(Op::Recv),
        6 => at().prop_map(Op::PollRecv),
        3 => at().prop_map(Op::DropRecv),
        4 => Just(Op::TryRecv),
        2 => (1..4usize).prop_map(Op::TryRecvMany),
        1 => Just(Op::Close),
    ]
}

/// A value with a token beside it, whose count shows what was dropped.
type Counted = (u64, Rc<()>);

struct World<'a> {
    /// What can be taken, in order: the value, and whether a sender waits for that.
    offers: VecDeque<(u64, bool)>,
    closed: bool,
    senders: Vec<(u64, Task<Handover<'a, Counted>>)>,
    receivers: Vec<Task<Recv<'a, Counted, Rendezvous>>>,
}

impl World<'_> {
    fn received(&mut self, value: u64) {
        assert_eq!(self.offers.pop_front().map(|(offered, _)| offered), Some(value));
    }

    fn withdrawn(&mut self, value: u64) {
        self.offers.retain(|(offered, _)| *offered != value);
    }

    fn nobody_is_stranded(&self) {
        let woken = self.receivers.iter().filter(|task| task.wakes() > 0).count();
        assert!(woken >= self.offers.len().min(self.receivers.len()), "a receiver sleeps beside an offer");
        assert!(!self.closed || woken == self.receivers.len(), "a receiver sleeps at a closed channel");
        for (value, task) in &self.senders {
            let taken = self.closed || !self.offers.iter().any(|(offered, _)| offered == value);
            assert_eq!(task.wakes() > 0, taken, "a sender is woken when its value was taken, or never will be");
        }
    }
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..80)) {
        let (sender, receiver) = channel::rendezvous::<Counted>();
        let token = Rc::new(());
        let mut world = World { offers: VecDeque::new(), closed: false, senders: vec![], receivers: vec![] };
        for (value, op) in (0u64..).zip(ops) {
            match op {
                Op::Send => {
                    let mut task = Task::new(sender.send((value, token.clone())));
                    match task.poll() {
                        Poll::Ready(sent) => prop_assert!(sent.is_err() && world.closed),
                        Poll::Pending => {
                            prop_assert!(!world.closed);
                            world.offers.push_back((value, true));
                            world.senders.push((value, task));
                        }
                    }
                }
                Op::PollSend(at) if at < world.senders.len() => {
                    let (value, mut task) = world.senders.remove(at);
                    let offered = world.offers.iter().any(|(other, _)| *other == value);
                    match task.poll_as_another() {
                        Poll::Ready(Ok(())) => prop_assert!(!offered),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed),
                        Poll::Pending => {
                            prop_assert!(offered && !world.closed);
                            world.senders.insert(at, (value, task));
                        }
                    }
                }
                Op::DropSend(at) if at < world.senders.len() => {
                    let (value, _) = world.senders.remove(at);
                    world.withdrawn(value);
                }
                Op::TrySend => match sender.try_send((value, token.clone())) {
                    Ok(()) => {
                        prop_assert!(!world.closed && !world.receivers.is_empty());
                        world.offers.push_back((value, false));
                    }
                    Err(TrySendError::Closed(_)) => prop_assert!(world.closed),
                    Err(_) => {
                        // Whoever waits was told of something already.
                        prop_assert!(world.receivers.iter().all(|task| task.wakes() > 0));
                    }
                },
                Op::Recv | Op::PollRecv(_) => {
                    let (at, mut task) = match op {
                        Op::PollRecv(at) if at < world.receivers.len() => (at, world.receivers.remove(at)),
                        Op::Recv => (world.receivers.len(), Task::new(receiver.recv())),
                        _ => continue,
                    };
                    match task.poll_as_another() {
                        Poll::Ready(Ok((value, _))) => world.received(value),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed && world.offers.is_empty()),
                        Poll::Pending => {
                            prop_assert!(!world.closed && world.offers.is_empty());
                            world.receivers.insert(at, task);
                        }
                    }
                }
                Op::DropRecv(at) if at < world.receivers.len() => drop(world.receivers.remove(at)),
                Op::TryRecv => match receiver.try_recv() {
                    Ok((value, _)) => world.received(value),
                    Err(TryRecvError::Closed) => prop_assert!(world.closed && world.offers.is_empty()),
                    Err(_) => prop_assert!(!world.closed && world.offers.is_empty()),
                },
                Op::TryRecvMany(limit) => {
                    let mut got = vec![];
                    match receiver.try_recv_many(&mut got, limit) {
                        Ok(count) => prop_assert_eq!(count, limit.min(world.offers.len())),
                        Err(_) => prop_assert!(world.offers.is_empty()),
                    }
                    got.into_iter().for_each(|(value, _)| world.received(value));
                }
                Op::Close => {
                    prop_assert_eq!(receiver.close(), !world.closed);
                    world.closed = true;
                    world.offers.retain(|(_, waits)| !waits);
                }
                Op::PollSend(_) | Op::DropSend(_) | Op::DropRecv(_) => {}
            }
            world.nobody_is_stranded();
            prop_assert_eq!(receiver.len(), world.offers.iter().filter(|(_, waits)| !waits).count());
        }
        drop(world);
        drop(receiver);
        prop_assert_eq!(Rc::strong_count(&token), 1, "the last receiver drops the rest");
    }
}
