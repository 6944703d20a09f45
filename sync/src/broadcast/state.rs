//! The channel's protocol: positions, who waits for the next, who is counted.
//!
//! # The word
//! A [`WaitWord`]:
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `CLOSED` | the last sender is gone | that one; never taken back |
//! | the rest | the position that the next value gets, in units of `STEP`; it wraps | the sender that holds the turn |
//!
//! A receiver keeps the position that it wants next. What lies between that and the word's is there to be read, unless it
//! lies further back than the ring is long: then the receiver lags, and goes on with the oldest that there is.
//!
//! # The turn
//! A lock that senders hold while they put a value in its place and move the position on, and that who subscribes or leaves
//! holds while it is counted. So each value is counted for those receivers that are there when it is sent, and each of
//! them either receives it, or lags, or skips it when it leaves. Nothing foreign runs under it: values are moved, an old
//! value is dropped and wakers are called after it.
//!
//! # Races
//! 1. A receiver against a sender that overwrites what it wants: it looks up the position first and the node then. If the node
//!    holds another position, or none, a sender is between the two; the receiver waits for its turn to end, which is no
//!    longer than a move, and looks again: then it lags.
//! 2. Waiting against sending: the receiver waits for another position than the one that it wants, see `wait_word.rs`.
//! 3. Reading against taking and overwriting: see `node.rs`.
//! 4. The last sender that goes against one that is made of a weak one: the count is raised only if it is not 0.
//!
//! Positions wrap after 2^62 values (2^30 where words have 32 bits): a receiver that sleeps through exactly so many would not
//! notice.

use super::node::MOST_RECEIVERS;
use super::ring::{Ring, Spares};
use crate::primitive::{Mutex, MutexGuard};
use crate::wait_count::WaitCount;
use crate::wait_word::{UNIT, WaitWord};

const CLOSED: usize = UNIT;
const STEP: usize = 2 * UNIT;
/// The largest position.
const LAST: usize = usize::MAX / STEP;

pub(super) struct Channel<T> {
    /// Before the ring: what it frees, the ring's places may still point at.
    turn: Mutex<Spares<T>>,
    ring: Ring<T>,
    pub(super) word: WaitWord,
    pub(super) receivers: WaitCount,
    pub(super) senders: WaitCount,
}

/// What a receiver finds.
pub(super) enum Found<T> {
    Value(T),
    Empty,
    Closed,
    Lagged(u64),
}

/// The position that comes next, and whether the senders are gone.
#[inline]
pub(super) fn look(word: usize) -> (usize, bool) {
    (word / STEP, word & CLOSED != 0)
}

/// How far a position is behind another.
#[inline]
fn behind(position: usize, of: usize) -> usize {
    of.wrapping_sub(position) & LAST
}

