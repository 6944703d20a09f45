//! A flag that is set and cleared, and waited for.

use crate::histories::{Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::Event;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Flag(bool);

#[derive(Debug, Clone)]
pub(crate) enum OnFlag {
    /// Whether it was not set before.
    Set(bool),
    /// Whether it was set before.
    Clear(bool),
    IsSet(bool),
    /// `false`: given up.
    Wait(bool),
}

impl Model for Flag {
    type Call = OnFlag;
    fn explains(&mut self, call: &OnFlag) -> bool {
        match *call {
            OnFlag::Set(first) => std::mem::replace(&mut self.0, true) != first,
            OnFlag::Clear(was_set) => std::mem::replace(&mut self.0, false) == was_set,
            OnFlag::IsSet(set) => self.0 == set,
            OnFlag::Wait(done) => !done || self.0,
        }
    }
}

impl Subject for Event {
    type Model = Flag;
    type Held<'a> = ();

    fn fresh(_: &mut Random) -> (Self, Flag) {
        (Event::new(), Flag(false))
    }

    fn step(&self, (): &mut (), random: &mut Random, record: &mut Record<OnFlag>) {
        let polls = polls(random);
        match random.below(5) {
            0 => {
                record.of(|| self.set(), |first| OnFlag::Set(*first));
            }
            1 => {
                record.of(|| self.clear(), |was_set| OnFlag::Clear(*was_set));
            }
            2 => {
                record.of(|| self.is_set(), |set| OnFlag::IsSet(*set));
            }
            _ => {
                record.of(|| attempt(self.wait(), polls), |done| OnFlag::Wait(done.is_some()));
            }
        }
    }
}

#[test]
fn an_event_is_a_flag() {
    every_history_is_explained::<Event>();
}
