//! The end that looks and waits.

use super::Ref;
use super::error::RecvError;
use super::state::{State, Version};
use crate::coop;
use crate::primitive::Shared;
use crate::wait_word::{WaitWord, Waiting};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// The end that looks at the value and waits for changes. A clone has seen what the original has seen.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, mut receiver) = weftwork_sync::watch::channel(1);
/// assert!(sender.send(2).is_ok());
/// receiver.changed().await.expect("the sender is there");
/// assert_eq!(*receiver.borrow_and_update(), 2);
/// # });
/// ```
pub struct Receiver<T> {
    state: Shared<State<T>>,
    /// The version that was seen last.
    seen: Version,
}

impl<T> Receiver<T> {
    /// The caller has counted one receiver.
    pub(super) fn of(state: Shared<State<T>>) -> Self {
        let seen = state.version().0;
        Self { state, seen }
    }

    /// The newest value, which does not count as seen by this. Nobody can change it while it is borrowed.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// assert_eq!(*receiver.borrow(), 2);
    /// assert_eq!(receiver.has_changed(), Ok(true));
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, version) = self.state.read();
        Ref { value, changed: version != self.seen }
    }

    /// The newest value, which counts as seen. Nobody can change it while it is borrowed.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// assert_eq!(*receiver.borrow_and_update(), 2);
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// ```
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let (value, version) = self.state.read();
        let changed = version != self.seen;
        self.seen = version;
        Ref { value, changed }
    }

    /// Whether there is a value that this has not seen.
    ///
    /// # Errors
    /// [`RecvError`] if all senders are gone, whether or not their last value was seen.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::watch::channel(1);
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// drop(sender);
    /// assert!(receiver.has_changed().is_err());
    /// ```
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        match self.state.version() {
            (_, true) => Err(RecvError(())),
            (version, false) => Ok(version != self.seen),
        }
    }

    /// The value that there is counts as not seen: the next [`changed`](Self::changed) completes at once.
    ///
    /// # Examples
    /// ```
    /// let (_sender, mut receiver) = weftwork_sync::watch::channel(1);
    /// receiver.mark_changed();
    /// assert_eq!(receiver.has_changed(), Ok(true));
    /// ```
    pub fn mark_changed(&mut self) {
        self.seen = self.state.version().0.before();
    }

    /// The value that there is counts as seen.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// receiver.mark_unchanged();
    /// assert_eq!(receiver.has_changed(), Ok(false));
    /// ```
    pub fn mark_unchanged(&mut self) {
        self.seen = self.state.version().0;
    }

    /// Waits for a value that this has not seen, which counts as seen then.
    ///
    /// # Errors
    /// [`RecvError`] if all senders are gone and their last value was seen.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: no value counts as seen unless it completes.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, mut receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(2).is_ok());
    /// drop(sender);
    /// assert_eq!(receiver.changed().await, Ok(()));
    /// assert!(receiver.changed().await.is_err());
    /// # });
    /// ```
    pub fn changed(&mut self) -> Changed<'_> {
        Changed { seen: &mut self.seen, waiting: Waiting::new(&self.state.word) }
    }

    /// Waits until the value passes `test`, which may be so already, and borrows it; it counts as seen.
    ///
    /// `test` runs under the value's lock: it must not touch this channel. It may miss values that are replaced soon.
    ///
    /// # Errors
    /// [`RecvError`] if all senders are gone and their last value does not pass.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: values that did not pass count as seen.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (sender, mut receiver) = weftwork_sync::watch::channel(1);
    /// assert!(sender.send(5).is_ok());
    /// assert_eq!(receiver.wait_for(|value| *value > 3).await.map(|value| *value), Ok(5));
    /// # });
    /// ```
    pub fn wait_for<F: FnMut(&T) -> bool>(&mut self, test: F) -> WaitFor<'_, T, F> {
        WaitFor { state: &self.state, seen: &mut self.seen, test, waiting: Waiting::new(&self.state.word) }
    }

    /// Whether both look at the same value.
    ///
    /// # Examples
    /// ```
    /// let (_sender, receiver) = weftwork_sync::watch::channel(1);
    /// assert!(receiver.same_channel(&receiver.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.state, &other.state)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.state.receivers.add();
        Self { state: self.state.clone(), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.state.receivers.remove();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, closed) = self.state.version();
        f.debug_struct("watch::Receiver")
            .field("changed", &(version != self.seen))
            .field("closed", &closed)
            .finish_non_exhaustive()
    }
}

/// Waits for a version that is not `seen`, or for the end of the senders; says which version it is and whether they are gone.
fn poll_news(mut waiting: Pin<&mut Waiting<&WaitWord>>, cx: &Context<'_>, seen: Version) -> Poll<(Version, bool)> {
    loop {
        // A swept wait is a reason to look; the condition decides.
        ready!(waiting.as_mut().poll(cx, |word| {
            let (version, closed) = Version::of(word);
            version != seen || closed
        }));
        let (version, closed) = Version::of(waiting.place().get());
        if version != seen || closed {
            return Poll::Ready((version, closed));
        }
    }
}

/// The future of [`Receiver::changed`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Changed<'a> {
    seen: &'a mut Version,
    waiting: Waiting<&'a WaitWord>,
}

impl Future for Changed<'_> {
    type Output = Result<(), RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only `waiting` is pinned, and it is handed out pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let waiting = unsafe { Pin::new_unchecked(&mut this.waiting) };
        let unit = ready!(coop::proceed_for(cx, waiting.has_begun(), || coop::Wait::new("a change")));
        let (version, _) = ready!(poll_news(waiting, cx, *this.seen));
        unit.made_progress();
        // A value that came before the senders went is seen first.
        if version == *this.seen {
            return Poll::Ready(Err(RecvError(())));
        }
        *this.seen = version;
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Changed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed").field("phase", &self.waiting).finish_non_exhaustive()
    }
}

/// The future of [`Receiver::wait_for`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct WaitFor<'a, T, F> {
    state: &'a State<T>,
    seen: &'a mut Version,
    test: F,
    waiting: Waiting<&'a WaitWord>,
}

impl<'a, T, F: FnMut(&T) -> bool> Future for WaitFor<'a, T, F> {
    type Output = Result<Ref<'a, T>, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only `waiting` is pinned, and it is handed out pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let mut waiting = unsafe { Pin::new_unchecked(&mut this.waiting) };
        let unit = ready!(coop::proceed_for(cx, waiting.has_begun(), || coop::Wait::new("a value that passes")));
        if waiting.has_begun() {
            ready!(waiting.as_mut().poll(cx, |_| true));
        }
        loop {
            // Looked at before the value, so that what the senders sent before they went is tested.
            let closed = this.state.version().1;
            let (value, version) = this.state.read();
            let changed = version != *this.seen;
            *this.seen = version;
            if (this.test)(&value) {
                unit.made_progress();
                return Poll::Ready(Ok(Ref { value, changed }));
            }
            drop(value);
            if closed {
                unit.made_progress();
                return Poll::Ready(Err(RecvError(())));
            }
            ready!(poll_news(waiting.as_mut(), cx, version));
        }
    }
}

impl<T, F> fmt::Debug for WaitFor<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor").field("phase", &self.waiting).finish_non_exhaustive()
    }
}
