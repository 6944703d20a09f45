//! A value that comes once: what `SetOnce`, `OnceCell` and the promise have in common.
//!
//! # The word
//! A [`WaitWord`]; its states, in units of its own:
//!
//! | state | meaning | left |
//! |---|---|---|
//! | `OPEN` | no value yet; the place belongs to whoever holds the list's lock | once, for one of the others, under that lock |
//! | `SET` | the value is in its place; everybody may read it, and nobody writes | never, but by who has the cell to itself |
//! | `NEVER` | no value will come | never |
//!
//! # Races
//! 1. Two who set: the value is moved in under the list's lock, together with the change of the state. The second one finds
//!    `SET`, and the value can be read by then: there is no moment in which it is claimed and not there.
//! 2. Setting against waiting: see `wait_word.rs`, race 1.
//! 3. Reading: who has seen `SET` has acquired what was written, and it is not written again.

use crate::primitive::UnsafeCell;
use crate::wait_word::{HasWord, UNIT, WaitWord, Waiting};
use crate::weft_const_fn;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

const OPEN: usize = 0;
const SET: usize = UNIT;
const NEVER: usize = 2 * UNIT;

pub(crate) struct Cell<T> {
    word: WaitWord,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value goes where the cell goes.
unsafe impl<T: Send> Send for Cell<T> {}
// SAFETY: several threads read the value at a time, and one may move it in that another takes out.
unsafe impl<T: Send + Sync> Sync for Cell<T> {}

/// What is known of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found<'a, T> {
    Value(&'a T),
    Nothing,
    Never,
}

/// A value that will never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Never;

impl<T> Cell<T> {
    weft_const_fn! {
        pub(crate) fn new() -> Self {
            Self { word: WaitWord::new(OPEN), value: UnsafeCell::new(MaybeUninit::uninit()) }
        }
    }

    weft_const_fn! {
        pub(crate) fn with(value: T) -> Self {
            Self { word: WaitWord::new(SET), value: UnsafeCell::new(MaybeUninit::new(value)) }
        }
    }

    /// Moves the value in and tells all who wait. It comes back if there is one, or none will come.
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.word.change_guarded(OPEN, SET, || {
            if let Some(value) = value.take() {
                // SAFETY: the state is OPEN and the list's lock is held, so the place is this call's.
                self.value.with_mut(|place| unsafe { (*place).write(value) });
            }
        });
        value.map_or(Ok(()), Err)
    }

    /// No value will come, if none has; all who wait are told.
    pub(crate) fn abandon(&self) {
        self.word.change_guarded(OPEN, NEVER, || ());
    }

    #[inline]
    pub(crate) fn find(&self) -> Found<'_, T> {
        match self.word.get() {
            // SAFETY: the state is SET, so the value is there and nobody writes it while the cell is borrowed.
            SET => Found::Value(self.value.with(|place| unsafe { (*place).assume_init_ref() })),
            NEVER => Found::Never,
            _ => Found::Nothing,
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        match self.find() {
            Found::Value(value) => Some(value),
            Found::Nothing | Found::Never => None,
        }
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        // SAFETY: as in find(), and nobody else is there.
        (self.word.get() == SET).then(|| self.value.with_mut(|place| unsafe { (*place).assume_init_mut() }))
    }

    /// Takes the value out; the cell is open then.
    pub(crate) fn take(&mut self) -> Option<T> {
        let is_set = self.word.get() == SET;
        self.word.reset(OPEN);
        // SAFETY: the value was there, and the state says now that it is not.
        is_set.then(|| self.value.with(|place| unsafe { (*place).assume_init_read() }))
    }

    /// How many wait; for Debug.
    pub(crate) fn waiting(&self) -> usize {
        self.word.waiting()
    }
}

impl<T> Drop for Cell<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<T> Cell<T> {
    /// What whoever owns the cell in another way waits at.
    #[inline]
    pub(crate) fn as_word(&self) -> &WaitWord {
        &self.word
    }
}

impl<T> HasWord for &Cell<T> {
    #[inline]
    fn word(&self) -> &WaitWord {
        &self.word
    }
}

/// Waits until it is known what becomes of the value, and spends a unit of the budget.
#[inline]
pub(crate) fn poll_settled<'a, T>(
    mut waiting: Pin<&mut Waiting<&'a Cell<T>>>,
    cx: &mut Context<'_>,
    waits_for: &'static str,
) -> Poll<Result<&'a T, Never>> {
    let cell: &'a Cell<T> = waiting.as_ref().get_ref().place();
    ready!(waiting.as_mut().poll_as_leaf(cx, waits_for, is_settled));
    Poll::Ready(cell.get().ok_or(Never))
}

/// The condition of whoever waits at a cell's word.
pub(crate) fn is_settled(state: usize) -> bool {
    state != OPEN
}
