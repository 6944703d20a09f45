//! A value that one sets and many await, and the news that it will never be set.
//!
//! [`promise`] makes the two ends. The [`Setter`] sets the value once; each clone of the [`Promise`] is a future of it. If the
//! setter is dropped without setting the value, all are told.
//!
//! | file | holds |
//! |---|---|
//! | `callbacks.rs` | what is to be called once the value is known |
//! | `shared.rs` | a future that many await |
//! | `mod.rs` | the two ends; the cell between them is `once/cell.rs` |

mod callbacks;
mod shared;

pub use shared::{SharedFuture, shared};

use crate::once::cell::{Cell, Found, Never, is_settled, poll_settled};
use crate::primitive::Shared;
use crate::wait_count::{WaitCount, is_zero};
use crate::wait_word::{HasWord, WaitWord, Waiting};
use callbacks::Callbacks;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// What the two ends share.
struct Pledge<T> {
    cell: Cell<T>,
    /// The promises there are.
    promises: WaitCount,
    callbacks: Callbacks<T>,
}

/// Makes a setter and a promise of one value.
///
/// # Counterparts
/// asyncio's `Future` (`loop.create_future()`), divided into who may set it and who waits. A setter is used up by setting,
/// so that what asyncio reports as `InvalidStateError` does not compile.
///
/// # Examples
/// ```
/// use weftwork_sync::{block_on, promise};
///
/// let (setter, promised) = promise();
/// let another = promised.clone();
/// std::thread::scope(|scope| {
///     scope.spawn(move || assert_eq!(block_on(another), Ok(42)));
///     setter.set(42);
/// });
/// assert_eq!(promised.get(), Some(Ok(&42)));
/// ```
#[doc(alias("Future", "asyncio.Future", "create_future", "completer", "deferred"))]
pub fn promise<T>() -> (Setter<T>, Promise<T>) {
    let pledge = Pledge { cell: Cell::new(), promises: WaitCount::new(1), callbacks: Callbacks::new() };
    let pledge = Shared::new(pledge);
    (Setter { pledge: pledge.clone() }, Promise { waiting: Waiting::new(Counted { pledge }) })
}

/// The end that sets the value. Dropping it without setting tells everybody that no value will come.
///
/// # Examples
/// ```
/// let (setter, promised) = weftwork_sync::promise::<u8>();
/// drop(setter);
/// assert!(promised.blocking_wait().is_err());
/// ```
#[must_use = "dropping the setter abandons the promise"]
pub struct Setter<T> {
    pledge: Shared<Pledge<T>>,
}

impl<T> Setter<T> {
    /// Sets the value, wakes all who wait for it, and calls what was given to [`Promise::on_done`].
    ///
    /// If nobody has a promise any more the value is dropped.
    ///
    /// # Panics
    /// If a callback or a waker does; the value is set and the others are called all the same.
    ///
    /// # Counterparts
    /// asyncio's `Future.set_result`, and `set_exception` with a `Result` as the value.
    ///
    /// # Examples
    /// ```
    /// let (setter, promised) = weftwork_sync::promise();
    /// setter.set("here");
    /// assert_eq!(promised.get(), Some(Ok(&"here")));
    /// ```
    #[doc(alias("set_result", "set_exception", "complete", "resolve"))]
    pub fn set(self, value: T) {
        // Nobody else sets it, so nothing comes back. What is to be called is called when the setter is dropped, below.
        let _ = self.pledge.cell.set(value);
    }

    /// Another promise of the value.
    ///
    /// # Examples
    /// ```
    /// let (setter, first) = weftwork_sync::promise();
    /// drop(first);
    /// let second = setter.promise();
    /// setter.set(1);
    /// assert_eq!(second.get(), Some(Ok(&1)));
    /// ```
    pub fn promise(&self) -> Promise<T> {
        self.pledge.promises.add();
        Promise { waiting: Waiting::new(Counted { pledge: self.pledge.clone() }) }
    }

