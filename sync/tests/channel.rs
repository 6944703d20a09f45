//! The channel: cases by hand, threads, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::channel::{self, Receiver, Recv, Send, Sender, TryRecvError, TrySendError};
use weftwork_sync::primitive::thread;
use weftwork_sync::{block_on, oneshot};

#[test]
fn values_arrive_in_order_for_every_capacity() {
    for capacity in (1..20).chain([64, 65]) {
        let (sender, receiver) = channel::bounded(capacity);
        for lap in 0..5 {
            for value in 0..capacity {
                assert_eq!(sender.len(), value);
                assert_eq!(sender.try_send(lap * capacity + value), Ok(()));
            }
            assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
            for value in 0..capacity {
                assert_eq!(receiver.try_recv(), Ok(lap * capacity + value));
            }
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        }
    }
}

#[test]
#[should_panic(expected = "use channel::rendezvous()")]
fn a_channel_without_a_buffer_names_the_fix() {
    let _ = channel::bounded::<u8>(0);
}

#[test]
fn a_sender_that_waits_is_woken_by_a_receive() {
    let (sender, receiver) = channel::bounded(1);
    assert_eq!(sender.try_send(1), Ok(()));
    let mut sending = Task::new(sender.send(2));
    assert!(sending.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(sending.wakes(), 1);
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn async_channel_45_a_sender_kept_and_never_polled_holds_nobody_back() {
    let (sender, receiver) = channel::bounded(2);
    assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
    let (mut kept, mut other) = (Task::new(sender.send(3)), Task::new(sender.send(4)));
    assert!(kept.poll().is_pending() && other.poll().is_pending());
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((kept.wakes(), other.wakes()), (1, 1));
    assert_eq!(other.poll(), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(4));
}

#[test]
fn async_channel_49_a_receiver_kept_and_never_polled_holds_nobody_back() {
    let (sender, receiver) = channel::bounded(2);
    let (mut kept, mut other) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(kept.poll().is_pending() && other.poll().is_pending());
    assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
    assert_eq!(other.poll(), Poll::Ready(Ok(1)));
    assert_eq!(kept.poll(), Poll::Ready(Ok(2)));
}

#[test]
fn iroh_2536_a_cancelled_receiver_passes_its_notification_on() {
    let (sender, receiver) = channel::bounded(1);
    let (mut first, mut second) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(sender.try_send(1), Ok(()));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn a_cancelled_sender_passes_its_notification_on_and_sends_nothing() {
    let (sender, receiver) = channel::bounded(1);
    assert_eq!(sender.try_send(0), Ok(()));
    let (mut first, mut second) = (Task::new(sender.send(1)), Task::new(sender.send(2)));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Poll::Ready(Ok(())));
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(2), Err(TryRecvError::Empty)));
}

#[test]
fn kanal_50_a_value_that_was_not_sent_comes_back() {
    let (sender, _receiver) = channel::bounded(1);
    assert_eq!(sender.try_send(0), Ok(()));
    let mut sending = Task::new(sender.send(1));
    assert!(sending.poll().is_pending());
    assert_eq!(sending.future().take_back(), Some(1));
}

#[test]
fn a_waiter_that_comes_too_late_keeps_its_turn() {
    let (sender, receiver) = channel::bounded(1);
    let (mut first, mut second) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(first.poll().is_pending());
    assert_eq!(sender.try_send(2), Ok(()));
    assert_eq!((first.wakes(), second.wakes()), (2, 0));
}

#[test]
fn flume_120_what_was_sent_is_received_before_the_end() {
    let (sender, receiver) = channel::bounded(2);
    assert_eq!(sender.try_send(1), Ok(()));
    drop(sender);
    assert_eq!(block_on(receiver.recv()), Ok(1));
    assert!(block_on(receiver.recv()).is_err());
}

#[test]
fn flume_140_polling_again_takes_no_second_place_in_the_queue() {
    let (_sender, receiver) = channel::bounded::<u8>(1);
    let mut waiting = Task::new(receiver.recv());
    for _ in 0..100 {
        assert!(waiting.poll().is_pending());
    }
    assert_eq!(waiting.wakers_held(), 1);
    assert!(format!("{receiver:?}").contains("waiting_receivers: 1"));
}

