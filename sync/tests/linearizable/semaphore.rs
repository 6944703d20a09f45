//! Permits that are taken, given back, added and closed.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::{Permit, Semaphore};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Permits {
    free: usize,
    closed: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum OnPermits {
    /// `None`: given up. Waiting is not refused while the semaphore is open.
    Acquire {
        count: usize,
        got: Option<bool>,
    },
    /// Refused too where others wait, which is not said here.
    TryAcquire {
        count: usize,
        got: bool,
    },
    Give {
        count: usize,
    },
    Close,
}

impl Model for Permits {
    type Call = OnPermits;
    fn explains(&mut self, call: &OnPermits) -> bool {
        match *call {
            OnPermits::Acquire { count, got: Some(true) } | OnPermits::TryAcquire { count, got: true } => {
                let enough = !self.closed && count <= self.free;
                self.free -= if enough { count } else { 0 };
                enough
            }
            OnPermits::Acquire { got: Some(false), .. } => self.closed,
            OnPermits::Acquire { got: None, .. } | OnPermits::TryAcquire { got: false, .. } => true,
            OnPermits::Give { count } => {
                self.free += count;
                true
            }
            OnPermits::Close => {
                self.closed = true;
                true
            }
        }
    }
}

impl Subject for Semaphore {
    type Model = Permits;
    type Held<'a> = Vec<Permit<'a>>;

    fn fresh(random: &mut Random) -> (Self, Permits) {
        let free = random.below(4);
        (Semaphore::new(free), Permits { free, closed: false })
    }

    fn step<'a>(&'a self, held: &mut Vec<Permit<'a>>, random: &mut Random, record: &mut Record<OnPermits>) {
        let (polls, count) = (polls(random), 1 + random.below(2));
        match (random.below(8), held.pop()) {
            (0..3, Some(permit)) => {
                let count = permit.count();
                record.of(|| drop(permit), |()| OnPermits::Give { count });
            }
            (7, kept) => {
                held.extend(kept);
                match random.below(4) {
                    0 => record.of(|| self.close(), |()| OnPermits::Close),
                    _ => record.of(|| self.add_permits(count), |()| OnPermits::Give { count }),
                }
            }
            (at, kept) => {
                held.extend(kept);
                if at % 2 == 0 {
                    let explain = |got: &Option<Permit<'_>>| OnPermits::TryAcquire { count, got: got.is_some() };
                    held.extend(record.of(|| self.try_acquire_many(count).ok(), explain));
                } else {
                    let got = record.of(
                        || attempt(self.acquire_many(count), polls),
                        |got| OnPermits::Acquire { count, got: got.as_ref().map(Result::is_ok) },
                    );
                    held.extend(got.and_then(Result::ok));
                }
            }
        }
    }
}

#[test]
fn a_semaphore_conserves_permits() {
    every_history_is_explained::<Semaphore>();
}
