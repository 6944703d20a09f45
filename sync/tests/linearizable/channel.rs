//! The bounded channel.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use std::collections::VecDeque;
use weftwork_sync::channel;

/// A channel's values, and whether it is closed. `try_send` and `try_recv` may find it full or empty beside an operation that is
/// under way, so what they refuse is not asked about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Values {
    queue: VecDeque<u64>,
    capacity: usize,
    closed: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum OnValues {
    /// `None`: given up, or refused for now. `Some(false)`: closed.
    Send(u64, Option<bool>),
    /// `None`: given up, or nothing now. `Some(None)`: closed and empty.
    Recv(Option<Option<u64>>),
    Close(bool),
}

impl Model for Values {
    type Call = OnValues;
    fn explains(&mut self, call: &OnValues) -> bool {
        match *call {
            OnValues::Send(value, Some(true)) => {
                self.queue.push_back(value);
                !self.closed && self.queue.len() <= self.capacity
            }
            OnValues::Send(_, Some(false)) => self.closed,
            OnValues::Recv(Some(Some(value))) => self.queue.pop_front() == Some(value),
            OnValues::Recv(Some(None)) => self.closed && self.queue.is_empty(),
            OnValues::Close(first) => std::mem::replace(&mut self.closed, true) != first,
            OnValues::Send(_, None) | OnValues::Recv(None) => true,
        }
    }
}

impl Subject for (channel::Sender<u64>, channel::Receiver<u64>) {
    type Model = Values;
    type Held<'a> = ();

    fn fresh(random: &mut Random) -> (Self, Values) {
        let capacity = 1 + random.below(3);
        (channel::bounded(capacity), Values { queue: VecDeque::new(), capacity, closed: false })
    }

    fn step(&self, (): &mut (), random: &mut Random, record: &mut Record<OnValues>) {
        let ((sender, receiver), polls, value) = (self, polls(random), random.next());
        match random.below(13) {
            0..4 => drop(record.of(
                || attempt(sender.send(value), polls),
                |sent| OnValues::Send(value, sent.as_ref().map(Result::is_ok)),
            )),
            4..6 => drop(record.of(
                || sender.try_send(value),
                |sent| match sent {
                    Ok(()) => OnValues::Send(value, Some(true)),
                    Err(channel::TrySendError::Closed(_)) => OnValues::Send(value, Some(false)),
                    Err(_) => OnValues::Send(value, None),
                },
            )),
            6..10 => drop(record.of(
                || attempt(receiver.recv(), polls),
                |got| OnValues::Recv(got.as_ref().map(|got| got.as_ref().ok().copied())),
            )),
            10..12 => drop(record.of(
                || receiver.try_recv(),
                |got| match got {
                    Ok(value) => OnValues::Recv(Some(Some(*value))),
                    Err(channel::TryRecvError::Closed) => OnValues::Recv(Some(None)),
                    Err(_) => OnValues::Recv(None),
                },
            )),
            _ => {
                record.of(|| sender.close(), |first| OnValues::Close(*first));
            }
        }
    }
}

#[test]
fn a_channel_is_a_queue() {
    every_history_is_explained::<(channel::Sender<u64>, channel::Receiver<u64>)>();
}

impl Subject for (channel::Sender<u64, channel::Unbounded>, channel::Receiver<u64, channel::Unbounded>) {
    type Model = Values;
    type Held<'a> = ();

    fn fresh(_: &mut Random) -> (Self, Values) {
        (channel::unbounded(), Values { queue: VecDeque::new(), capacity: usize::MAX, closed: false })
    }

    fn step(&self, (): &mut (), random: &mut Random, record: &mut Record<OnValues>) {
        let ((sender, receiver), polls, value) = (self, polls(random), random.next());
        match random.below(13) {
            0..6 => drop(record.of(|| sender.send(value), |sent| OnValues::Send(value, Some(sent.is_ok())))),
            6..9 => drop(record.of(
                || attempt(receiver.recv(), polls),
                |got| OnValues::Recv(got.as_ref().map(|got| got.as_ref().ok().copied())),
            )),
            9..12 => drop(record.of(
                || receiver.try_recv(),
                |got| match got {
                    Ok(value) => OnValues::Recv(Some(Some(*value))),
                    Err(channel::TryRecvError::Closed) => OnValues::Recv(Some(None)),
                    Err(_) => OnValues::Recv(None),
                },
            )),
            _ => {
                record.of(|| sender.close(), |first| OnValues::Close(*first));
            }
        }
    }
}

#[test]
fn a_channel_without_a_bound_is_a_queue() {
    every_history_is_explained::<(channel::Sender<u64, channel::Unbounded>, channel::Receiver<u64, channel::Unbounded>)>(
    );
}
