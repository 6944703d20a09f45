//! The unbounded channel: cases by hand, threads, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::channel::{self, Recv, RecvMany, TryRecvError, Unbounded};
use weftwork_sync::primitive::thread;
use weftwork_sync::{block_on, oneshot};

#[test]
fn values_arrive_in_order_over_many_blocks() {
    let (sender, receiver) = channel::unbounded();
    for burst in [1, 30, 31, 32, 33, 100, 1000] {
        for value in 0..burst {
            assert_eq!(sender.len(), value);
            assert!(sender.send(value).is_ok());
        }
        for value in 0..burst {
            assert_eq!(receiver.len(), burst - value);
            assert_eq!(receiver.try_recv(), Ok(value));
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn many_are_taken_at_once_across_blocks() {
    let (sender, receiver) = channel::unbounded();
    (0..100).for_each(|value| sender.send(value).unwrap());
    let mut got = vec![];
    assert_eq!(receiver.try_recv_many(&mut got, 40), Ok(40));
    assert_eq!(block_on(receiver.recv_many(&mut got, 1000)), Ok(60));
    assert!(got.iter().copied().eq(0..100));
    assert_eq!(receiver.try_recv_many(&mut got, 1), Err(TryRecvError::Empty));
    assert_eq!(block_on(receiver.recv_many(&mut got, 0)), Ok(0));
    drop(sender);
    assert!(block_on(receiver.recv_many(&mut got, 1)).is_err());
}

#[test]
fn a_receiver_that_waits_is_woken_by_a_send() {
    let (sender, receiver) = channel::unbounded();
    let (mut first, mut second) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert!(sender.send(1).is_ok());
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert!(sender.send(2).is_ok());
    assert_eq!(second.poll(), Poll::Ready(Ok(1)));
    assert_eq!(first.poll(), Poll::Ready(Ok(2)));
}

#[test]
fn iroh_2536_a_cancelled_receiver_passes_its_notification_on() {
    let (sender, receiver) = channel::unbounded();
    let (mut first, mut second) = (Task::new(receiver.recv()), Task::new(receiver.recv()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert!(sender.send(1).is_ok());
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn flume_120_what_was_sent_is_received_before_the_end() {
    let (sender, receiver) = channel::unbounded();
    assert!(sender.send(1).is_ok());
    drop(sender);
    assert_eq!(block_on(receiver.recv()), Ok(1));
    assert!(block_on(receiver.recv()).is_err());
}

#[test]
fn flume_182_polling_again_takes_no_second_place_in_the_queue() {
    let (_sender, receiver) = channel::unbounded::<u8>();
    let mut waiting = Task::new(receiver.recv());
    for _ in 0..100 {
        assert!(waiting.poll().is_pending());
    }
    assert_eq!(waiting.wakers_held(), 1);
    assert!(format!("{receiver:?}").contains("waiting_receivers: 1"));
}

#[test]
fn tokio_8075_closing_wakes_all_who_wait() {
    let (sender, receiver) = channel::unbounded::<u8>();
    let mut receivers: Vec<_> = (0..3).map(|_| Task::new(receiver.recv())).collect();
    assert!(receivers.iter_mut().all(|task| task.poll().is_pending()));
    assert!(sender.close() && !sender.close());
    assert_eq!(sender.send(1).map_err(channel::SendError::into_inner), Err(1));
    assert!(receivers.iter_mut().all(|task| task.wakes() == 1 && task.poll().is_ready()));
}

#[test]
fn tokio_8062_and_6603_len_never_leaves_its_bounds() {
    let (sender, receiver) = channel::unbounded();
    let watched = receiver.clone();
    let sends = move || (0..20_000).for_each(|n| sender.send(n).unwrap());
    let sends = thread::spawn("sends".into(), sends).unwrap();
    let receives = move || while receiver.blocking_recv().is_ok() {};
    let receives = thread::spawn("receives".into(), receives).unwrap();
    while !watched.is_closed() {
        assert!(watched.len() <= 20_000);
    }
    sends.join().unwrap();
    receives.join().unwrap();
    assert!(watched.is_empty());
}

#[test]
fn the_last_receiver_drops_what_is_in_the_channel() {
    let (sender, receiver) = channel::unbounded();
    let (answer, answered) = oneshot::channel::<u8>();
    assert!(sender.send(answer).is_ok());
    drop(receiver);
    assert!(answered.blocking_recv().is_err());
    assert!(sender.is_closed());
}

#[test]
fn crossbeam_1187_rustsec_2025_0024_values_are_dropped_once_when_the_ends_race() {
    for _ in 0..300 {
        let (sender, receiver) = channel::unbounded();
        let other = thread::spawn("sends".into(), move || while sender.send(Box::new(1)).is_ok() {}).unwrap();
        let _ = receiver.try_recv();
        drop(receiver);
        other.join().unwrap();
    }
}

#[test]
fn crossbeam_972_values_in_blocks_that_are_just_hung_on_are_not_lost() {
    // Enough senders that blocks are hung on while others push, and receivers that are at their heels.
    let (sender, receiver) = channel::unbounded();
    let senders: Vec<_> = (0..3u64)
        .map(|n| {
            let sender = sender.clone();
            let work = move || (0..3_000u64).for_each(|i| sender.send(n * 3_000 + i).unwrap());
            thread::spawn("sends".into(), work).unwrap()
        })
        .collect();
    drop(sender);
    let receivers: Vec<_> = (0..3)
        .map(|n| {
            let receiver = receiver.clone();
            let work = move || {
                let mut got = vec![];
                match n {
                    0 => while block_on(receiver.recv_many(&mut got, 50)).is_ok() {},
                    _ => got.extend(receiver.blocking_iter()),
                }
                got
            };
            thread::spawn("receives".into(), work).unwrap()
        })
        .collect();
    for sender in senders {
        sender.join().unwrap();
    }
    let mut all: Vec<_> = receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..9_000));
}

#[test]
fn rustsec_2022_0019_values_that_must_not_be_zero_pass() {
    let (sender, receiver) = channel::unbounded::<(&'static str, std::num::NonZeroU8, Box<u8>)>();
    for n in 1..=100 {
        assert!(sender.send(("a", std::num::NonZeroU8::new(n).unwrap(), Box::new(n))).is_ok());
    }
    assert!((1..=100).all(|n| receiver.try_recv().is_ok_and(|(_, m, boxed)| m.get() == n && *boxed == n)));
}

#[derive(Debug, Clone)]
enum Op {
    Send(usize),
    TryRecv,
    TryRecvMany(usize),
    Recv,
    PollRecv(usize),
    DropRecv(usize),
    CloneSender,
    DropSender,
    Upgrade,
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1..40usize).prop_map(Op::Send),
        6 => Just(Op::TryRecv),
        4 => (1..60usize).prop_map(Op::TryRecvMany),
        8 => Just(Op::Recv),
        8 => (0..6usize).prop_map(Op::PollRecv),
        3 => (0..6usize).prop_map(Op::DropRecv),
        2 => Just(Op::CloneSender),
        2 => Just(Op::DropSender),
        2 => Just(Op::Upgrade),
        1 => Just(Op::Close),
    ]
}

/// A value with a token beside it, whose count shows what was dropped.
type Counted = (u64, Rc<()>);

proptest! {
    #[test]
    fn it_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..60)) {
        let (sender, receiver) = channel::unbounded::<Counted>();
        let token = Rc::new(());
        let weak = sender.downgrade();
        let mut senders = vec![sender];
        let mut queue = VecDeque::new();
        let mut waiting: Vec<Task<Recv<'_, Counted, Unbounded>>> = vec![];
        let mut closed = false;
        let mut next = 0;
        for op in ops {
            match op {
                Op::Send(count) => {
                    for _ in 0..count {
                        next += 1;
                        match senders.first().map(|sender| sender.send((next, token.clone()))) {
                            Some(Ok(())) => queue.push_back(next),
                            Some(Err(_)) => prop_assert!(closed),
                            None => {}
                        }
                    }
                }
                Op::TryRecv => match receiver.try_recv() {
                    Ok((value, _)) => prop_assert_eq!(Some(value), queue.pop_front()),
                    Err(TryRecvError::Closed) => prop_assert!(closed && queue.is_empty()),
                    Err(_) => prop_assert!(!closed && queue.is_empty()),
                },
                Op::TryRecvMany(limit) => {
                    let mut got = vec![];
                    match receiver.try_recv_many(&mut got, limit) {
                        Ok(count) => prop_assert_eq!(count, limit.min(queue.len())),
                        Err(_) => prop_assert!(queue.is_empty()),
                    }
                    for (value, _) in got {
                        prop_assert_eq!(Some(value), queue.pop_front());
                    }
                }
                Op::Recv | Op::PollRecv(_) => {
                    let (at, mut task) = match op {
                        Op::PollRecv(at) if at < waiting.len() => (at, waiting.remove(at)),
                        Op::Recv => (waiting.len(), Task::new(receiver.recv())),
                        _ => continue,
                    };
                    match task.poll_as_another() {
                        Poll::Ready(Ok((value, _))) => prop_assert_eq!(Some(value), queue.pop_front()),
                        Poll::Ready(Err(_)) => prop_assert!(closed && queue.is_empty()),
                        Poll::Pending => {
                            prop_assert!(!closed && queue.is_empty());
                            waiting.insert(at, task);
                        }
                    }
                }
                Op::DropRecv(at) if at < waiting.len() => drop(waiting.remove(at)),
                Op::DropRecv(_) => {}
                Op::CloneSender => senders.extend(senders.first().cloned()),
                Op::DropSender => {
                    drop(senders.pop());
                    closed |= senders.is_empty();
                }
                Op::Upgrade => match weak.upgrade() {
                    Some(sender) => senders.push(sender),
                    None => prop_assert!(senders.is_empty() && closed),
                },
                Op::Close => {
                    prop_assert_eq!(receiver.close(), !closed);
                    closed = true;
                }
            }
            let woken = waiting.iter().filter(|task| task.wakes() > 0).count();
            prop_assert!(woken >= queue.len().min(waiting.len()), "a receiver sleeps beside a value");
            prop_assert!(!closed || woken == waiting.len(), "a receiver sleeps at a closed channel");
            prop_assert_eq!(receiver.len(), queue.len());
            prop_assert_eq!(receiver.sender_count(), senders.len());
            prop_assert_eq!(Rc::strong_count(&token), 1 + queue.len());
        }
        drop(waiting);
        drop(receiver);
        prop_assert_eq!(Rc::strong_count(&token), 1, "the last receiver drops the rest");
    }
}

#[test]
fn many_that_are_waited_for_come_when_one_is_sent() {
    let (sender, receiver) = channel::unbounded();
    let mut got = vec![];
    {
        let mut waiting: Task<RecvMany<'_, u8, Unbounded>> = Task::new(receiver.recv_many(&mut got, 10));
        assert!(waiting.poll().is_pending());
        assert!(sender.send(1).is_ok() && sender.send(2).is_ok());
        assert_eq!(waiting.poll(), Poll::Ready(Ok(2)));
    }
    assert_eq!(got, [1, 2]);
}