    /// Whether there is no promise any more, so that nobody wants the value.
    ///
    /// # Counterparts
    /// asyncio's `Future.cancelled`, asked by who was to set it.
    ///
    /// # Examples
    /// ```
    /// let (setter, promised) = weftwork_sync::promise::<u8>();
    /// assert!(!setter.is_closed());
    /// drop(promised);
    /// assert!(setter.is_closed());
    /// ```
    #[doc(alias = "is_canceled")]
    pub fn is_closed(&self) -> bool {
        self.pledge.promises.get() == 0
    }

    /// Waits until there is no promise any more, so that work for a value that nobody wants can stop.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (setter, promised) = weftwork_sync::promise::<u8>();
    /// drop(promised);
    /// setter.closed().await;
    /// # });
    /// ```
    pub fn closed(&self) -> PromiseClosed<'_> {
        PromiseClosed { waiting: Waiting::new(&self.pledge.promises) }
    }
}

impl<T> Drop for Setter<T> {
    fn drop(&mut self) {
        let _told = callbacks::AtTheEnd(&self.pledge);
        self.pledge.cell.abandon();
    }
}

impl<T> fmt::Debug for Setter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setter").field("promises", &self.pledge.promises.get()).finish_non_exhaustive()
    }
}

/// The future of [`Setter::closed`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct PromiseClosed<'a> {
    waiting: Waiting<&'a WaitCount>,
}

impl Future for PromiseClosed<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        waiting.poll_as_leaf(cx, "the end of a promise", is_zero)
    }
}

impl fmt::Debug for PromiseClosed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromiseClosed").field("phase", &self.waiting).finish_non_exhaustive()
    }
}

/// An owner of the pledge that is counted as a promise.
struct Counted<T> {
    pledge: Shared<Pledge<T>>,
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        self.pledge.promises.remove();
    }
}

impl<T> HasWord for Counted<T> {
    fn word(&self) -> &WaitWord {
        // The cell's address is its own; borrowed for as long as the owner is.
        self.pledge.cell.as_word()
    }
}

/// A value that will be set: a future of a clone of it, and a place to read it. Each clone of the promise is another.
///
/// # Errors
/// As a future, and wherever the value is asked for: [`Abandoned`] if the setter was dropped without setting it.
///
/// # Cancel safety
/// Dropping the future gives up this promise and nothing else: the value is not taken out by anybody.
///
/// # Counterparts
/// asyncio's `Future` from the side of who awaits it; `futures::channel::oneshot` with `shared()`.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (setter, promised) = weftwork_sync::promise();
/// setter.set(vec![1, 2]);
/// assert_eq!(promised.wait().await, Ok(&vec![1, 2]));
/// assert_eq!(promised.await, Ok(vec![1, 2]));
/// # });
/// ```
#[must_use = "a promise does nothing unless it is awaited; drop it to tell the setter that nobody wants the value"]
pub struct Promise<T> {
    waiting: Waiting<Counted<T>>,
}

impl<T> Promise<T> {
    fn pledge(&self) -> &Pledge<T> {
        &self.waiting.place().pledge
    }

    /// The value, or that it will never come, if that is known.
    ///
    /// # Counterparts
    /// asyncio's `Future.result`, where `InvalidStateError` is `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::promise;
    /// let (setter, promised) = promise();
    /// assert_eq!(promised.get(), None);
    /// setter.set(1);
    /// assert_eq!(promised.get(), Some(Ok(&1)));
    /// ```
    #[doc(alias("result", "peek"))]
    pub fn get(&self) -> Option<Result<&T, Abandoned>> {
        match self.pledge().cell.find() {
            Found::Value(value) => Some(Ok(value)),
            Found::Never => Some(Err(Abandoned(()))),
            Found::Nothing => None,
        }
    }

    /// Whether it is known what becomes of the value.
    ///
    /// # Counterparts
    /// asyncio's `Future.done`.
    ///
    /// # Examples
    /// ```
    /// let (setter, promised) = weftwork_sync::promise::<u8>();
    /// drop(setter);
    /// assert!(promised.is_done());
    /// ```
    #[doc(alias = "done")]
    pub fn is_done(&self) -> bool {
        self.get().is_some()
    }

