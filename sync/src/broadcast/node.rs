//! One value that several receivers read, and the places that it lies in.
//!
//! # The word
//!
//! | part | meaning | changed by |
//! |---|---|---|
//! | `PRESENT` | the value is there; until it is cleared nobody writes the node | set by the sender that has written it, cleared by who takes the value |
//! | `EVICTED` | the node has lost its place in the ring; its value is for those alone who are inside | the sender, with `PRESENT` |
//! | readers, in units of `READER` | threads that are inside, take the value out, or are about to see that there is none | each by itself |
//! | remaining, in units of `REMAINING` | receivers that have yet to receive the value | set with `PRESENT`, lowered by each receiver |
//!
//! A reader enters by adding `READER`. If it finds `PRESENT`, it is inside: the value and its position stay until it leaves,
//! and it clones the value without any lock. If not, it touches nothing but the word.
//!
//! # Who takes the value
//! Once nobody is inside and nobody remains, or the node is evicted, the value is *over*. Whoever brings that about by
//! leaving tries to take it by a compare-exchange that clears `PRESENT` and leaves itself as the one reader, moves it out, and
//! leaves again. If the exchange fails, somebody has entered or taken it meanwhile, and whoever enters also leaves. So it is
//! taken, and once. Until the taker has left the node is not free: a sender must not write what is being moved out.
//! The last receiver that remains and is alone inside takes the value instead of a clone. A sender that needs the place takes
//! a value that nobody is inside of, whoever remains: those lag behind.
//!
//! # Why nobody waits for a clone
//! A sender that needs the place of a node with somebody inside gives the place to another node, and marks this one evicted.
//! Nodes are freed with the channel only, so that a receiver which has looked up the node before may still enter it: it finds
//! no value, or one of another position, and looks again. There are as many nodes as the ring has places, and one for each
//! value that was being cloned while the ring went round.

use crate::primitive::UnsafeCell;
use crate::primitive::atomic::{AtomicU64, Ordering};
use core::mem::MaybeUninit;

const PRESENT: u64 = 1;
const EVICTED: u64 = 2;
const READER: u64 = 4;
const REMAINING: u64 = 1 << 32;

/// As many receivers as can be counted beside a value.
pub(super) const MOST_RECEIVERS: usize = u32::MAX as usize;

pub(super) struct Node<T> {
    word: AtomicU64,
    position: UnsafeCell<usize>,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// What a sender that needs the place finds.
pub(super) enum Cleared<T> {
    /// The node can be written; a value that was in it was not received by all.
    Free(Option<T>),
    /// Somebody is inside: it stays as it is, and is in the way no more.
    Evicted,
}

fn readers(word: u64) -> u64 {
    (word % REMAINING) / READER
}

/// Whether a sender may write the node.
fn is_free(word: u64) -> bool {
    word & PRESENT == 0 && readers(word) == 0
}

/// Whether the value is there and nobody will read it any more.
fn is_over(word: u64) -> bool {
    word & PRESENT != 0 && readers(word) == 0 && (word < REMAINING || word & EVICTED != 0)
}

/// Leaves when it is dropped, so also if a clone panics: the value counts as received all the same.
struct Inside<'a, T>(&'a Node<T>);

impl<T> Drop for Inside<'_, T> {
    fn drop(&mut self) {
        drop(self.0.leave(READER + REMAINING));
    }
}

