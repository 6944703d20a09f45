//! The cell that both ends share: one allocation, one word, no count.
//!
//! # The word
//!
//! | bit | meaning | set by |
//! |---|---|---|
//! | `COMPLETE` | the sender has decided: it sent or it will not | sender, once |
//! | `VALUE` | with `COMPLETE`: the value is in its place and belongs to the receiver | sender, with `COMPLETE` |
//! | `CLOSED` | the receiver takes no more | receiver, once |
//! | `RECEIVER_WAITS` | the receiver's waker lies in its place and belongs to whoever clears this bit | receiver |
//! | `SENDER_WAITS` | the sender's waker (of `closed()`) lies in its place and belongs to whoever clears this bit | sender |
//! | `SENDER_GONE` | the sender will not touch the memory again | sender, last |
//! | `RECEIVER_GONE` | the receiver will not touch the memory again | receiver, last |
//!
//! Whoever sets the second of the two `GONE` bits frees the memory.
//!
//! # Races
//! 1. Send against close (tokio 4225, RUSTSEC-2021-0124): the sender writes the value before its compare-exchange sets
//!    `VALUE`; if that finds `CLOSED`, `VALUE` was never set, so the value is still the sender's and it takes it back. The
//!    receiver touches the place only after it has seen `VALUE`.
//! 2. Send against a receiver that waits and is dropped (RUSTSEC-2026-0005): a waker belongs to whoever clears its bit, so
//!    only one of the two takes it. The sender says `SENDER_GONE` only after it has taken it; until then the memory stays.
//! 3. Waiting against sending: the receiver's read-modify-write that sets `RECEIVER_WAITS` sees `COMPLETE`, or the sender's
//!    sees `RECEIVER_WAITS`: both act on one word.
//! 4. The receiver compares its waker in place while the sender may take it: both only read those bytes, and the receiver
//!    looks at the word again before it relies on the waker being there.
//!
//! Wakers are called and dropped, and values dropped, when the word no longer needs them; a panic in one leaks nothing.

use crate::primitive::UnsafeCell;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

const COMPLETE: usize = 1;
const VALUE: usize = 2;
const CLOSED: usize = 4;
const RECEIVER_WAITS: usize = 8;
const SENDER_WAITS: usize = 16;
const SENDER_GONE: usize = 32;
const RECEIVER_GONE: usize = 64;

pub(super) struct Cell<T> {
    word: AtomicUsize,
    value: UnsafeCell<MaybeUninit<T>>,
    receiver: UnsafeCell<MaybeUninit<Waker>>,
    sender: UnsafeCell<MaybeUninit<Waker>>,
}

/// What the receiver finds.
#[must_use]
pub(super) enum Found<T> {
    Value(T),
    Nothing,
    Never,
}

impl<T> Cell<T> {
    pub(super) fn allocate() -> NonNull<Self> {
        NonNull::from(Box::leak(Box::new(Self {
            word: AtomicUsize::new(0),
            value: UnsafeCell::new(MaybeUninit::uninit()),
            receiver: UnsafeCell::new(MaybeUninit::uninit()),
            sender: UnsafeCell::new(MaybeUninit::uninit()),
        })))
    }

    /// # Safety
    /// The caller has just set the second of the two `GONE` bits, or found the other one set and sets its own no more.
    unsafe fn free(cell: NonNull<Self>) {
        // SAFETY: both ends are done with the memory. What was in the places has been taken out: MaybeUninit drops nothing.
        drop(unsafe { Box::from_raw(cell.as_ptr()) });
    }

