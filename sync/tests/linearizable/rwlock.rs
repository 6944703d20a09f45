//! A reader-writer lock around a register of two halves, which a writer changes one after the other.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::{RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Register(u64);

#[derive(Debug, Clone)]
pub(crate) enum OnRegister {
    /// `None`: given up, and nothing was written or seen.
    Write {
        new: u64,
        old: Option<u64>,
    },
    Read(Option<u64>),
    /// Read, and written only if that was so many.
    ReadAndRaise {
        below: u64,
        old: Option<u64>,
    },
}

impl Model for Register {
    type Call = OnRegister;
    fn explains(&mut self, call: &OnRegister) -> bool {
        match *call {
            OnRegister::Write { new, old: Some(old) } => std::mem::replace(&mut self.0, new) == old,
            OnRegister::Read(Some(seen)) => self.0 == seen,
            OnRegister::ReadAndRaise { below, old: Some(old) } => {
                let explained = self.0 == old;
                self.0 += u64::from(old < below);
                explained
            }
            OnRegister::Write { old: None, .. }
            | OnRegister::Read(None)
            | OnRegister::ReadAndRaise { old: None, .. } => true,
        }
    }
}

fn whole(pair: (u64, u64)) -> u64 {
    assert_eq!(pair.0, pair.1, "a reader is inside while somebody writes");
    pair.0
}

fn write(pair: &mut (u64, u64), new: u64) -> u64 {
    let old = whole(*pair);
    pair.0 = new;
    std::hint::spin_loop();
    pair.1 = new;
    old
}

impl Subject for RwLock<(u64, u64)> {
    type Model = Register;
    type Held<'a> = ();

    fn fresh(_: &mut Random) -> (Self, Register) {
        (RwLock::new((0, 0)), Register(0))
    }

    fn step(&self, (): &mut (), random: &mut Random, record: &mut Record<OnRegister>) {
        let (polls, new) = (polls(random), random.next() % 100);
        match random.below(7) {
            0 | 1 => record.of(
                || attempt(self.write(), polls).map(|mut pair| write(&mut pair, new)),
                |old| OnRegister::Write { new, old: *old },
            ),
            2 => record.of(
                || self.try_write().map(|mut pair| write(&mut pair, new)),
                |old| OnRegister::Write { new, old: *old },
            ),
            3 | 4 => record.of(|| attempt(self.read(), polls).map(|pair| whole(*pair)), |seen| OnRegister::Read(*seen)),
            5 => record.of(
                || {
                    // What it reads after it has become a reader is what it wrote.
                    attempt(self.write(), polls).map(|mut pair| {
                        let old = write(&mut pair, new);
                        assert_eq!(whole(*RwLockWriteGuard::downgrade(pair)), new);
                        old
                    })
                },
                |old| OnRegister::Write { new, old: *old },
            ),
            _ => record.of(
                || {
                    attempt(self.upgradable_read(), polls).and_then(|pair| {
                        let old = whole(*pair);
                        if old >= new {
                            return Some(old);
                        }
                        // Nothing was written in between.
                        let mut pair = attempt(RwLockUpgradableReadGuard::upgrade(pair), polls)?;
                        assert_eq!(write(&mut pair, old + 1), old);
                        Some(old)
                    })
                },
                |old| OnRegister::ReadAndRaise { below: new, old: *old },
            ),
        };
    }
}

#[test]
fn a_reader_writer_lock_guards_a_register() {
    every_history_is_explained::<RwLock<(u64, u64)>>();
}
