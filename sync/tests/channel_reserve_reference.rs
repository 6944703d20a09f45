//! Permits in random sequences of everything that can be done with a bounded channel, against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;
use weftwork_sync::channel::{
    self, Permit, Permits, Receiver, Recv, Reserve, ReserveError, ReserveMany, Send, Sender, TryRecvError, TrySendError,
};

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
    fn it_behaves_as_the_reference(capacity in 1..5usize, ops in prop::collection::vec(op(), 1..60)) {
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
