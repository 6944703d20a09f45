//! A count that somebody waits to see at zero: workers of a group, receivers of a channel, those who may want a value.

use crate::wait_word::{HasWord, UNIT, WaitWord};
use crate::weft_const_fn;

/// Far below what fits, so that the sum of all that is done at once before the check is noticed does not wrap.
const MOST: usize = usize::MAX / 2;

pub(crate) struct WaitCount {
    word: WaitWord,
}

impl WaitCount {
    weft_const_fn! {
        pub(crate) fn new(count: usize) -> Self {
            Self { word: WaitWord::new(count * UNIT) }
        }
    }

    /// One more.
    pub(crate) fn add(&self) {
        let more = |value: usize| (value <= MOST).then_some(value + UNIT);
        // So many handles are a leak gone wild: the process ends rather than miscount, as it does for an Arc.
        if self.word.change(more, |_| false, || ()).is_err() {
            std::process::abort();
        }
    }

    /// One more, unless there is none; `false` then.
    pub(crate) fn add_to_some(&self) -> bool {
        let more = |value: usize| (value > 0 && value <= MOST).then_some(value + UNIT);
        self.word.change(more, |_| false, || ()).is_ok()
    }

    /// One less; `true` if it was the last.
    pub(crate) fn remove(&self) -> bool {
        self.remove_and(|| ())
    }

    /// As [`remove`](Self::remove), with something to be done before anybody is woken.
    pub(crate) fn remove_and(&self, before_waking: impl FnOnce()) -> bool {
        let less = |value: usize| value.checked_sub(UNIT);
        let before = self.word.change(less, |value| value == 0, before_waking);
        debug_assert!(before.is_ok(), "removed more than were added");
        before == Ok(UNIT)
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.word.get() / UNIT
    }

    /// How many wait for zero; for Debug.
    pub(crate) fn waiting(&self) -> usize {
        self.word.waiting()
    }
}

/// The condition of whoever waits at a count's word.
pub(crate) fn is_zero(value: usize) -> bool {
    value == 0
}

impl HasWord for &WaitCount {
    #[inline]
    fn word(&self) -> &WaitWord {
        &self.word
    }
}
