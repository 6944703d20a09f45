//! The watched value's protocol: the value under a lock, its version in a word that many wait for.
//!
//! # The word
//! A [`WaitWord`]:
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `CLOSED` | the last sender is gone | that one; never taken back |
//! | the rest | how often the value was changed, in units of `VERSION`; it wraps | who changes the value, before the value's lock is released |
//!
//! # Why nobody misses a change
//! 1. The version is moved on under the value's lock, so value and version that are read under it belong together: who has seen
//!    the value has seen its version, and no older one.
//! 2. A receiver waits for another version than the one that it has seen; whether there is one is looked at by the
//!    read-modify-write that makes it wait (`wait_word.rs`, race 1). Being swept is no more than a reason to look again
//!    (tokio 3168).
//! 3. Wakers are called after the value's lock is released.
//!
//! # What runs under the value's lock
//! Closures of the caller (`send_modify`, `send_if_modified`, the test of `wait_for`), and whatever the caller does while it
//! holds a [`Ref`](super::Ref). Nothing else: a value that was replaced is dropped after the lock is released. Who reads does
//! not wait behind one who waits to write, so one task may hold two `Ref`s.
//!
//! A receiver that sleeps through exactly all versions there are (2^62; 2^30 where words have 32 bits) misses the change.

use crate::primitive::{RwLock, RwLockReadGuard};
use crate::wait_count::WaitCount;
use crate::wait_word::{UNIT, WaitWord};
use core::mem;

const CLOSED: usize = UNIT;
const VERSION: usize = 2 * UNIT;

pub(super) struct State<T> {
    pub(super) value: RwLock<T>,
    pub(super) word: WaitWord,
    pub(super) receivers: WaitCount,
    pub(super) senders: WaitCount,
}

/// Which change of the value it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Version(usize);

impl Version {
    /// What is in the word: the version, and whether the senders are gone.
    #[inline]
    pub(super) fn of(word: usize) -> (Self, bool) {
        (Self(word & !CLOSED), word & CLOSED != 0)
    }

    /// The one before: nobody has seen what is there.
    pub(super) fn before(self) -> Self {
        Self(self.0.wrapping_sub(VERSION))
    }
}

impl<T> State<T> {
    pub(super) fn new(value: T, receivers: usize) -> Self {
        Self {
            value: RwLock::new(value),
            word: WaitWord::new(0),
            receivers: WaitCount::new(receivers),
            senders: WaitCount::new(1),
        }
    }

    #[inline]
    pub(super) fn version(&self) -> (Version, bool) {
        Version::of(self.word.get())
    }

    /// The value, and the version that it is.
    #[inline]
    pub(super) fn read(&self) -> (RwLockReadGuard<'_, T>, Version) {
        let value = self.value.read();
        let version = self.version().0;
        (value, version)
    }

    /// Changes the value in place; those who wait are told if `change` says so. A panic in it changes no version.
    pub(super) fn modify(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let mut value = self.value.write();
        if !change(&mut value) {
            return false;
        }
        let _ = self.word.change(|word| Some(word.wrapping_add(VERSION)), |_| true, || drop(value));
        true
    }

    pub(super) fn replace(&self, mut value: T) -> T {
        self.modify(|place| {
            mem::swap(place, &mut value);
            true
        });
        value
    }

    /// The last sender is gone.
    pub(super) fn close(&self) {
        let _ = self.word.change(|word| Some(word | CLOSED), |_| true, || ());
    }
}