#[test]
fn tokio_8075_closing_wakes_all_who_wait() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    let mut receivers: Vec<_> = (0..3).map(|_| Task::new(receiver.recv())).collect();
    assert!(receivers.iter_mut().all(|task| task.poll().is_pending()));
    assert!(sender.close() && !sender.close());
    assert!(receivers.iter_mut().all(|task| task.wakes() == 1 && task.poll().is_ready()));
}

#[test]
fn tokio_8260_a_waiting_sender_dropped_after_close_leaves_no_receiver_asleep() {
    let (sender, receiver) = channel::bounded(1);
    assert_eq!(sender.try_send(1), Ok(()));
    let mut sending = Task::new(sender.send(2));
    assert!(sending.poll().is_pending());
    assert!(receiver.close());
    assert_eq!(receiver.try_recv(), Ok(1));
    let mut receiving = Task::new(receiver.recv());
    assert!(matches!(receiving.poll(), Poll::Ready(Err(_))));
    assert_eq!(sending.wakes(), 1);
    assert_eq!(sending.poll().map(|sent| sent.map_err(channel::SendError::into_inner)), Poll::Ready(Err(2)));
}

#[test]
fn tokio_8062_and_6603_len_never_leaves_its_bounds() {
    let (sender, receiver) = channel::bounded(3);
    let watched = receiver.clone();
    let sends = move || (0..20_000).for_each(|n| sender.blocking_send(n).unwrap());
    let sends = thread::spawn("sends".into(), sends).unwrap();
    let receives = move || while receiver.blocking_recv().is_ok() {};
    let receives = thread::spawn("receives".into(), receives).unwrap();
    while !watched.is_closed() {
        assert!(watched.len() <= 3);
    }
    sends.join().unwrap();
    receives.join().unwrap();
    assert!(watched.is_empty());
}

#[test]
fn the_last_receiver_drops_what_is_in_the_channel() {
    // Somebody may wait for what a message holds: here the answer's sender.
    let (sender, receiver) = channel::bounded(1);
    let (answer, answered) = oneshot::channel::<u8>();
    assert!(sender.try_send(answer).is_ok());
    drop(receiver);
    assert!(answered.blocking_recv().is_err());
    assert!(sender.is_closed());
}

#[test]
fn crossbeam_1187_values_are_dropped_once_when_the_ends_race() {
    for _ in 0..300 {
        let (sender, receiver) = channel::bounded(2);
        let other = thread::spawn("sends".into(), move || while sender.try_send(Box::new(1)).is_ok() {}).unwrap();
        let _ = receiver.try_recv();
        drop(receiver);
        other.join().unwrap();
    }
}

#[test]
fn many_threads_lose_and_double_nothing() {
    for capacity in [1, 2, 7, 64] {
        let (sender, receiver) = channel::bounded(capacity);
        let senders: Vec<_> = (0..3u64)
            .map(|n| {
                let sender = sender.clone();
                let work = move || (0..3_000u64).for_each(|i| sender.blocking_send(n * 3_000 + i).unwrap());
                thread::spawn("sends".into(), work).unwrap()
            })
            .collect();
        drop(sender);
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let receiver = receiver.clone();
                let work = move || std::iter::from_fn(|| receiver.blocking_recv().ok()).collect::<Vec<_>>();
                thread::spawn("receives".into(), work).unwrap()
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        let mut all: Vec<_> = receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..9_000), "capacity {capacity}");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Send,
    TrySend,
    PollSend(usize),
    DropSend(usize),
    Recv,
    TryRecv,
    PollRecv(usize),
    DropRecv(usize),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => Just(Op::Send),
        4 => Just(Op::TrySend),
        6 => (0..6usize).prop_map(Op::PollSend),
        3 => (0..6usize).prop_map(Op::DropSend),
        8 => Just(Op::Recv),
        4 => Just(Op::TryRecv),
        6 => (0..6usize).prop_map(Op::PollRecv),
        3 => (0..6usize).prop_map(Op::DropRecv),
        1 => Just(Op::Close),
    ]
}

/// A value with a token beside it, whose count shows what was dropped.
type Counted = (u64, Rc<()>);

/// What a channel is, in the fewest words, and the futures that wait at the real one.
struct World<'a> {
    queue: VecDeque<u64>,
    capacity: usize,
    closed: bool,
    senders: Vec<(u64, Task<Send<'a, Counted>>)>,
    receivers: Vec<Task<Recv<'a, Counted>>>,
}

