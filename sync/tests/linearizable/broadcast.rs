//! A log of which each receiver reads on from where it is, or from the oldest that is left.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::broadcast::{self, RecvError, TryRecvError};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Log {
    sent: Vec<u64>,
    capacity: usize,
    /// Where the receiver of each thread is, once it has one.
    at: [usize; 3],
}

#[derive(Debug, Clone)]
pub(crate) enum OnLog {
    Send(u64),
    Subscribe {
        thread: usize,
    },
    /// `None`: given up, or nothing there.
    Recv {
        thread: usize,
        got: Option<Got>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Got {
    Value(u64),
    Lagged(u64),
}

impl Model for Log {
    type Call = OnLog;
    fn explains(&mut self, call: &OnLog) -> bool {
        match *call {
            OnLog::Send(value) => {
                self.sent.push(value);
                true
            }
            OnLog::Subscribe { thread } => {
                self.at[thread] = self.sent.len();
                true
            }
            OnLog::Recv { got: None, .. } => true,
            OnLog::Recv { thread, got: Some(got) } => {
                let at = &mut self.at[thread];
                let oldest = self.sent.len().saturating_sub(self.capacity);
                if *at < oldest {
                    let missed = oldest - *at;
                    *at = oldest;
                    return got == Got::Lagged(missed as u64);
                }
                let explained = self.sent.get(*at).is_some_and(|value| got == Got::Value(*value));
                *at += 1;
                explained
            }
        }
    }
}

impl Subject for broadcast::Sender<u64> {
    type Model = Log;
    type Held<'a> = Option<broadcast::Receiver<u64>>;

    fn fresh(random: &mut Random) -> (Self, Log) {
        let sender = broadcast::Sender::new(1 << random.below(3));
        let capacity = sender.capacity();
        (sender, Log { sent: vec![], capacity, at: [0; 3] })
    }

    fn step(&self, held: &mut Self::Held<'_>, random: &mut Random, record: &mut Record<OnLog>) {
        let (polls, value, thread) = (polls(random), random.next(), record.thread());
        let Some(receiver) = held else {
            *held = Some(record.of(|| self.subscribe(), |_| OnLog::Subscribe { thread }));
            return;
        };
        match random.below(4) {
            0 | 1 => {
                record.of(|| self.send(value).is_ok(), |_| OnLog::Send(value));
            }
            2 => {
                record.of(
                    || attempt(receiver.recv(), polls),
                    |got| {
                        let got = got.as_ref().map(|got| match got {
                            Ok(value) => Got::Value(*value),
                            Err(RecvError::Lagged(missed)) => Got::Lagged(*missed),
                            Err(error) => panic!("the sender lives: {error}"),
                        });
                        OnLog::Recv { thread, got }
                    },
                );
            }
            _ => {
                let _ = record.of(
                    || receiver.try_recv(),
                    |got| {
                        let got = match got {
                            Ok(value) => Some(Got::Value(*value)),
                            Err(TryRecvError::Lagged(missed)) => Some(Got::Lagged(*missed)),
                            Err(_) => None,
                        };
                        OnLog::Recv { thread, got }
                    },
                );
            }
        }
    }
}

#[test]
fn a_broadcast_is_a_log_with_readers() {
    every_history_is_explained::<broadcast::Sender<u64>>();
}
