//! One value from one task to another.
//!
//! [`channel`] makes the two ends. The sender sends once and without waiting; the receiver is a future. Either end can tell
//! that the other is gone, and dropping either is how one says so.
//!
//! # Counterparts
//! tokio's `sync::oneshot`; asyncio's `Future` with `set_result`.
//!
//! # Examples
//! ```
//! use weftwork_sync::{block_on, oneshot};
//!
//! let (sender, receiver) = oneshot::channel();
//! std::thread::scope(|scope| {
//!     scope.spawn(move || sender.send(42));
//!     assert_eq!(block_on(receiver), Ok(42));
//! });
//! ```

mod cell;
mod error;

pub use error::{RecvError, TryRecvError};

use crate::coop;
use cell::{Cell, Found};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, ready};

/// Makes a sender and a receiver of one value, in one allocation.
///
/// # Examples
/// ```
/// let (sender, mut receiver) = weftwork_sync::oneshot::channel();
/// assert_eq!(sender.send('a'), Ok(()));
/// assert_eq!(receiver.try_recv(), Ok('a'));
/// ```
#[doc(alias("Future", "asyncio.Future"))]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let cell = Cell::allocate();
    let sender = Sender { cell, owns: PhantomData };
    (sender, Receiver { cell, taken: false, waits: false, owns: PhantomData })
}

/// The end that sends. Dropping it without sending tells the receiver that nothing will come.
///
/// # Examples
/// ```
/// use weftwork_sync::oneshot::{self, TryRecvError};
/// let (sender, mut receiver) = oneshot::channel::<u8>();
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
pub struct Sender<T> {
    cell: NonNull<Cell<T>>,
    owns: PhantomData<T>,
}

// SAFETY: the value moves to the receiver's thread; a shared sender gives no access to it.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: as above; what takes &self only reads the word.
unsafe impl<T: Send> Sync for Sender<T> {}
/// The value is moved out, never pinned.
impl<T> Unpin for Sender<T> {}

impl<T> Sender<T> {
    /// Sends the value, without waiting. That it was sent does not mean that it will be received.
    ///
    /// # Errors
    /// The value, if the receiver was dropped or closed.
    ///
    /// # Counterparts
    /// asyncio's `Future.set_result`.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::oneshot::channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(7), Err(7));
    /// ```
    #[doc(alias = "set_result")]
    pub fn send(self, value: T) -> Result<(), T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: consumes the sender, whose Drop does not run.
        match unsafe { Cell::complete(this.cell, Some(value)) } {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// Whether the receiver was dropped or closed, so that sending would fail.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::oneshot::channel::<()>();
    /// assert!(!sender.is_closed());
    /// drop(receiver);
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.cell().is_closed()
    }

    /// Waits until the receiver is dropped or closed, so that work for a value that nobody wants can stop.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let (mut sender, receiver) = weftwork_sync::oneshot::channel::<()>();
    /// drop(receiver);
    /// sender.closed().await;
    /// # });
    /// ```
    pub fn closed(&mut self) -> Closed<'_, T> {
        Closed { sender: self, waits: false }
    }

    fn cell(&self) -> &Cell<T> {
        // SAFETY: the memory stays until both ends are gone.
        unsafe { self.cell.as_ref() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // SAFETY: the sender's last act.
        let nothing = unsafe { Cell::complete(self.cell, None) };
        debug_assert!(nothing.is_none());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("oneshot::Sender").field("state", &self.cell().observe()).finish()
    }
}

/// The future of [`Sender::closed`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Closed<'a, T> {
    sender: &'a mut Sender<T>,
    waits: bool,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let unit = ready!(coop::proceed_for(cx, self.waits, || coop::Wait::new("the end of a oneshot")));
        self.waits = true;
        // SAFETY: &mut Sender makes this the only call, and the sender has not completed.
        ready!(unsafe { self.sender.cell().poll_closed(cx) });
        unit.made_progress();
        Poll::Ready(())
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").field("sender", &self.sender).finish()
    }
}

/// The end that receives: a future of the value. Dropping it tells the sender that nobody wants the value.
///
/// # Errors
/// [`RecvError`] if the sender was dropped without sending, if the receiver was closed before anything was sent, or if the
/// value was taken already.
///
/// # Cancel safety
/// Awaiting `&mut receiver` and dropping that future loses nothing; the value stays until it is taken. Dropping the
/// receiver itself drops the value.
///
/// # Examples
/// ```
/// # weftwork_sync::block_on(async {
/// let (sender, receiver) = weftwork_sync::oneshot::channel();
/// sender.send("done").expect("the receiver is alive");
/// assert_eq!(receiver.await, Ok("done"));
/// # });
/// ```
#[must_use = "a receiver does nothing unless it is awaited; drop it to tell the sender that nobody wants the value"]
pub struct Receiver<T> {
    cell: NonNull<Cell<T>>,
    taken: bool,
    waits: bool,
    owns: PhantomData<T>,
}

// SAFETY: the value arrives from the sender's thread.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: a shared receiver gives no access to the value.
unsafe impl<T: Send> Sync for Receiver<T> {}
/// The value is moved out, never pinned.
impl<T> Unpin for Receiver<T> {}

impl<T> Receiver<T> {
    /// Takes the value if it is there.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if it may still come, [`TryRecvError::Closed`] if it will not.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::oneshot::{self, TryRecvError};
    /// let (sender, mut receiver) = oneshot::channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// assert_eq!(sender.send(1), Ok(()));
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if self.taken {
            return Err(TryRecvError::Closed);
        }
        // SAFETY: &mut self makes this the only call, and nothing was taken.
        match unsafe { self.cell().take() } {
            Found::Value(value) => {
                self.taken = true;
                Ok(value)
            }
            Found::Nothing => Err(TryRecvError::Empty),
            Found::Never => Err(TryRecvError::Closed),
        }
    }

    /// Takes no value that was not sent yet: a sender gets its value back. One that was sent can still be received.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = weftwork_sync::oneshot::channel();
    /// receiver.close();
    /// assert_eq!(sender.send(1), Err(1));
    /// ```
    pub fn close(&mut self) {
        self.cell().close();
    }

    /// Waits for the value on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that will send may need that thread.
    ///
    /// # Errors
    /// As awaiting the receiver.
    ///
    /// # Examples
    /// ```
    /// let (sender, receiver) = weftwork_sync::oneshot::channel();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(move || sender.send(1));
    ///     assert_eq!(receiver.blocking_recv(), Ok(1));
    /// });
    /// ```
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        crate::block_on(self)
    }

    fn cell(&self) -> &Cell<T> {
        // SAFETY: the memory stays until both ends are gone.
        unsafe { self.cell.as_ref() }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unit = ready!(coop::proceed_for(cx, self.waits, || coop::Wait::new("a oneshot value")));
        loop {
            match self.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.waits = true;
                    // SAFETY: &mut self makes this the only call.
                    ready!(unsafe { self.cell().poll_complete(cx) });
                    // The sender decided meanwhile: look what.
                }
                outcome => {
                    unit.made_progress();
                    return Poll::Ready(outcome.map_err(|_| RecvError(())));
                }
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // SAFETY: the receiver's last act.
        drop(unsafe { Cell::leave(self.cell, self.taken) });
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.taken { "received" } else { self.cell().observe() };
        f.debug_struct("oneshot::Receiver").field("state", &state).finish()
    }
}
