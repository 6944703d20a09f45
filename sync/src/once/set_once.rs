//! A place for one value that somebody sets and many wait for.

use super::cell::{Cell, poll_settled};
use crate::wait_word::Waiting;
use crate::weft_const_fn;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// A place for a value that is set once, by whoever comes first, and that many wait for and read.
///
/// It is for what is known late and never changes: an address that a server has bound, a configuration that arrives. Where
/// the one who waits could make the value itself, it is [`OnceCell`](crate::OnceCell); where it has to be known that the
/// setter gave up, [`promise`](crate::promise).
///
/// # Fairness
/// All who wait are told at once.
///
/// # What it costs
/// Reading a value that is there is one load, and so is waiting for it. Setting takes a lock for the time of one move.
///
/// # Counterparts
/// tokio's `sync::SetOnce`; asyncio's `Future` that several tasks await.
///
/// # Examples
/// ```
/// use weftwork_sync::{SetOnce, block_on};
///
/// static PORT: SetOnce<u16> = SetOnce::new();
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| PORT.set(8080));
///     assert_eq!(block_on(PORT.wait()), &8080);
/// });
/// assert_eq!(PORT.set(1), Err(1));
/// ```
#[doc(alias("OnceLock", "OnceEvent"))]
pub struct SetOnce<T> {
    cell: Cell<T>,
}

impl<T> SetOnce<T> {
    weft_const_fn! {
        /// A place without a value; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// assert_eq!(weftwork_sync::SetOnce::<u8>::new().get(), None);
        /// ```
        pub fn new() -> Self {
            Self { cell: Cell::new() }
        }
    }

    weft_const_fn! {
        /// A place that has its value from the beginning.
        ///
        /// # Examples
        /// ```
        /// assert_eq!(weftwork_sync::SetOnce::new_with(1).get(), Some(&1));
        /// ```
        pub fn new_with(value: T) -> Self {
            Self { cell: Cell::with(value) }
        }
    }

    /// Sets the value and wakes all who wait for it.
    ///
    /// # Errors
    /// The value, if there is one already; [`get`](Self::get) gives that then.
    ///
    /// # Examples
    /// ```
    /// let place = weftwork_sync::SetOnce::new();
    /// assert_eq!(place.set('a'), Ok(()));
    /// assert_eq!(place.set('b'), Err('b'));
    /// assert_eq!(place.get(), Some(&'a'));
    /// ```
    pub fn set(&self, value: T) -> Result<(), T> {
        self.cell.set(value)
    }

    /// The value, if it was set.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::SetOnce::new_with(1).get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// Whether the value was set.
    ///
    /// # Examples
    /// ```
    /// assert!(!weftwork_sync::SetOnce::<u8>::new().is_set());
    /// ```
    #[doc(alias = "initialized")]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.cell.get().is_some()
    }

    /// The value, to be changed by who has the place to itself.
    ///
    /// # Examples
    /// ```
    /// let mut place = weftwork_sync::SetOnce::new_with(1);
    /// if let Some(value) = place.get_mut() {
    ///     *value = 2;
    /// }
    /// assert_eq!(place.into_inner(), Some(2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// The value, if it was set.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::SetOnce::<u8>::new().into_inner(), None);
    /// ```
    pub fn into_inner(mut self) -> Option<T> {
        self.cell.take()
    }

    /// Waits until the value is set.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Counterparts
    /// tokio's `SetOnce::wait`; awaiting an asyncio `Future`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let place = weftwork_sync::SetOnce::new_with("here");
    /// assert_eq!(place.wait().await, &"here");
    /// # });
    /// ```
    pub fn wait(&self) -> SetOnceWait<'_, T> {
        SetOnceWait { waiting: Waiting::new(&self.cell) }
    }

    /// As [`wait`](Self::wait), on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that sets the value may need that thread.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::SetOnce::new_with(1).blocking_wait(), &1);
    /// ```
    pub fn blocking_wait(&self) -> &T {
        crate::block_on(self.wait())
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        Self::new_with(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetOnce").field("value", &self.get()).field("waiters", &self.cell.waiting()).finish()
    }
}

/// The future of [`SetOnce::wait`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct SetOnceWait<'a, T> {
    waiting: Waiting<&'a Cell<T>>,
}

impl<'a, T> Future for SetOnceWait<'a, T> {
    type Output = &'a T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'a T> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        match ready!(poll_settled(waiting, cx, "a value that is set once")) {
            Ok(value) => Poll::Ready(value),
            // Nobody abandons this cell.
            Err(_) => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for SetOnceWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetOnceWait").field("phase", &self.waiting).finish_non_exhaustive()
    }
}
