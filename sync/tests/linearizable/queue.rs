//! The three queues.

use crate::histories::{CallOf, Model, Record, Subject, attempt, every_history_is_explained, polls};
use crate::random::Random;
use weftwork_sync::queue::{Item, TryGetError, TryPutError};
use weftwork_sync::{LifoQueue, PriorityQueue, Queue};

/// Which of the items comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Next {
    First,
    Last,
    Smallest,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Items {
    items: Vec<u64>,
    max: usize,
    next: Next,
    unfinished: usize,
    shut_down: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum OnItems {
    /// `None`: given up.
    Put(u64, Option<bool>),
    TryPut(u64, Result<(), Refused>),
    /// `None`: given up. `Some(None)`: shut down.
    Get(Option<Option<u64>>),
    TryGet(Result<u64, Refused>),
    Done,
    /// Polled once, and whether that was enough.
    Join(bool),
    Len(usize),
    Shutdown(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    ForNow,
    ForGood,
}

impl Items {
    fn take(&mut self) -> Option<u64> {
        let at = match self.next {
            Next::First => 0,
            Next::Last => self.items.len().wrapping_sub(1),
            Next::Smallest => (0..self.items.len()).min_by_key(|at| self.items[*at])?,
        };
        (at < self.items.len()).then(|| self.items.remove(at))
    }

    fn put(&mut self, item: u64) -> Result<(), Refused> {
        match (self.shut_down, self.items.len() < self.max) {
            (true, _) => Err(Refused::ForGood),
            (false, false) => Err(Refused::ForNow),
            (false, true) => {
                self.items.push(item);
                self.unfinished += 1;
                Ok(())
            }
        }
    }

    fn get(&mut self) -> Result<u64, Refused> {
        self.take().ok_or(if self.shut_down { Refused::ForGood } else { Refused::ForNow })
    }
}

impl Model for Items {
    type Call = OnItems;
    fn explains(&mut self, call: &OnItems) -> bool {
        match *call {
            OnItems::Put(item, Some(put)) => self.put(item) == if put { Ok(()) } else { Err(Refused::ForGood) },
            OnItems::TryPut(item, put) => self.put(item) == put,
            OnItems::Get(Some(got)) => self.get() == got.ok_or(Refused::ForGood),
            OnItems::TryGet(got) => self.get() == got,
            OnItems::Done => {
                self.unfinished -= 1;
                true
            }
            OnItems::Join(done) => (self.unfinished == 0) == done,
            OnItems::Len(len) => self.items.len() == len,
            OnItems::Shutdown(immediate) => {
                self.shut_down = true;
                if immediate {
                    self.unfinished -= self.items.drain(..).count();
                }
                true
            }
            OnItems::Put(_, None) | OnItems::Get(None) => true,
        }
    }
}

/// A future is polled too seldom here to be late so often that something is kept for it; so the refusals are exact.
macro_rules! queue {
    ($queue:ident, $next:ident) => {
        impl Subject for $queue<u64> {
            type Model = Items;
            type Held<'a> = Vec<Item<'a, u64>>;

            fn fresh(random: &mut Random) -> (Self, Items) {
                let max = 1 + random.below(3);
                let model = Items { items: vec![], max, next: Next::$next, unfinished: 0, shut_down: false };
                ($queue::bounded(max), model)
            }

            fn step<'a>(
                &'a self,
                held: &mut Vec<Item<'a, u64>>,
                random: &mut Random,
                record: &mut Record<CallOf<Self>>,
            ) {
                let (polls, value) = (polls(random), random.next());
                match random.below(20) {
                    0..5 => drop(record.of(
                        || attempt(self.put(value), polls),
                        |put| OnItems::Put(value, put.as_ref().map(Result::is_ok)),
                    )),
                    5..7 => drop(record.of(
                        || self.try_put(value),
                        |put| match put {
                            Ok(()) => OnItems::TryPut(value, Ok(())),
                            Err(TryPutError::ShutDown(_)) => OnItems::TryPut(value, Err(Refused::ForGood)),
                            Err(_) => OnItems::TryPut(value, Err(Refused::ForNow)),
                        },
                    )),
                    7..12 => {
                        let got = record.of(
                            || attempt(self.get(), polls),
                            |got| OnItems::Get(got.as_ref().map(|got| got.as_ref().ok().map(|item| **item))),
                        );
                        held.extend(got.and_then(Result::ok));
                    }
                    12..14 => {
                        let got = record.of(
                            || self.try_get(),
                            |got| match got {
                                Ok(item) => OnItems::TryGet(Ok(**item)),
                                Err(TryGetError::ShutDown) => OnItems::TryGet(Err(Refused::ForGood)),
                                Err(_) => OnItems::TryGet(Err(Refused::ForNow)),
                            },
                        );
                        held.extend(got.ok());
                    }
                    14..16 => drop(held.pop().map(|item| record.of(|| drop(item), |()| OnItems::Done))),
                    16..18 => {
                        record.of(|| attempt(self.join(), 1), |done| OnItems::Join(done.is_some()));
                    }
                    18 => {
                        record.of(|| self.len(), |len| OnItems::Len(*len));
                    }
                    _ => {
                        let immediate = random.below(2) == 0;
                        record.of(|| self.shutdown(immediate), |()| OnItems::Shutdown(immediate));
                    }
                }
            }
        }
    };
}
queue!(Queue, First);
queue!(LifoQueue, Last);
queue!(PriorityQueue, Smallest);

#[test]
fn a_queue_gives_its_items_in_order_and_counts_them() {
    every_history_is_explained::<Queue<u64>>();
}

#[test]
fn a_lifo_queue_gives_the_last_item_first() {
    every_history_is_explained::<LifoQueue<u64>>();
}

#[test]
fn a_priority_queue_gives_the_smallest_item_first() {
    every_history_is_explained::<PriorityQueue<u64>>();
}
