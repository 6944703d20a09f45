//! A place for a value that the first who asks for it makes.

use super::cell::{Cell, poll_settled};
use super::initialise::{GetOrInit, GetOrTryInit};
use crate::semaphore::{Semaphore, TryAcquireError};
use crate::wait_word::Waiting;
use crate::weft_const_fn;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// A place for a value that the first who needs it makes, asynchronously, while the others wait.
///
/// One initialiser runs at a time. If it fails, panics or is dropped, the next of those who wait runs its own; once one has
/// succeeded, everybody has the value and no initialiser runs again.
///
/// # Fairness
/// Those who wait take their turn in the order in which they came.
///
/// # What it costs
/// Asking for a value that is there is one load.
///
/// # Counterparts
/// tokio's `sync::OnceCell`; in Python a lock around `if self._value is None`.
///
/// # Examples
/// ```
/// use weftwork_sync::{OnceCell, block_on};
///
/// static CONFIG: OnceCell<String> = OnceCell::new();
///
/// async fn config() -> &'static str {
///     CONFIG.get_or_init(async || "read from a file".to_owned()).await
/// }
///
/// assert_eq!(block_on(config()), "read from a file");
/// ```
#[doc(alias("Lazy", "LazyLock", "AsyncOnceCell"))]
pub struct OnceCell<T> {
    pub(super) cell: Cell<T>,
    /// Who has its one permit may set the value. Closed once that has happened.
    pub(super) turn: Semaphore,
}

impl<T> OnceCell<T> {
    weft_const_fn! {
        /// A place without a value; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// assert_eq!(weftwork_sync::OnceCell::<u8>::new().get(), None);
        /// ```
        pub fn new() -> Self {
            Self { cell: Cell::new(), turn: Semaphore::new(1) }
        }
    }

    weft_const_fn! {
        /// A place that has its value from the beginning.
        ///
        /// # Examples
        /// ```
        /// assert_eq!(weftwork_sync::OnceCell::new_with(1).get(), Some(&1));
        /// ```
        pub fn new_with(value: T) -> Self {
            // Nobody gets as far as to ask for a turn.
            Self { cell: Cell::with(value), turn: Semaphore::new(0) }
        }
    }

    /// The value, if it is there.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::OnceCell::new_with(1).get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// Whether the value is there.
    ///
    /// # Examples
    /// ```
    /// assert!(!weftwork_sync::OnceCell::<u8>::new().is_set());
    /// ```
    #[doc(alias("initialized", "is_initialized"))]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.cell.get().is_some()
    }

    /// The value, made by `init` if there is none.
    ///
    /// If another initialiser runs, this waits for it, and calls `init` only if that one does not succeed.
    ///
    /// An initialiser that asks the same cell for its value waits for itself, for ever.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue. If its initialiser was running it is dropped, and the next who
    /// waits runs its own.
    ///
    /// # Counterparts
    /// tokio's `OnceCell::get_or_init`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let cell = weftwork_sync::OnceCell::new();
    /// assert_eq!(cell.get_or_init(async || 1).await, &1);
    /// assert_eq!(cell.get_or_init(async || 2).await, &1);
    /// # });
    /// ```
    pub fn get_or_init<F, Fut>(&self, init: F) -> GetOrInit<'_, T, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        GetOrInit::new(self, init)
    }

    /// As [`get_or_init`](Self::get_or_init), with an initialiser that can fail.
    ///
    /// # Errors
    /// The error of `init`. The cell stays as it was, and the next who waits runs its own initialiser.
    ///
    /// # Cancel safety
    /// As [`get_or_init`](Self::get_or_init).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let cell = weftwork_sync::OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(async || Err("no network")).await, Err("no network"));
    /// assert_eq!(cell.get_or_try_init(async || Ok::<_, &str>(1)).await, Ok(&1));
    /// # });
    /// ```
    pub fn get_or_try_init<F, Fut, E>(&self, init: F) -> GetOrTryInit<'_, T, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        GetOrTryInit::new(self, init)
    }

    /// Sets the value, if there is none and nobody makes one.
    ///
    /// # Errors
    /// [`SetError`] with the value.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OnceCell, SetError};
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(SetError::AlreadySet(2)));
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.is_set() {
            return Err(SetError::AlreadySet(value));
        }
        match self.turn.try_acquire() {
            Ok(permit) => {
                let set = self.fill(value);
                permit.forget();
                set.map_err(SetError::AlreadySet)
            }
            Err(TryAcquireError::NoPermits) => Err(SetError::Initializing(value)),
            Err(_) => {
                self.turns_are_over();
                Err(SetError::AlreadySet(value))
            }
        }
    }

    /// Whoever has the turn sets the value; no turn is given out any more.
    pub(super) fn fill(&self, value: T) -> Result<(), T> {
        let set = self.cell.set(value);
        self.turn.close();
        set
    }

    /// Whoever was refused a turn sees the value after this. The refusal does not say so much: it may be read from the word
    /// without an acquire, as this is not.
    pub(super) fn turns_are_over(&self) {
        let closed = self.turn.is_closed();
        debug_assert!(closed, "a turn was refused by a cell without a value");
    }

    /// Waits until the value is there, whoever makes it.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// assert_eq!(weftwork_sync::OnceCell::new_with(1).wait().await, &1);
    /// # });
    /// ```
    pub fn wait(&self) -> OnceCellWait<'_, T> {
        OnceCellWait { waiting: Waiting::new(&self.cell) }
    }

    /// The value, to be changed by who has the place to itself.
    ///
    /// # Examples
    /// ```
    /// let mut cell = weftwork_sync::OnceCell::new_with(1);
    /// assert_eq!(cell.get_mut(), Some(&mut 1));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// Takes the value out: the next who asks makes another.
    ///
    /// # Examples
    /// ```
    /// let mut cell = weftwork_sync::OnceCell::new_with(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.set(2), Ok(()));
    /// ```
    pub fn take(&mut self) -> Option<T> {
        self.turn = Semaphore::new(1);
        self.cell.take()
    }

    /// The value, if it is there.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::OnceCell::new_with(1).into_inner(), Some(1));
    /// ```
    pub fn into_inner(mut self) -> Option<T> {
        self.cell.take()
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self::new_with(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell").field("value", &self.get()).field("waiters", &self.cell.waiting()).finish()
    }
}

/// The future of [`OnceCell::wait`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct OnceCellWait<'a, T> {
    waiting: Waiting<&'a Cell<T>>,
}

impl<'a, T> Future for OnceCellWait<'a, T> {
    type Output = &'a T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'a T> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        match ready!(poll_settled(waiting, cx, "a value that is made once")) {
            Ok(value) => Poll::Ready(value),
            // Nobody abandons this cell.
            Err(_) => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for OnceCellWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCellWait").field("phase", &self.waiting).finish_non_exhaustive()
    }
}

/// Why [`OnceCell::set`] did not set the value.
///
/// # Examples
/// ```
/// use weftwork_sync::{OnceCell, SetError};
/// assert_eq!(OnceCell::new_with(1).set(2), Err(SetError::AlreadySet(2)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetError<T> {
    /// There is a value already.
    AlreadySet(T),
    /// Somebody is making one.
    Initializing(T),
}

impl<T> SetError<T> {
    /// The value that was not set.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::SetError::AlreadySet(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::AlreadySet(value) | Self::Initializing(value) => value,
        }
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadySet(_) => "the cell has its value already: read it with get",
            Self::Initializing(_) => "somebody is making the cell's value: await it with wait or get_or_init",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for SetError<T> {}