impl World<'_> {
    fn sent(&mut self, value: u64) {
        assert!(!self.closed && self.queue.len() < self.capacity);
        self.queue.push_back(value);
    }

    fn received(&mut self, value: u64) {
        assert_eq!(self.queue.pop_front(), Some(value));
    }

    /// Nobody sleeps beside a value or a place: as many are woken as can go on.
    fn nobody_is_stranded(&self) {
        let woken = self.receivers.iter().filter(|task| task.wakes() > 0).count();
        assert!(woken >= self.queue.len().min(self.receivers.len()), "a receiver sleeps beside a value");
        assert!(!self.closed || woken == self.receivers.len(), "a receiver sleeps at a closed channel");
        let woken = self.senders.iter().filter(|(_, task)| task.wakes() > 0).count();
        let places = self.capacity - self.queue.len();
        assert!(self.closed || woken >= places.min(self.senders.len()), "a sender sleeps beside a place");
        assert!(!self.closed || woken == self.senders.len(), "a sender sleeps at a closed channel");
    }
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(capacity in 1..4usize, ops in prop::collection::vec(op(), 1..80)) {
        let (sender, receiver): (Sender<Counted>, Receiver<_>) = channel::bounded(capacity);
        let token = Rc::new(());
        let mut world =
            World { queue: VecDeque::new(), capacity, closed: false, senders: vec![], receivers: vec![] };
        for (value, op) in (0u64..).zip(ops) {
            match op {
                Op::Send => {
                    let mut task = Task::new(sender.send((value, token.clone())));
                    match task.poll() {
                        Poll::Ready(Ok(())) => world.sent(value),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed),
                        Poll::Pending => {
                            prop_assert!(!world.closed && world.queue.len() == capacity);
                            world.senders.push((value, task));
                        }
                    }
                }
                Op::TrySend => match sender.try_send((value, token.clone())) {
                    Ok(()) => world.sent(value),
                    Err(TrySendError::Closed(_)) => prop_assert!(world.closed),
                    Err(_) => prop_assert!(!world.closed && world.queue.len() == capacity),
                },
                Op::PollSend(at) if at < world.senders.len() => {
                    let (value, mut task) = world.senders.remove(at);
                    match task.poll_as_another() {
                        Poll::Ready(Ok(())) => world.sent(value),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed),
                        Poll::Pending => {
                            prop_assert!(!world.closed && world.queue.len() == capacity);
                            world.senders.insert(at, (value, task));
                        }
                    }
                }
                Op::DropSend(at) if at < world.senders.len() => drop(world.senders.remove(at)),
                Op::Recv => {
                    let mut task = Task::new(receiver.recv());
                    match task.poll() {
                        Poll::Ready(Ok((value, _))) => world.received(value),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed && world.queue.is_empty()),
                        Poll::Pending => {
                            prop_assert!(!world.closed && world.queue.is_empty());
                            world.receivers.push(task);
                        }
                    }
                }
                Op::TryRecv => match receiver.try_recv() {
                    Ok((value, _)) => world.received(value),
                    Err(TryRecvError::Closed) => prop_assert!(world.closed && world.queue.is_empty()),
                    Err(_) => prop_assert!(!world.closed && world.queue.is_empty()),
                },
                Op::PollRecv(at) if at < world.receivers.len() => {
                    let mut task = world.receivers.remove(at);
                    match task.poll_as_another() {
                        Poll::Ready(Ok((value, _))) => world.received(value),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed && world.queue.is_empty()),
                        Poll::Pending => {
                            prop_assert!(!world.closed && world.queue.is_empty());
                            world.receivers.insert(at, task);
                        }
                    }
                }
                Op::DropRecv(at) if at < world.receivers.len() => drop(world.receivers.remove(at)),
                Op::Close => {
                    prop_assert_eq!(receiver.close(), !world.closed);
                    world.closed = true;
                }
                Op::PollSend(_) | Op::DropSend(_) | Op::PollRecv(_) | Op::DropRecv(_) => {}
            }
            world.nobody_is_stranded();
            prop_assert_eq!(sender.len(), world.queue.len());
            prop_assert_eq!(Rc::strong_count(&token), 1 + world.queue.len() + world.senders.len());
        }
        drop(world);
        drop(receiver);
        prop_assert_eq!(Rc::strong_count(&token), 1, "the last receiver drops the rest");
    }
}
