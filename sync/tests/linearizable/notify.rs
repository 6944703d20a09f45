//! Notifications for one.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::Notify;

/// One notification is kept, at most. A waiter that gives up may have had one for a while, and gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Kept {
    one: bool,
    /// Of each thread: what the waiter that it gives up has, once that has looked.
    had: [Option<bool>; 3],
}

#[derive(Debug, Clone)]
pub(crate) enum OnKept {
    NotifyOne,
    Notified,
    GivenUp { thread: usize },
    PassedOn { thread: usize },
}

impl Model for Kept {
    type Call = OnKept;
    fn explains(&mut self, call: &OnKept) -> bool {
        match *call {
            OnKept::NotifyOne => {
                self.one = true;
                true
            }
            OnKept::Notified => std::mem::replace(&mut self.one, false),
            OnKept::GivenUp { thread } => {
                self.had[thread] = Some(std::mem::replace(&mut self.one, false));
                true
            }
            OnKept::PassedOn { thread } => match self.had[thread].take() {
                Some(had) => {
                    self.one |= had;
                    true
                }
                None => false,
            },
        }
    }
}

impl Subject for Notify {
    type Model = Kept;
    type Held<'a> = ();

    fn fresh(_: &mut Random) -> (Self, Kept) {
        (Notify::new(), Kept { one: false, had: [None; 3] })
    }

    fn step(&self, (): &mut (), random: &mut Random, record: &mut Record<OnKept>) {
        let polls = polls(random);
        let thread = record.thread();
        if random.below(2) == 0 {
            record.of(|| self.notify_one(), |()| OnKept::NotifyOne);
        } else {
            let explain = |done: &Option<()>| done.map_or(OnKept::GivenUp { thread }, |()| OnKept::Notified);
            if record.of(|| attempt(self.notified(), polls), explain).is_none() {
                record.and(OnKept::PassedOn { thread });
            }
        }
    }
}

#[test]
fn a_notification_reaches_one_waiter() {
    every_history_is_explained::<Notify>();
}