impl<T> Channel<T> {
    pub(super) fn new(capacity: usize, receivers: usize) -> Self {
        Self {
            turn: Mutex::new(Spares::new()),
            ring: Ring::new(capacity),
            word: WaitWord::new(0),
            receivers: WaitCount::new(receivers),
            senders: WaitCount::new(1),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Sends to all receivers that there are; how many, or the value if there is none.
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let mut turn = self.turn.lock();
        let receivers = self.receivers.get();
        if receivers == 0 {
            drop(turn);
            return Err(value);
        }
        let position = look(self.word.get()).0;
        // SAFETY: the turn makes this the one sender, and has the spares.
        let old = unsafe { self.ring.put(position, value, receivers, &mut turn) };
        let next = |word: usize| Some(word.wrapping_add(STEP));
        let _ = self.word.change(next, |_| true, || drop(turn));
        drop(old);
        Ok(receivers)
    }

    /// Looks for the value of `wanted`, which is the next one then.
    pub(super) fn receive(&self, wanted: &mut usize) -> Found<T>
    where
        T: Clone,
    {
        loop {
            let position = *wanted;
            let (next, closed) = look(self.word.get());
            let unread = behind(position, next);
            if unread == 0 {
                return if closed { Found::Closed } else { Found::Empty };
            }
            if unread > self.capacity() {
                *wanted = next.wrapping_sub(self.capacity()) & LAST;
                return Found::Lagged((unread - self.capacity()) as u64);
            }
            let read = self.ring.node(position).read(position, || *wanted = (position + 1) & LAST);
            if let Some(value) = read {
                return Found::Value(value);
            }
            // Race 1.
            drop(self.turn.lock());
        }
    }

    /// How many values there are that a receiver has not received, those included that are gone.
    pub(super) fn unread(&self, wanted: usize) -> usize {
        behind(wanted, look(self.word.get()).0)
    }

    /// How many values there are that not all have received.
    pub(super) fn len(&self) -> usize {
        let next = look(self.word.get()).0;
        // Receivers go from the oldest to the newest, so that the values that are there come last.
        let (mut there, mut gone) = (0, self.capacity() + 1);
        while there + 1 < gone {
            let middle = there + (gone - there) / 2;
            let position = next.wrapping_sub(middle) & LAST;
            if self.ring.node(position).holds(position) {
                there = middle;
            } else {
                gone = middle;
            }
        }
        there
    }

    /// Counts one more receiver; the position that it wants first.
    pub(super) fn enter(&self) -> usize {
        let turn = self.turn.lock();
        let receivers = self.receivers.get();
        if receivers >= MOST_RECEIVERS {
            drop(turn);
            panic!("a broadcast channel has at most {MOST_RECEIVERS} receivers: drop some first");
        }
        self.receivers.add();
        let wanted = look(self.word.get()).0;
        drop(turn);
        wanted
    }

    /// A receiver that wanted `wanted` next is gone.
    pub(super) fn leave(&self, wanted: usize) {
        let turn: MutexGuard<'_, Spares<T>> = self.turn.lock();
        let next = look(self.word.get()).0;
        self.receivers.remove_and(|| drop(turn));
        let unread = behind(wanted, next).min(self.capacity());
        for back in (1..=unread).rev() {
            let position = next.wrapping_sub(back) & LAST;
            self.ring.node(position).skip(position);
        }
    }

    /// The last sender is gone.
    pub(super) fn close(&self) {
        let _ = self.word.change(|word| Some(word | CLOSED), |_| true, || ());
    }
}

#[cfg(test)]
#[cfg(not(weftwork_loom))]
mod tests {
    use super::*;
    use core::cell::RefCell;
    use std::rc::Rc;

    /// A value whose clone sends, as far as the ring goes round, into the channel that it is cloned out of.
    #[derive(Default)]
    struct Sends(Option<Rc<Channel<Sends>>>, Rc<RefCell<u32>>);

    impl Clone for Sends {
        fn clone(&self) -> Self {
            *self.1.borrow_mut() += 1;
            if let Some(channel) = &self.0 {
                (0..5).for_each(|_| assert!(channel.send(Self(None, self.1.clone())).is_ok()));
            }
            Self(None, self.1.clone())
        }
    }

    #[test]
    fn a_sender_does_not_wait_for_a_clone_and_nodes_are_used_again() {
        let channel = Rc::new(Channel::<Sends>::new(2, 2));
        let (mut first, mut second) = (0, 0);
        let clones = Rc::default();
        for _ in 0..10 {
            while let Found::Value(_) | Found::Lagged(_) = channel.receive(&mut first) {}
            while let Found::Value(_) | Found::Lagged(_) = channel.receive(&mut second) {}
            assert!(channel.send(Sends(Some(channel.clone()), Rc::clone(&clones))).is_ok());
            assert!(matches!(channel.receive(&mut first), Found::Value(_)));
            assert!(matches!(channel.receive(&mut first), Found::Lagged(3)));
        }
        assert_eq!(channel.turn.lock().added(), 1);
        channel.leave(first);
        channel.leave(second);
        assert_eq!((channel.len(), Rc::strong_count(&channel)), (0, 1));
    }
}
