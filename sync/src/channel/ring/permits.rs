//! Places in the ring that are promised to permits.
//!
//! A permit is not for a certain slot: that slot would hold up everything behind it until its item came. It is for some
//! place, and its item gets the position at which the tail stands when it is sent. The *frontier* is the tail's position
//! moved on by `reserved`.
//!
//! Invariant: every slot from the tail to the frontier was found stamped free for its position by somebody whose move of the
//! tail came before. So:
//!
//! | who | looks at | moves the tail by compare-exchange | the frontier |
//! |---|---|---|---|
//! | a push, nothing reserved | the stamp at the tail | position + 1 | moves on with it |
//! | a push beside permits | the stamp at the frontier | position + 1 | moves on |
//! | a reservation of `n` | the stamps of `n` slots from the frontier | reserved + `n` | moves on by `n` |
//! | a permit's push | nothing: its place was looked at | position + 1, reserved - 1 | stays |
//! | a permit given back | nothing | reserved - 1 | moves back, and the slot is looked at again by who comes next |
//!
//! Races:
//! 1. The tail is as it was when a sender looked, but was not so all the time: permits were taken and given back. The slot
//!    that was looked at is still free, because only a push at its position makes it anything else, and the tail has not come
//!    there.
//! 2. Who writes a slot that somebody else looked at: whoever looked saw the receiver's stamp (Acquire), and its
//!    compare-exchange is a Release; all writes of the tail are read-modify-writes, so each later claim that is an Acquire
//!    sees it. Only a push that finds nothing reserved relies on its own look and needs neither.
//! 3. `reserved` does not overflow: the frontier is never more than the capacity ahead of the head.

use super::super::queue::NotPushed;
use super::{Look, Ring};
use crate::primitive::atomic::Ordering;
use crate::primitive::dekker::publish_then_check;

impl<T> Ring<T> {
    /// One place reserved.
    fn one(&self) -> u64 {
        self.closed * 2
    }

    pub(super) fn reserved(&self, tail: u64) -> usize {
        ((tail & self.beside) / self.one()) as usize
    }

    /// The position so many after this one, at most as many as there are slots.
    fn ahead(&self, position: u64, by: usize) -> u64 {
        let index = self.index(position) + by;
        if index < self.slots() {
            position + by as u64
        } else {
            (position & !(self.lap - 1)).wrapping_add(self.lap) + (index - self.slots()) as u64
        }
    }

    fn frontier(&self, tail: u64) -> u64 {
        self.ahead(self.position(tail), self.reserved(tail))
    }

    /// Claims a position for a push that found the channel closed or places reserved.
    #[cold]
    pub(super) fn claim_beside(&self, mut tail: u64) -> Result<u64, NotPushed> {
        loop {
            if tail & self.closed != 0 {
                return Err(NotPushed::Closed);
            }
            match self.look(self.frontier(tail)) {
                Look::Free => {
                    let position = self.position(tail);
                    let next = self.after(position) | (tail & self.beside);
                    // Ordering: race 2: Release for the slot that was looked at, Acquire for the one that is claimed.
                    match self.tail().compare_exchange_weak(tail, next, Ordering::AcqRel, Ordering::Relaxed) {
                        Ok(_) => return Ok(position),
                        Err(now) => tail = now,
                    }
                }
                Look::Full => return Err(NotPushed::Full),
                Look::Passed => tail = self.tail().load(Ordering::Relaxed),
            }
        }
    }

    /// Promises up to `most` places to the caller, but not fewer than `least`; says how many.
    pub(in crate::channel) fn reserve(&self, least: usize, most: usize) -> Result<usize, NotPushed> {
        debug_assert!(0 < least && least <= most && most <= self.slots());
        let mut tail = self.tail().load(Ordering::Relaxed);
        'again: loop {
            if tail & self.closed != 0 {
                return Err(NotPushed::Closed);
            }
            let room = self.slots() - self.reserved(tail);
            let mut position = self.frontier(tail);
            let mut found = 0;
            while found < most.min(room) {
                match self.look(position) {
                    Look::Free => {
                        found += 1;
                        position = self.after(position);
                    }
                    Look::Full => break,
                    Look::Passed => {
                        tail = self.tail().load(Ordering::Relaxed);
                        continue 'again;
                    }
                }
            }
            if found < least {
                return Err(NotPushed::Full);
            }
            let next = tail + self.one() * found as u64;
            // Ordering: race 2: Release for the slots that were looked at.
            match self.tail().compare_exchange_weak(tail, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Ok(found),
                Err(now) => tail = now,
            }
        }
    }

    /// Pushes into a reserved place, also where the ring is closed, and returns what `check` says then.
    pub(in crate::channel) fn push_reserved<R>(&self, item: &mut Option<T>, check: impl FnOnce() -> R) -> R {
        let mut tail = self.tail().load(Ordering::Relaxed);
        loop {
            debug_assert!(self.reserved(tail) != 0, "a permit was used twice");
            let position = self.position(tail);
            let next = self.after(position) | ((tail & self.beside) - self.one());
            // Ordering: race 2: Acquire for the slot that is claimed.
            match self.tail().compare_exchange_weak(tail, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return self.fill(position, item, check),
                Err(now) => tail = now,
            }
        }
    }

    /// Gives reserved places back; whether nothing can be pushed any more now, and what `check` says.
    pub(in crate::channel) fn give_back<R>(&self, places: usize, check: impl FnOnce() -> R) -> (bool, R) {
        let mut ended = false;
        let give = || {
            let given = self.one() * places as u64;
            // Ordering: Release pairs with the Acquire of a pop that finds the ring closed by this.
            let tail = self.tail().fetch_sub(given, Ordering::Release);
            debug_assert!(self.reserved(tail) >= places, "a permit was given back twice");
            ended = (tail & self.beside) - given == self.closed;
        };
        let seen = publish_then_check(give, check);
        (ended, seen)
    }
}