    /// Waits for the value and borrows it: for values that cannot be cloned, or need not be.
    ///
    /// # Errors
    /// [`Abandoned`] if the setter was dropped without setting it.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (setter, promised) = weftwork_sync::promise();
    /// setter.set(String::from("here"));
    /// assert_eq!(promised.wait().await.map(String::as_str), Ok("here"));
    /// # });
    /// ```
    pub fn wait(&self) -> PromiseWait<'_, T> {
        PromiseWait { waiting: Waiting::new(&self.pledge().cell) }
    }

    /// As [`wait`](Self::wait), on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that has the setter may need that thread.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// # Examples
    /// ```
    /// let (setter, promised) = weftwork_sync::promise();
    /// setter.set(1);
    /// assert_eq!(promised.blocking_wait(), Ok(&1));
    /// ```
    pub fn blocking_wait(&self) -> Result<&T, Abandoned> {
        crate::block_on(self.wait())
    }

    /// Has `callback` called once it is known what becomes of the value: by the thread that sets it, after all who wait were
    /// woken, or here and now if that has happened already. It is called once, outside of every lock, also if all promises
    /// are dropped before.
    ///
    /// Callbacks are called in the order in which they were given. One that panics does not keep the others from being
    /// called; the first panic is thrown on when all were.
    ///
    /// # Counterparts
    /// asyncio's `Future.add_done_callback`.
    ///
    /// # Examples
    /// ```
    /// let (setter, promised) = weftwork_sync::promise();
    /// let (told, hears) = std::sync::mpsc::channel();
    /// promised.on_done(move |outcome| told.send(outcome.copied()).expect("it is heard"));
    /// setter.set(1);
    /// assert_eq!(hears.recv(), Ok(Ok(1)));
    /// ```
    #[doc(alias("add_done_callback", "then"))]
    pub fn on_done(&self, callback: impl FnOnce(Result<&T, Abandoned>) + Send + 'static) {
        let pledge = self.pledge();
        if let Some(callback) = pledge.callbacks.add(Box::new(callback)) {
            callback(pledge.outcome());
        }
    }
}

impl<T> Pledge<T> {
    /// What has become of the value. The setter has decided.
    fn outcome(&self) -> Result<&T, Abandoned> {
        self.cell.get().ok_or(Abandoned(()))
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        self.pledge().promises.add();
        let pledge = self.waiting.place().pledge.clone();
        Self { waiting: Waiting::new(Counted { pledge }) }
    }
}

impl<T: Clone> Future for Promise<T> {
    type Output = Result<T, Abandoned>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let mut waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        ready!(waiting.as_mut().poll_as_leaf(cx, "a promise", is_settled));
        // Cloned outside of every lock; the value does not change any more.
        Poll::Ready(waiting.place().pledge.outcome().cloned())
    }
}

impl<T: fmt::Debug> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("outcome", &self.get()).finish()
    }
}

/// The future of [`Promise::wait`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct PromiseWait<'a, T> {
    waiting: Waiting<&'a Cell<T>>,
}

impl<'a, T> Future for PromiseWait<'a, T> {
    type Output = Result<&'a T, Abandoned>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the one field is pinned with the future and never moved out of it.
        let waiting = unsafe { self.map_unchecked_mut(|this| &mut this.waiting) };
        let settled = ready!(poll_settled(waiting, cx, "a promise"));
        Poll::Ready(settled.map_err(|Never| Abandoned(())))
    }
}

impl<T> fmt::Debug for PromiseWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromiseWait").field("phase", &self.waiting).finish_non_exhaustive()
    }
}

/// The setter was dropped without setting the value.
///
/// # Examples
/// ```
/// let (setter, promised) = weftwork_sync::promise::<u8>();
/// drop(setter);
/// assert!(promised.blocking_wait().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[doc(alias("BrokenPromise", "Canceled"))]
pub struct Abandoned(());

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no value will come: the setter was dropped without setting one (look whether its task ended early or panicked)",
        )
    }
}

impl std::error::Error for Abandoned {}