    /// The sender's last act: it sends `value`, or nothing. The value comes back if the receiver takes no more.
    ///
    /// # Safety
    /// The sender calls this once and never touches the cell again.
    pub(super) unsafe fn complete(cell: NonNull<Self>, value: Option<T>) -> Option<T> {
        // SAFETY: SENDER_GONE is not set yet, so the memory is there.
        let this = unsafe { cell.as_ref() };
        let mut set = COMPLETE | SENDER_GONE;
        if let Some(value) = value {
            set |= VALUE;
            // SAFETY: race 1: VALUE is not set, so the place is the sender's.
            this.value.with_mut(|place| unsafe { (*place).write(value) });
        }
        // Ordering: Relaxed, the compare-exchange below validates it.
        let mut seen = this.word.load(Ordering::Relaxed);
        loop {
            let refused = seen & CLOSED != 0;
            let waits = seen & (RECEIVER_WAITS | SENDER_WAITS);
            let mut next = (seen | set) & !waits;
            if refused {
                next &= !VALUE;
            }
            if waits != 0 {
                // Race 2: the wakers have to be taken first.
                next &= !SENDER_GONE;
            }
            // The receiver may free the memory as soon as SENDER_GONE is out, so a value comes back before that.
            if refused && set & VALUE != 0 {
                next &= !SENDER_GONE;
            }
            // Ordering: Release publishes the value to take(); Acquire sees the wakers that are taken, and all that the
            // receiver did if it is this end that frees the memory.
            match this.word.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    if next & SENDER_GONE != 0 {
                        if seen & RECEIVER_GONE != 0 {
                            // SAFETY: this was the second GONE.
                            unsafe { Self::free(cell) };
                        }
                        return None;
                    }
                    // SAFETY: SENDER_GONE is not set; the waiting bits in `seen` were cleared by this end.
                    return unsafe { Self::complete_slowly(cell, seen, set & VALUE != 0 && refused) };
                }
                Err(now) => seen = now,
            }
        }
    }

    /// # Safety
    /// `seen` holds the waiting bits that the sender has just cleared; `take_back` only if the value was refused.
    #[cold]
    unsafe fn complete_slowly(cell: NonNull<Self>, seen: usize, take_back: bool) -> Option<T> {
        // SAFETY: SENDER_GONE is not set yet.
        let this = unsafe { cell.as_ref() };
        // SAFETY: VALUE was not set, so the place is still the sender's.
        let value = take_back.then(|| this.value.with(|place| unsafe { (*place).assume_init_read() }));
        // SAFETY: whoever clears the bit owns the waker.
        let to_wake = (seen & RECEIVER_WAITS != 0).then(|| unsafe { take_waker(&this.receiver) });
        // SAFETY: as above.
        let own = (seen & SENDER_WAITS != 0).then(|| unsafe { take_waker(&this.sender) });
        // Ordering: Release: the reads above come before the receiver frees the memory; Acquire: the other way round.
        if this.word.fetch_or(SENDER_GONE, Ordering::AcqRel) & RECEIVER_GONE != 0 {
            // SAFETY: this was the second GONE.
            unsafe { Self::free(cell) };
        }
        if let Some(waker) = to_wake {
            waker.wake();
        }
        drop(own);
        value
    }

    /// Whether the receiver takes no more.
    pub(super) fn is_closed(&self) -> bool {
        // Ordering: Acquire, so that what the receiver did before it closed is seen.
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// The sender waits for the receiver to close.
    ///
    /// # Safety
    /// Called by the sender, by one thread at a time, before [`complete`](Self::complete).
    pub(super) unsafe fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: by contract.
        unsafe { self.wait(&self.sender, SENDER_WAITS, CLOSED, cx) }
    }

    /// The receiver waits for the sender to decide.
    ///
    /// # Safety
    /// Called by the receiver, by one thread at a time, before [`leave`](Self::leave).
    pub(super) unsafe fn poll_complete(&self, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: by contract.
        unsafe { self.wait(&self.receiver, RECEIVER_WAITS, COMPLETE, cx) }
    }

    /// Waits for `goal` with the waker in `place`, which is there while `bit` is set.
    ///
    /// # Safety
    /// `place` and `bit` are the caller's own.
    unsafe fn wait(
        &self,
        place: &UnsafeCell<MaybeUninit<Waker>>,
        bit: usize,
        goal: usize,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // Ordering: Acquire, so that what the other end did before `goal` is seen.
        let seen = self.word.load(Ordering::Acquire);
        if seen & goal != 0 {
            return Poll::Ready(());
        }
        let mut old = None;
        if seen & bit != 0 {
            // SAFETY: race 4: written by this end; the other end at most reads it too.
            let same = place.with(|place| unsafe { (*place).assume_init_ref().will_wake(cx.waker()) });
            if same {
                // Ordering: as above. If the goal is not reached, the bit is still set, for only reaching it clears the bit.
                return if self.word.load(Ordering::Acquire) & goal != 0 { Poll::Ready(()) } else { Poll::Pending };
            }
        }
        let fresh = cx.waker().clone();
        if seen & bit != 0 {
            // Ordering: Acquire, so that the goal's Release is seen where it was reached.
            let now = self.word.fetch_and(!bit, Ordering::Acquire);
            if now & bit == 0 {
                // The other end took the waker, which it does only when it reaches the goal.
                return Poll::Ready(());
            }
            // SAFETY: this end cleared the bit.
            old = Some(unsafe { take_waker(place) });
        }
        // SAFETY: the bit is clear, so the place is this end's.
        place.with_mut(|place| unsafe { (*place).write(fresh) });
        // Ordering: Release publishes the waker to whoever clears the bit; Acquire as above.
        let now = self.word.fetch_or(bit, Ordering::AcqRel);
        drop(old);
        // Race 3. The waker stays in place; whoever leaves takes it along.
        if now & goal != 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Looks for the value. `Found::Value` at most once: the caller remembers that it took it.
    ///
    /// # Safety
    /// Called by the receiver, by one thread at a time, and not after it found the value.
    pub(super) unsafe fn take(&self) -> Found<T> {
        // Ordering: Acquire pairs with the Release of complete().
        let seen = self.word.load(Ordering::Acquire);
        if seen & VALUE != 0 {
            // SAFETY: VALUE is set, so the place is the receiver's, and by contract it is read once.
            Found::Value(self.value.with(|place| unsafe { (*place).assume_init_read() }))
        } else if seen & (COMPLETE | CLOSED) != 0 {
            Found::Never
        } else {
            Found::Nothing
        }
    }

    /// The receiver takes no more; a sender that waits for that is woken.
    pub(super) fn close(&self) {
        // Ordering: Acquire sees the waker that is taken; Release: what the receiver did before is seen by the sender.
        if self.word.fetch_or(CLOSED, Ordering::AcqRel) & SENDER_WAITS == 0 {
            return;
        }
        // Ordering: Acquire as above.
        if self.word.fetch_and(!SENDER_WAITS, Ordering::Acquire) & SENDER_WAITS != 0 {
            // SAFETY: this end cleared the bit.
            unsafe { take_waker(&self.sender) }.wake();
        }
    }

    /// The receiver's last act. Returns a value that it never took, for the caller to drop.
    ///
    /// # Safety
    /// The receiver calls this once and never touches the cell again; `taken` says whether it took the value.
    pub(super) unsafe fn leave(cell: NonNull<Self>, taken: bool) -> Option<T> {
        // SAFETY: RECEIVER_GONE is not set yet, so the memory is there.
        let this = unsafe { cell.as_ref() };
        // Ordering: Acquire, for the value and for what the sender did with the memory.
        let seen = this.word.load(Ordering::Acquire);
        if seen & (SENDER_GONE | RECEIVER_WAITS) == SENDER_GONE {
            // Nobody else is left: no read-modify-write is needed.
            // SAFETY: the value is read once, and then the memory belongs to the receiver alone.
            let value =
                (seen & VALUE != 0 && !taken).then(|| this.value.with(|place| unsafe { (*place).assume_init_read() }));
            // SAFETY: the sender is gone and so is, with this, the receiver.
            unsafe { Self::free(cell) };
            return value;
        }
        // SAFETY: as for this function.
        unsafe { Self::leave_slowly(cell, taken) }
    }

    /// # Safety
    /// As [`leave`](Self::leave).
    #[cold]
    unsafe fn leave_slowly(cell: NonNull<Self>, taken: bool) -> Option<T> {
        // SAFETY: RECEIVER_GONE is not set yet.
        let this = unsafe { cell.as_ref() };
        // Ordering: Acquire sees the value and the sender's waker; Release as in close().
        let seen = this.word.fetch_or(CLOSED, Ordering::AcqRel);
        let value = (seen & VALUE != 0 && !taken)
            // SAFETY: VALUE is set and the value was not taken.
            .then(|| this.value.with(|place| unsafe { (*place).assume_init_read() }));
        let waits = seen & (RECEIVER_WAITS | SENDER_WAITS);
        let mut own = None;
        let mut to_wake = None;
        if waits != 0 {
            // Ordering: Acquire as above.
            let cleared = this.word.fetch_and(!waits, Ordering::Acquire) & waits;
            // SAFETY: this end cleared the bit.
            own = (cleared & RECEIVER_WAITS != 0).then(|| unsafe { take_waker(&this.receiver) });
            // SAFETY: as above.
            to_wake = (cleared & SENDER_WAITS != 0).then(|| unsafe { take_waker(&this.sender) });
        }
        // Ordering: Release: the reads above come before the sender frees the memory; Acquire: the other way round.
        if this.word.fetch_or(RECEIVER_GONE, Ordering::AcqRel) & SENDER_GONE != 0 {
            // SAFETY: this was the second GONE.
            unsafe { Self::free(cell) };
        }
        if let Some(waker) = to_wake {
            waker.wake();
        }
        drop(own);
        value
    }

    /// What Debug shows: sent, decided, closed.
    pub(super) fn observe(&self) -> &'static str {
        let seen = self.word.load(Ordering::Relaxed);
        if seen & VALUE != 0 {
            "sent"
        } else if seen & COMPLETE != 0 {
            "sender dropped"
        } else if seen & CLOSED != 0 {
            "closed"
        } else {
            "open"
        }
    }
}

/// # Safety
/// The caller has just cleared the bit that says the waker is there.
unsafe fn take_waker(place: &UnsafeCell<MaybeUninit<Waker>>) -> Waker {
    // SAFETY: by contract the waker is there and is the caller's alone.
    place.with(|place| unsafe { (*place).assume_init_read() })
}
