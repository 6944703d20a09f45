//! Permits: room that is set aside. Cases by hand, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::block_on;
use weftwork_sync::channel::{
    self, Permit, Permits, Receiver, Recv, Reserve, ReserveError, ReserveMany, Send, Sender, TryRecvError, TrySendError,
};
use weftwork_sync::primitive::thread;

#[test]
fn a_permit_keeps_others_out_and_lets_its_value_in() {
    let (sender, receiver) = channel::bounded(2);
    let permit = sender.try_reserve().unwrap();
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert!(sender.is_full() && sender.len() == 1);
    permit.send(3);
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(3)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn values_arrive_in_the_order_of_sending_whoever_reserved_first() {
    let (sender, receiver) = channel::bounded(3);
    let (first, second) = (sender.try_reserve().unwrap(), sender.try_reserve().unwrap());
    second.send("second");
    assert_eq!(sender.try_send("past both"), Ok(()));
    first.send("first");
    let got: Vec<_> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    assert_eq!(got, ["second", "past both", "first"]);
}

#[test]
fn permits_go_round_every_capacity_for_many_laps() {
    for capacity in (1..10).chain([16, 17, 64, 65]) {
        let (sender, receiver) = channel::bounded(capacity);
        for lap in 0..20 {
            let held = lap % (capacity + 1);
            let permits = sender.try_reserve_many(held).unwrap();
            for value in held..capacity {
                assert_eq!(sender.try_send(value), Ok(()), "capacity {capacity} lap {lap}");
            }
            assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
            assert_eq!(sender.try_reserve().map(drop), Err(TrySendError::Full(())));
            assert!(sender.is_full());
            for permit in permits {
                permit.send(0);
            }
            assert_eq!(std::iter::from_fn(|| receiver.try_recv().ok()).count(), capacity);
            // A different start for the next lap.
            assert!(sender.try_send(0).is_ok() && receiver.try_recv().is_ok());
        }
    }
}

#[test]
fn a_permit_that_is_dropped_gives_its_room_to_who_waits() {
    let (sender, receiver) = channel::bounded(1);
    let permit = sender.try_reserve().unwrap();
    let mut sending = Task::new(sender.send(1));
    let mut reserving = Task::new(sender.reserve());
    assert!(sending.poll().is_pending() && reserving.poll().is_pending());
    drop(permit);
    assert_eq!((sending.wakes(), reserving.wakes()), (1, 0));
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(reserving.wakes(), 1);
    assert!(matches!(reserving.poll(), Poll::Ready(Ok(_))));
}

#[test]
fn permits_that_are_dropped_together_wake_as_many() {
    let (sender, _receiver) = channel::bounded(3);
    let mut permits = sender.try_reserve_many(3).unwrap();
    let first = permits.next();
    let mut sending: Vec<_> = (0..3).map(|n| Task::new(sender.send(n))).collect();
    assert!(sending.iter_mut().all(|task| task.poll().is_pending()));
    drop(permits);
    assert_eq!(sending.iter().map(Task::wakes).collect::<Vec<_>>(), [1, 1, 0]);
    drop(first);
    assert!(sending.iter_mut().all(|task| task.poll() == Poll::Ready(Ok(()))));
}

#[test]
fn a_reserve_that_was_told_and_is_dropped_tells_the_next() {
    let (sender, receiver) = channel::bounded(1);
    assert_eq!(sender.try_send(1), Ok(()));
    let (mut first, mut second) = (Task::new(sender.reserve()), Task::new(sender.reserve()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_ready());
}

#[test]
fn tokio_2854_a_permit_that_is_dropped_after_close_wakes_the_receiver() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    let permit = sender.try_reserve().unwrap();
    receiver.close();
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending(), "the permit may still bring something");
    drop(permit);
    assert_eq!(receiving.wakes(), 1);
    assert!(matches!(receiving.poll(), Poll::Ready(Err(_))));
}

#[test]
fn tokio_3215_an_owned_permit_is_the_last_that_keeps_the_channel_open() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    let permit = block_on(sender.reserve_owned()).unwrap();
    let mut receivers = [Task::new(receiver.recv()), Task::new(receiver.recv())];
    assert!(receivers.iter_mut().all(|task| task.poll().is_pending()));
    drop(permit);
    assert!(receivers.iter_mut().all(|task| task.wakes() == 1 && matches!(task.poll(), Poll::Ready(Err(_)))));
}

