//! A value with versions, of which each receiver knows the one it has seen.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::watch;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Watched {
    value: u64,
    version: u32,
    /// By the receiver of each thread, once it has one.
    seen: [u32; 3],
}

#[derive(Debug, Clone)]
pub(crate) enum OnWatched {
    Replace {
        new: u64,
        old: u64,
    },
    Borrow(u64),
    Subscribe {
        thread: usize,
    },
    BorrowAndUpdate {
        thread: usize,
        seen: u64,
    },
    HasChanged {
        thread: usize,
        changed: bool,
    },
    /// `false`: given up.
    Changed {
        thread: usize,
        done: bool,
    },
}

impl Model for Watched {
    type Call = OnWatched;
    fn explains(&mut self, call: &OnWatched) -> bool {
        match *call {
            OnWatched::Replace { new, old } => {
                self.version += 1;
                std::mem::replace(&mut self.value, new) == old
            }
            OnWatched::Borrow(seen) => self.value == seen,
            OnWatched::Subscribe { thread } => {
                self.seen[thread] = self.version;
                true
            }
            OnWatched::BorrowAndUpdate { thread, seen } => {
                self.seen[thread] = self.version;
                self.value == seen
            }
            OnWatched::HasChanged { thread, changed } => (self.seen[thread] != self.version) == changed,
            OnWatched::Changed { done: false, .. } => true,
            OnWatched::Changed { thread, .. } => {
                std::mem::replace(&mut self.seen[thread], self.version) != self.version
            }
        }
    }
}

impl Subject for watch::Sender<u64> {
    type Model = Watched;
    type Held<'a> = Option<watch::Receiver<u64>>;

    fn fresh(_: &mut Random) -> (Self, Watched) {
        (watch::Sender::new(0), Watched { value: 0, version: 0, seen: [0; 3] })
    }

    fn step(&self, held: &mut Self::Held<'_>, random: &mut Random, record: &mut Record<OnWatched>) {
        let (polls, new, thread) = (polls(random), random.next() % 100, record.thread());
        let Some(receiver) = held else {
            *held = Some(record.of(|| self.subscribe(), |_| OnWatched::Subscribe { thread }));
            return;
        };
        match random.below(6) {
            0 | 1 => {
                record.of(|| self.send_replace(new), |old| OnWatched::Replace { new, old: *old });
            }
            2 => {
                record.of(|| *receiver.borrow(), |seen| OnWatched::Borrow(*seen));
            }
            3 => {
                let explain = |seen: &u64| OnWatched::BorrowAndUpdate { thread, seen: *seen };
                record.of(|| *receiver.borrow_and_update(), explain);
            }
            4 => {
                let has_changed = || receiver.has_changed().expect("the sender lives");
                record.of(has_changed, |changed| OnWatched::HasChanged { thread, changed: *changed });
            }
            _ => {
                let explain = |done: &Option<_>| OnWatched::Changed { thread, done: done.is_some() };
                record.of(|| attempt(receiver.changed(), polls), explain);
            }
        }
    }
}

#[test]
fn a_watch_is_a_register_with_versions() {
    every_history_is_explained::<watch::Sender<u64>>();
}
