//! An item that was taken out of a queue and is not done yet.

use super::unfinished::Unfinished;
use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};

/// An item that was got out of a queue. Dropping it says that the work on it is done, which a [`join`](super::Queue::join) waits
/// for; that includes a worker that panics, returns early or is cancelled.
///
/// It is done *after* the item itself was dropped. [`into_inner`](Self::into_inner) gives the item away and is done with it;
/// [`forget`](Self::forget) leaves it to you to call [`task_done`](super::Queue::task_done).
///
/// # Counterparts
/// asyncio's `get()` and `task_done()` in one: a worker that fails cannot leave a `join` waiting for ever.
///
/// # Examples
/// ```
/// let queue = weftwork_sync::Queue::unbounded();
/// assert!(queue.try_put("work").is_ok());
/// let item = queue.try_get().expect("one is there");
/// assert_eq!((item.len(), queue.unfinished()), (4, 1));
/// drop(item);
/// assert_eq!(queue.unfinished(), 0);
/// ```
#[must_use = "the work on the item counts as done at once when this is dropped"]
pub struct Item<'a, T> {
    // Dropped in this order, the second also where the first panics.
    value: T,
    mark: Mark<'a>,
}

/// One item of the count, given back on drop.
struct Mark<'a>(&'a Unfinished);

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        // `false` where task_done was called once too often, which it was told itself, or will be.
        self.0.done();
    }
}

impl<'a, T> Item<'a, T> {
    /// The item was just taken out of the queue whose count this is.
    pub(super) fn new(value: T, unfinished: &'a Unfinished) -> Self {
        Self { value, mark: Mark(unfinished) }
    }

    /// The item itself. The work on it counts as done from now on.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::queue::{Item, Queue};
    /// let queue = Queue::unbounded();
    /// assert!(queue.try_put(7).is_ok());
    /// assert_eq!(queue.try_get().map(Item::into_inner), Ok(7));
    /// assert_eq!(queue.unfinished(), 0);
    /// ```
    pub fn into_inner(this: Self) -> T {
        this.value
    }

    /// The item itself, and a promise to call [`task_done`](super::Queue::task_done) when the work on it is done.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::queue::{Item, Queue};
    /// let queue = Queue::unbounded();
    /// assert!(queue.try_put(7).is_ok());
    /// assert_eq!(queue.try_get().map(Item::forget), Ok(7));
    /// assert_eq!(queue.unfinished(), 1);
    /// assert!(queue.task_done().is_ok());
    /// ```
    pub fn forget(this: Self) -> T {
        let Self { value, mark } = this;
        mem::forget(mark);
        value
    }
}

impl<T> Deref for Item<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Item<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: PartialEq> PartialEq for Item<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Item<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Item<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