impl<T> Node<T> {
    pub(super) fn new() -> Self {
        Self { word: AtomicU64::new(0), position: UnsafeCell::new(0), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Whether it holds nothing, so that the sender may write it.
    pub(super) fn is_free(&self) -> bool {
        // Ordering: Acquire pairs with the Release of who took the value, and through it of those who read it.
        is_free(self.word.load(Ordering::Acquire))
    }

    /// Makes way for another value, or marks the node evicted.
    ///
    /// # Safety
    /// Called by one sender at a time, which is the only one that writes the node.
    pub(super) unsafe fn clear(&self) -> Cleared<T> {
        // Ordering: Acquire as in is_free().
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            if seen & PRESENT == 0 {
                // Its taker may still be moving the value out.
                return if is_free(seen) { Cleared::Free(None) } else { Cleared::Evicted };
            }
            let inside = readers(seen) != 0;
            let next = if inside { seen | EVICTED } else { 0 };
            // Ordering: Acquire: those who read the value have left.
            match self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) if inside => return Cleared::Evicted,
                // SAFETY: PRESENT was cleared here, with nobody inside.
                Ok(_) => return Cleared::Free(Some(unsafe { self.value_out() })),
                Err(now) => seen = now,
            }
        }
    }

    /// Puts a value in, for `receivers` to read.
    ///
    /// # Safety
    /// Called by one sender at a time, of a node that [is free](Self::is_free).
    pub(super) unsafe fn fill(&self, position: usize, value: T, receivers: usize) {
        // SAFETY: PRESENT is clear, so nobody is inside, and this is the one sender.
        self.position.with_mut(|place| unsafe { *place = position });
        // SAFETY: as above.
        self.value.with_mut(|place| unsafe { (*place).write(value) });
        // Ordering: Release publishes both to who finds PRESENT. An addition, because others may be about to see that there
        // is nothing.
        self.word.fetch_add(PRESENT + receivers as u64 * REMAINING, Ordering::Release);
    }

    /// Enters, if the value of `position` is there.
    fn enter(&self, position: usize) -> Option<u64> {
        // Ordering: Acquire pairs with fill().
        let before = self.word.fetch_add(READER, Ordering::Acquire);
        // SAFETY: read only if PRESENT was found: then this is inside, and nobody writes.
        if before & PRESENT != 0 && self.position.with(|place| unsafe { *place }) == position {
            return Some(before);
        }
        drop(self.leave(READER));
        None
    }

    /// Leaves; gives the value to be dropped, if it is over by that.
    fn leave(&self, units: u64) -> Option<T> {
        // Ordering: Release: what was read inside was read before the value is taken; Acquire if it is taken here.
        let now = self.word.fetch_sub(units, Ordering::AcqRel) - units;
        if !is_over(now) {
            return None;
        }
        // Ordering: Acquire: those who read the value have left.
        let taken = self.word.compare_exchange(now, READER, Ordering::Acquire, Ordering::Relaxed);
        // SAFETY: PRESENT was cleared here, with nobody else inside.
        taken.is_ok().then(|| unsafe { self.take() })
    }

    /// Whether the value of `position` is there.
    pub(super) fn holds(&self, position: usize) -> bool {
        let entered = self.enter(position).is_some();
        if entered {
            drop(self.leave(READER));
        }
        entered
    }

    /// A receiver that has not received the value of `position` does so no more.
    pub(super) fn skip(&self, position: usize) {
        if self.enter(position).is_some() {
            drop(self.leave(READER + REMAINING));
        }
    }

    /// A receiver that has not received the value of `position` does so now; `entered` is called before anything foreign is.
    pub(super) fn read(&self, position: usize, entered: impl FnOnce()) -> Option<T>
    where
        T: Clone,
    {
        let before = self.enter(position)?;
        let inside = Inside(self);
        entered();
        if before & !EVICTED == PRESENT + REMAINING {
            // Ordering: Acquire as in leave().
            let taken = self.word.compare_exchange(before + READER, READER, Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                core::mem::forget(inside);
                // SAFETY: PRESENT was cleared here, with nobody else inside.
                return Some(unsafe { self.take() });
            }
        }
        // SAFETY: inside, so the value is there and nobody writes it. Several threads clone at a time if T is Sync: else
        // neither the channel nor its ends leave their thread.
        let value = self.value.with(|place| unsafe { (*place).assume_init_ref() });
        let value = value.clone();
        drop(inside);
        Some(value)
    }

    /// Moves the value out and leaves.
    ///
    /// # Safety
    /// The caller has just cleared `PRESENT`, and is counted as the one reader.
    unsafe fn take(&self) -> T {
        // SAFETY: by contract.
        let value = unsafe { self.value_out() };
        // Ordering: Release: moved out before a sender that finds the node free writes it.
        self.word.fetch_sub(READER, Ordering::Release);
        value
    }

    /// # Safety
    /// The caller has just cleared `PRESENT`, with nobody else inside, and nobody writes the node meanwhile.
    unsafe fn value_out(&self) -> T {
        // SAFETY: by contract the value was there and is the caller's.
        self.value.with(|place| unsafe { (*place).assume_init_read() })
    }
}

impl<T> Drop for Node<T> {
    fn drop(&mut self) {
        // Ordering: Acquire as in is_free().
        if self.word.load(Ordering::Acquire) & PRESENT != 0 {
            // SAFETY: nobody else is there any more.
            drop(unsafe { self.value_out() });
        }
    }
}
