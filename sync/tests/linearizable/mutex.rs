//! A lock around a register.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::Mutex;

/// A value under a lock; `None`: the lock was given up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Register(u64);

#[derive(Debug, Clone)]
pub(crate) enum OnRegister {
    Swap { new: u64, old: Option<u64> },
    Add { old: Option<u64> },
}

impl Model for Register {
    type Call = OnRegister;
    fn explains(&mut self, call: &OnRegister) -> bool {
        let (new, old) = match call {
            OnRegister::Swap { new, old: Some(old) } => (*new, *old),
            OnRegister::Add { old: Some(old) } => (old + 1, *old),
            OnRegister::Swap { old: None, .. } | OnRegister::Add { old: None } => return true,
        };
        std::mem::replace(&mut self.0, new) == old
    }
}

impl Subject for Mutex<u64> {
    type Model = Register;
    type Held<'a> = ();

    fn fresh(_: &mut Random) -> (Self, Register) {
        (Mutex::new(0), Register(0))
    }

    fn step(&self, (): &mut (), random: &mut Random, record: &mut Record<OnRegister>) {
        let (polls, new) = (polls(random), random.next() % 100);
        match random.below(3) {
            0 => record.of(
                || attempt(self.lock(), polls).map(|mut guard| std::mem::replace(&mut *guard, new)),
                |old| OnRegister::Swap { new, old: *old },
            ),
            1 => record.of(
                || self.try_lock().map(|mut guard| std::mem::replace(&mut *guard, new)),
                |old| OnRegister::Swap { new, old: *old },
            ),
            _ => record.of(
                || {
                    attempt(self.lock(), polls).map(|mut guard| {
                        let old = *guard;
                        std::thread::yield_now();
                        *guard = old + 1;
                        old
                    })
                },
                |old| OnRegister::Add { old: *old },
            ),
        };
    }
}

#[test]
fn a_mutex_guards_a_register() {
    every_history_is_explained::<Mutex<u64>>();
}