#[test]
fn tokio_8075_permits_that_are_dropped_out_of_an_iterator_wake_the_receiver() {
    let (sender, receiver) = channel::bounded::<u8>(3);
    let permits = block_on(sender.reserve_many(3)).unwrap();
    receiver.close();
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending());
    drop(permits);
    assert_eq!(receiving.wakes(), 1);
    assert!(receiving.poll().is_ready());
}

#[test]
fn tokio_8260_a_gathering_that_is_dropped_after_close_wakes_the_receiver() {
    let (sender, receiver) = channel::bounded(2);
    assert_eq!(sender.try_send(1), Ok(()));
    let mut gathering = Task::new(sender.reserve_many(2));
    assert!(gathering.poll().is_pending(), "it has one place and wants two");
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));
    let mut receiving = Task::new(receiver.recv());
    assert!(receiving.poll().is_pending(), "the place may still bring something");
    assert_eq!(gathering.wakes(), 1);
    drop(gathering);
    assert_eq!(receiving.wakes(), 1);
    assert!(receiving.poll().is_ready());
}

#[test]
fn a_permit_sends_after_close_and_the_news_goes_round() {
    let (sender, receiver) = channel::bounded(2);
    let (first, second) = (sender.try_reserve().unwrap(), sender.try_reserve().unwrap());
    receiver.close();
    assert_eq!(sender.try_send(0), Err(TrySendError::Closed(0)));
    assert_eq!(sender.try_reserve().map(drop), Err(TrySendError::Closed(())));
    let mut receivers: Vec<_> = (0..4).map(|_| Task::new(receiver.recv())).collect();
    assert!(receivers.iter_mut().all(|task| task.poll().is_pending()));
    first.send(1);
    second.send(2);
    let mut got = vec![];
    while let Some(at) = receivers.iter().position(|task| task.wakes() > 0) {
        match receivers.remove(at).poll() {
            Poll::Ready(received) => got.push(received.ok()),
            Poll::Pending => panic!("told for nothing"),
        }
    }
    assert_eq!(got.len(), 4, "everybody hears of the end");
    assert_eq!(got.into_iter().flatten().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_permit_that_sends_when_the_receivers_are_gone_drops_the_value_at_once() {
    let (sender, receiver) = channel::bounded(1);
    let value = Rc::new(());
    let permit = sender.try_reserve().unwrap();
    drop(receiver);
    permit.send(value.clone());
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn a_permit_that_is_forgotten_is_room_that_is_lost_and_nothing_else() {
    let (sender, receiver) = channel::bounded(2);
    std::mem::forget(sender.try_reserve().unwrap());
    for value in 0..5 {
        assert_eq!(sender.try_send(value), Ok(()));
        assert_eq!(sender.try_send(value), Err(TrySendError::Full(value)));
        assert_eq!(receiver.try_recv(), Ok(value));
    }
}

#[test]
fn two_who_gather_take_turns() {
    let (sender, receiver) = channel::bounded(2);
    assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
    let (mut first, mut second) = (Task::new(sender.reserve_many(2)), Task::new(sender.reserve_many(2)));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert_eq!(receiver.try_recv(), Ok(2));
    let Poll::Ready(Ok(permits)) = first.poll() else { panic!("both places are free") };
    assert!(second.poll().is_pending(), "the turn is its own, the places are not free");
    assert_eq!(permits.len(), 2);
    drop(permits);
    assert!(second.wakes() > 0);
    assert!(matches!(second.poll(), Poll::Ready(Ok(_))));
}

#[test]
fn who_gathers_is_not_starved_by_those_who_send_one() {
    let (sender, receiver) = channel::bounded(3);
    for value in 0..3 {
        assert!(sender.try_send(value).is_ok());
    }
    let mut gathering = Task::new(sender.reserve_many(3));
    assert!(gathering.poll().is_pending());
    for _ in 0..3 {
        assert!(receiver.try_recv().is_ok());
        // It is polled before the next comes along.
        if gathering.poll().is_ready() {
            return;
        }
        let _ = sender.try_send(9);
    }
    panic!("three places got free and it has not got them");
}

#[test]
fn a_gathering_that_is_dropped_gives_back_what_it_has_and_the_turn() {
    let (sender, _receiver) = channel::bounded(2);
    assert!(sender.try_send(1).is_ok());
    let (mut first, mut second) = (Task::new(sender.reserve_many(2)), Task::new(sender.reserve_many(2)));
    let mut sending = Task::new(sender.send(2));
    assert!(first.poll().is_pending() && second.poll().is_pending() && sending.poll().is_pending());
    drop(first);
    assert_eq!((second.wakes(), sending.wakes()), (1, 1));
    assert_eq!(sending.poll(), Poll::Ready(Ok(())));
    assert!(second.poll().is_pending());
}

#[test]
fn closing_tells_who_gathers_and_who_waits_for_the_turn() {
    let (sender, receiver) = channel::bounded(1);
    assert!(sender.try_send(1).is_ok());
    let mut gathering: Vec<_> = (0..3).map(|_| Task::new(sender.reserve_many(1))).collect();
    assert!(gathering.iter_mut().all(|task| task.poll().is_pending()));
    receiver.close();
    for task in &mut gathering {
        assert_eq!(task.wakes(), 1);
        assert!(matches!(task.poll(), Poll::Ready(Err(ReserveError::Closed))));
    }
}

#[test]
fn more_than_fit_are_refused_and_none_is_given_at_once() {
    let (sender, receiver) = channel::bounded::<u8>(2);
    assert!(matches!(block_on(sender.reserve_many(3)), Err(ReserveError::TooMany { capacity: 2, .. })));
    assert_eq!(block_on(sender.reserve_many(0)).unwrap().len(), 0);
    assert_eq!(sender.try_reserve_many(3).map(drop), Err(TrySendError::Full(())));
    receiver.close();
    assert!(matches!(block_on(sender.reserve_many(0)), Err(ReserveError::Closed)));
    assert_eq!(sender.try_reserve_many(0).map(drop), Err(TrySendError::Closed(())));
}

#[test]
fn threads_that_reserve_send_and_change_their_minds_lose_nothing() {
    for capacity in [1, 2, 5, 33] {
        let (sender, receiver) = channel::bounded(capacity);
        let senders: Vec<_> = (0..3_usize)
            .map(|n| {
                let sender = sender.clone();
                let work = move || {
                    for i in 0..200 {
                        match (n + i) % 4 {
                            0 => sender.blocking_send(1).unwrap(),
                            1 => block_on(sender.reserve()).unwrap().send(1),
                            2 => {
                                drop(block_on(sender.reserve()).unwrap());
                                block_on(sender.reserve()).unwrap().send(1);
                            }
                            _ => {
                                let permits = block_on(sender.reserve_many(capacity.min(3))).unwrap();
                                permits.take(1).for_each(|permit| permit.send(1));
                            }
                        }
                    }
                };
                thread::spawn("sends".into(), work).unwrap()
            })
            .collect();
        drop(sender);
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let receiver = receiver.clone();
                let work = move || std::iter::from_fn(|| receiver.blocking_recv().ok()).sum::<usize>();
                thread::spawn("receives".into(), work).unwrap()
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        let sum: usize = receivers.into_iter().map(|receiver| receiver.join().unwrap()).sum();
        assert_eq!(sum, 600, "capacity {capacity}");
    }
}

#[derive(Debug, Clone)]
enum Op {
    TrySend,
    Send,
    PollSend(usize),
    DropSend(usize),
    TryReserve,
    Reserve,
    PollReserve(usize),
    DropReserve(usize),
    TryReserveMany(usize),
    ReserveMany(usize),
    PollMany(usize),
    DropMany(usize),
    UsePermit(usize),
    DropPermit(usize),
    TryRecv,
    RecvMany(usize),
    Recv,
    PollRecv(usize),
    DropRecv(usize),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    let at = || 0..4usize;
    prop_oneof![
        3 => Just(Op::TrySend),
        3 => Just(Op::Send),
        4 => at().prop_map(Op::PollSend),
        2 => at().prop_map(Op::DropSend),
        4 => Just(Op::TryReserve),
        4 => Just(Op::Reserve),
        4 => at().prop_map(Op::PollReserve),
        2 => at().prop_map(Op::DropReserve),
        2 => (1..4usize).prop_map(Op::TryReserveMany),
        3 => (1..4usize).prop_map(Op::ReserveMany),
        4 => at().prop_map(Op::PollMany),
        2 => at().prop_map(Op::DropMany),
        6 => at().prop_map(Op::UsePermit),
        5 => at().prop_map(Op::DropPermit),
        5 => Just(Op::TryRecv),
        3 => (1..4usize).prop_map(Op::RecvMany),
        4 => Just(Op::Recv),
        4 => at().prop_map(Op::PollRecv),
        2 => at().prop_map(Op::DropRecv),
        1 => Just(Op::Close),
    ]
}

/// A value with a token beside it, whose count shows what was dropped.
type Counted = (u64, Rc<()>);

/// What the channel is in the fewest words, and what waits at or was got from the real one.
struct World<'a> {
    queue: VecDeque<u64>,
    capacity: usize,
    closed: bool,
    permits: Vec<Permit<'a, Counted>>,
    senders: Vec<(u64, Task<Send<'a, Counted>>)>,
    reserving: Vec<Task<Reserve<'a, Counted>>>,
    gathering: Vec<Task<ReserveMany<'a, Counted>>>,
    receivers: Vec<Task<Recv<'a, Counted>>>,
}

impl<'a> World<'a> {
    /// Places that hold nothing and are in no permit. Those who gather have some, in part.
    fn room(&self) -> usize {
        self.capacity - self.queue.len() - self.permits.len()
    }

    fn sent(&mut self, value: u64) {
        assert!(!self.closed && self.room() > 0);
        self.queue.push_back(value);
    }

    fn received(&mut self, value: u64) {
        assert_eq!(self.queue.pop_front(), Some(value));
    }

    fn reserved(&mut self, permits: impl IntoIterator<Item = Permit<'a, Counted>>) {
        assert!(!self.closed);
        self.permits.extend(permits);
        assert!(self.queue.len() + self.permits.len() <= self.capacity);
    }

    fn gathered(&mut self, permits: Permits<'a, Counted>) {
        self.reserved(permits);
    }

    /// Whether a refusal for want of room is right. What somebody gathers meanwhile is not known here.
    fn refused(&self, wanted: usize) {
        assert!(!self.closed && (self.room() < wanted || !self.gathering.is_empty()));
    }

    fn nobody_is_stranded(&self) {
        let woken = self.receivers.iter().filter(|task| task.wakes() > 0).count();
        assert!(woken >= self.queue.len().min(self.receivers.len()), "a receiver sleeps beside a value");
        if self.closed {
            let ended = self.queue.is_empty() && self.permits.is_empty() && self.gathering.is_empty();
            // Whoever was told of a value that another took passes the news on when it is polled.
            assert!(!ended || woken > 0 || self.receivers.is_empty(), "the receivers sleep at the end");
            assert!(self.senders.iter().all(|(_, task)| task.wakes() > 0));
            assert!(self.reserving.iter().all(|task| task.wakes() > 0));
            assert!(self.gathering.iter().all(|task| task.wakes() > 0));
        } else if self.gathering.is_empty() {
            let waiting = self.senders.len() + self.reserving.len();
            let woken = self.senders.iter().filter(|(_, task)| task.wakes() > 0).count()
                + self.reserving.iter().filter(|task| task.wakes() > 0).count();
            assert!(woken >= self.room().min(waiting), "a sender sleeps beside a place");
        } else {
            let anybody = self.senders.iter().any(|(_, task)| task.wakes() > 0)
                || self.reserving.iter().any(|task| task.wakes() > 0)
                || self.gathering.iter().any(|task| task.wakes() > 0);
            // Those who gather have at most what one of them wants, less one.
            assert!(self.room() < 3 || anybody, "everybody sleeps beside an empty channel");
        }
    }
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(capacity in 1..5usize, ops in prop::collection::vec(op(), 1..80)) {
        let (sender, receiver): (Sender<Counted>, Receiver<_>) = channel::bounded(capacity);
        let token = Rc::new(());
        let mut world = World {
            queue: VecDeque::new(),
            capacity,
            closed: false,
            permits: vec![],
            senders: vec![],
            reserving: vec![],
            gathering: vec![],
            receivers: vec![],
        };
        for (value, op) in (0u64..).zip(ops) {
            match op {
                Op::TrySend => match sender.try_send((value, token.clone())) {
                    Ok(()) => world.sent(value),
                    Err(TrySendError::Closed(_)) => prop_assert!(world.closed),
                    Err(_) => world.refused(1),
                },
                Op::Send | Op::PollSend(_) => {
                    let (at, value, mut task) = match op {
                        Op::PollSend(at) if at < world.senders.len() => {
                            let (value, task) = world.senders.remove(at);
                            (at, value, task)
                        }
                        Op::Send => (world.senders.len(), value, Task::new(sender.send((value, token.clone())))),
                        _ => continue,
                    };
                    match task.poll_as_another() {
                        Poll::Ready(Ok(())) => world.sent(value),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed),
                        Poll::Pending => {
                            world.refused(1);
                            world.senders.insert(at, (value, task));
                        }
                    }
                }
                Op::DropSend(at) if at < world.senders.len() => drop(world.senders.remove(at)),
                Op::TryReserve => match sender.try_reserve() {
                    Ok(permit) => world.reserved([permit]),
                    Err(TrySendError::Closed(())) => prop_assert!(world.closed),
                    Err(_) => world.refused(1),
                },
                Op::Reserve | Op::PollReserve(_) => {
                    let (at, mut task) = match op {
                        Op::PollReserve(at) if at < world.reserving.len() => (at, world.reserving.remove(at)),
                        Op::Reserve => (world.reserving.len(), Task::new(sender.reserve())),
                        _ => continue,
                    };
                    match task.poll_as_another() {
                        Poll::Ready(Ok(permit)) => world.reserved([permit]),
                        Poll::Ready(Err(_)) => prop_assert!(world.closed),
                        Poll::Pending => {
                            world.refused(1);
                            world.reserving.insert(at, task);
                        }
                    }
                }
                Op::DropReserve(at) if at < world.reserving.len() => drop(world.reserving.remove(at)),
                Op::TryReserveMany(count) => match sender.try_reserve_many(count) {
                    Ok(permits) => world.gathered(permits),
                    Err(TrySendError::Closed(())) => prop_assert!(world.closed),
                    Err(_) => world.refused(count),
                },
                Op::ReserveMany(_) | Op::PollMany(_) => {
                    let (at, mut task) = match op {
                        Op::PollMany(at) if at < world.gathering.len() => (at, world.gathering.remove(at)),
                        Op::ReserveMany(count) => (world.gathering.len(), Task::new(sender.reserve_many(count))),
                        _ => continue,
                    };
                    match task.poll_as_another() {
                        Poll::Ready(Ok(permits)) => world.gathered(permits),
                        Poll::Ready(Err(ReserveError::Closed)) => prop_assert!(world.closed),
                        Poll::Ready(Err(_)) => {}
                        Poll::Pending => world.gathering.insert(at, task),
                    }
                }
                Op::DropMany(at) if at < world.gathering.len() => drop(world.gathering.remove(at)),
                Op::UsePermit(at) if at < world.permits.len() => {
                    world.permits.swap_remove(at).send((value, token.clone()));
                    world.queue.push_back(value);
                }
                Op::DropPermit(at) if at < world.permits.len() => drop(world.permits.swap_remove(at)),
                Op::TryRecv => match receiver.try_recv() {
                    Ok((value, _)) => world.received(value),
                    Err(TryRecvError::Closed) => {
                        prop_assert!(world.closed && world.queue.is_empty() && world.permits.is_empty());
                    }
                    Err(_) => prop_assert!(world.queue.is_empty()),
                },
                Op::RecvMany(limit) => {
                    let mut got = vec![];
                    match receiver.try_recv_many(&mut got, limit) {
                        Ok(count) => prop_assert_eq!(count, limit.min(world.queue.len())),
                        Err(_) => prop_assert!(world.queue.is_empty()),
                    }
                    got.into_iter().for_each(|(value, _)| world.received(value));
                }
                Op::Recv | Op::PollRecv(_) => {
                    let (at, mut task) = match op {
                        Op::PollRecv(at) if at < world.receivers.len() => (at, world.receivers.remove(at)),
                        Op::Recv => (world.receivers.len(), Task::new(receiver.recv())),
                        _ => continue,
                    };
                    match task.poll_as_another() {
                        Poll::Ready(Ok((value, _))) => world.received(value),
                        Poll::Ready(Err(_)) => {
                            prop_assert!(world.closed && world.queue.is_empty() && world.permits.is_empty());
                        }
                        Poll::Pending => {
                            prop_assert!(world.queue.is_empty());
                            world.receivers.insert(at, task);
                        }
                    }
                }
                Op::DropRecv(at) if at < world.receivers.len() => drop(world.receivers.remove(at)),
                Op::Close => {
                    prop_assert_eq!(receiver.close(), !world.closed);
                    world.closed = true;
                }
                _ => {}
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
