//! Wakers collected under a lock and called after it.
//!
//! A waker is foreign code: it may block, panic, or come back into the very structure that wakes it. So it is never
//! called, cloned or dropped under a lock; whoever holds one collects into a `WakeBatch` and lets it go afterwards.

use crate::primitive::contain;
use core::fmt;
use core::task::Waker;

/// How many wakers fit without an allocation.
const INLINE: usize = 8;

/// Wakers to be called once every lock is released. Dropping the batch calls those that are left.
pub struct WakeBatch {
    inline: [Option<Waker>; INLINE],
    len: usize,
    more: Vec<Waker>,
}

impl WakeBatch {
    /// An empty batch.
    pub const fn new() -> Self {
        Self { inline: [const { None }; INLINE], len: 0, more: Vec::new() }
    }

    /// Adds a waker.
    pub fn push(&mut self, waker: Waker) {
        if self.len < INLINE {
            self.inline[self.len] = Some(waker);
        } else {
            self.more.push(waker);
        }
        self.len += 1;
    }

    /// How many wakers are in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Calls every waker in the order they were added. A waker that panics does not keep the others from being called;
    /// the first panic is thrown on when all are done.
    #[inline]
    pub fn wake_all(&mut self) {
        if self.len > 0 {
            self.wake_those();
        }
    }

    fn wake_those(&mut self) {
        let mut first = None;
        let inline = self.inline.iter_mut().filter_map(Option::take);
        for waker in inline.chain(self.more.drain(..)) {
            if let Err(panic) = contain(|| waker.wake()) {
                first.get_or_insert(panic);
            }
        }
        self.len = 0;
        if let Some(panic) = first {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Default for WakeBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for WakeBatch {
    fn drop(&mut self) {
        if self.len > 0 {
            self.wake_all();
        }
    }
}

impl Extend<Waker> for WakeBatch {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        wakers.into_iter().for_each(|w| self.push(w));
    }
}

impl fmt::Debug for WakeBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakeBatch").field("len", &self.len).finish()
    }
}
