//! Those who wait for a direction beside the one in its cell.
//!
//! Two kinds come here. A future that has an identity holds a [`Place`], is listed under it without limit (it owns memory
//! of its own, so whoever bounds the futures bounds the list) and leaves when it is dropped. A `poll_*` method has no
//! identity: each call may bring another waker of the same task, and nobody will say that it is no longer wanted. Of
//! these the list keeps [`ANONYMOUS`], and one more wakes the oldest, which then comes again: nobody is forgotten, and
//! the list does not grow by polling again (as flume's did, issue 182). One that is not wanted any more stays until the
//! next event or the end of the registration, and costs a poll too many then.
//!
//! The list is behind its owner's lock; it clones, drops and calls no waker.

use core::task::Waker;
use slab::Slab;
use std::collections::VecDeque;
use weftwork_sync::primitive::contain;

/// How many waiters without identity are kept.
pub const ANONYMOUS: usize = 32;

/// Where a waiter stands.
#[derive(Debug, Default)]
pub enum Place {
    /// A `poll_*` method: nobody will withdraw it.
    #[default]
    Anonymous,
    /// A future that is not on the list.
    Unlisted,
    /// A future that is.
    Listed(usize),
}

impl Place {
    /// Whether there is anything to withdraw.
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}

/// A waker that somebody's coming pushed out.
#[must_use]
pub enum Displaced {
    /// Nobody.
    None,
    /// An earlier waker of the same waiter, no longer wanted.
    Obsolete(Waker),
    /// Somebody who still waits and has to come again.
    Waiting(Waker),
}

impl Displaced {
    /// Drops or calls the waker; not under a lock.
    pub fn settle(self) {
        match self {
            Self::None => {}
            Self::Obsolete(waker) => drop(waker),
            Self::Waiting(waker) => {
                // A panic in another task's waker is not the caller's.
                let _ = contain(|| waker.wake());
            }
        }
    }
}

/// The list.
#[derive(Debug, Default)]
pub struct Waiters {
    /// `None`: its waker was taken by an event, and its future has not been polled or dropped since.
    named: Slab<Option<Waker>>,
    anonymous: VecDeque<Waker>,
}

impl Waiters {
    /// Adds a waiter, or replaces its waker.
    pub fn enter(&mut self, waker: Waker, place: &mut Place) -> Displaced {
        match *place {
            Place::Listed(at) => match self.named[at].replace(waker) {
                Some(old) => Displaced::Obsolete(old),
                None => Displaced::None,
            },
            Place::Unlisted => {
                *place = Place::Listed(self.named.insert(Some(waker)));
                Displaced::None
            }
            Place::Anonymous if self.anonymous.iter().any(|w| w.will_wake(&waker)) => Displaced::Obsolete(waker),
            Place::Anonymous => {
                self.anonymous.push_back(waker);
                if self.anonymous.len() <= ANONYMOUS {
                    return Displaced::None;
                }
                self.anonymous.pop_front().map_or(Displaced::None, Displaced::Waiting)
            }
        }
    }

    /// Removes a waiter with an identity.
    pub fn leave(&mut self, place: &mut Place) -> Option<Waker> {
        match core::mem::replace(place, Place::Unlisted) {
            Place::Listed(at) => self.named.remove(at),
            other => {
                *place = other;
                None
            }
        }
    }

    /// Moves every waker into `out`; the futures keep their places until they come again or leave.
    pub fn take_all(&mut self, out: &mut Vec<Waker>) {
        out.extend(self.named.iter_mut().filter_map(|(_, w)| w.take()));
        out.extend(self.anonymous.drain(..));
    }
}
