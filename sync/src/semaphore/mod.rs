//! A counter of permits that tasks wait for.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: the word, the waiters |
//! | `permit.rs` | the permits, which give themselves back |
//! | `error.rs` | why no permit was given |
//! | `mod.rs` | the semaphore and its futures |

mod error;
mod permit;
mod state;

pub use error::{AcquireError, TryAcquireError};
pub use permit::{OwnedPermit, Permit};

use crate::waiters::Waiter;
use crate::weft_const_fn;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use state::{Permits, Refused};

#[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
use std::sync::Arc;

/// A number of permits that tasks take and give back: at most so many do something at once.
///
/// # Fairness
/// Strictly first come, first served, also where requests differ in size: a request for many permits is not passed by a
/// later one for few.
///
/// # Counterparts
/// asyncio's `Semaphore`, tokio's `sync::Semaphore`. asyncio's `BoundedSemaphore` raises where somebody releases more often than
/// it acquired. That cannot be said here, because a permit gives itself back once: only
/// [`add_permits`](Self::add_permits) makes more of them, and whoever calls it means to. For a bound that changes see
/// [`Limiter`](crate::Limiter).
///
/// # Examples
/// ```
/// use weftwork_sync::{Semaphore, block_on};
///
/// static CONNECTIONS: Semaphore = Semaphore::new(2);
///
/// block_on(async {
///     let first = CONNECTIONS.acquire().await.expect("nobody closes it");
///     let second = CONNECTIONS.acquire().await.expect("nobody closes it");
///     assert_eq!(CONNECTIONS.available_permits(), 0);
///     drop((first, second));
///     assert_eq!(CONNECTIONS.available_permits(), 2);
/// });
/// ```
#[doc(alias("BoundedSemaphore", "asyncio.Semaphore"))]
pub struct Semaphore {
    permits: Permits,
}

// It holds nothing of a user's, and a panic finds it as it was before or after an operation.
impl core::panic::UnwindSafe for Semaphore {}
impl core::panic::RefUnwindSafe for Semaphore {}

impl Semaphore {
    /// The most permits that a semaphore can hold.
    pub const MAX_PERMITS: usize = state::MAX_PERMITS;

    weft_const_fn! {
        /// A semaphore with `permits` permits; usable in a `static`.
        ///
        /// # Panics
        /// If `permits` exceeds [`MAX_PERMITS`](Self::MAX_PERMITS).
        ///
        /// # Examples
        /// ```
        /// assert_eq!(weftwork_sync::Semaphore::new(3).available_permits(), 3);
        /// ```
        pub fn new(permits: usize) -> Self {
            Self { permits: Permits::new(permits) }
        }
    }

    /// Waits for one permit.
    ///
    /// # Errors
    /// [`AcquireError`] if the semaphore is or gets closed.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue; a permit that it had already goes to the next.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let semaphore = weftwork_sync::Semaphore::new(1);
    /// let permit = semaphore.acquire().await?;
    /// # drop(permit);
    /// # Ok::<(), weftwork_sync::AcquireError>(())
    /// # }).expect("open");
    /// ```
    pub fn acquire(&self) -> Acquire<'_> {
        self.acquire_many(1)
    }

    /// Waits for `permits` permits at once, which one [`Permit`] stands for.
    ///
    /// A request for more than there will ever be waits until the semaphore is closed, and so do those behind it.
    ///
    /// # Errors
    /// [`AcquireError`] if the semaphore is or gets closed.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire); no permits are held while it waits.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let semaphore = weftwork_sync::Semaphore::new(3);
    /// let two = semaphore.acquire_many(2).await?;
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(two);
    /// # Ok::<(), weftwork_sync::AcquireError>(())
    /// # }).expect("open");
    /// ```
    pub fn acquire_many(&self, permits: usize) -> Acquire<'_> {
        Acquire { semaphore: self, wanted: permits, waiter: Waiter::new() }
    }

    /// Takes one permit if that is possible at once.
    ///
    /// # Errors
    /// [`TryAcquireError::NoPermits`] if there is none or others wait for it, [`TryAcquireError::Closed`].
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Semaphore, TryAcquireError};
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().expect("one is there");
    /// assert_eq!(semaphore.try_acquire().err(), Some(TryAcquireError::NoPermits));
    /// # drop(permit);
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` permits if that is possible at once.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    /// ```
    /// assert!(weftwork_sync::Semaphore::new(1).try_acquire_many(2).is_err());
    /// ```
    #[inline]
    pub fn try_acquire_many(&self, permits: usize) -> Result<Permit<'_>, TryAcquireError> {
        self.permits.try_take(permits)?;
        Ok(Permit::new(self, permits))
    }

    /// As [`acquire`](Self::acquire), with a permit that is not tied to a lifetime.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(1));
    /// let permit = semaphore.clone().acquire_owned().await?;
    /// assert_eq!(semaphore.available_permits(), 0);
    /// # drop(permit);
    /// # Ok::<(), weftwork_sync::AcquireError>(())
    /// # }).expect("open");
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub fn acquire_owned(self: Arc<Self>) -> AcquireOwned {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Self::acquire_many), with a permit that is not tied to a lifetime.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(2));
    /// assert!(semaphore.acquire_many_owned(2).await.is_ok());
    /// # });
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub fn acquire_many_owned(self: Arc<Self>, permits: usize) -> AcquireOwned {
        AcquireOwned { semaphore: Some(self), wanted: permits, waiter: Waiter::new() }
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that is not tied to a lifetime.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(1));
    /// assert!(semaphore.try_acquire_owned().is_ok());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedPermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with a permit that is not tied to a lifetime.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(2));
    /// assert!(semaphore.try_acquire_many_owned(2).is_ok());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub fn try_acquire_many_owned(self: Arc<Self>, permits: usize) -> Result<OwnedPermit, TryAcquireError> {
        self.permits.try_take(permits)?;
        Ok(OwnedPermit::new(self, permits))
    }

    /// Waits for one permit on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that holds the permit may need that thread.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// assert!(weftwork_sync::Semaphore::new(1).blocking_acquire().is_ok());
    /// ```
    pub fn blocking_acquire(&self) -> Result<Permit<'_>, AcquireError> {
        self.blocking_acquire_many(1)
    }

    /// Waits for `permits` permits at once on a thread that runs no tasks; see [`blocking_acquire`](Self::blocking_acquire).
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// assert!(weftwork_sync::Semaphore::new(2).blocking_acquire_many(2).is_ok());
    /// ```
    pub fn blocking_acquire_many(&self, permits: usize) -> Result<Permit<'_>, AcquireError> {
        match self.try_acquire_many(permits) {
            Ok(permit) => Ok(permit),
            Err(_) => crate::block_on(self.acquire_many(permits)),
        }
    }

    /// Adds new permits.
    ///
    /// # Panics
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS) free permits; the semaphore is unchanged then.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[doc(alias = "release")]
    pub fn add_permits(&self, permits: usize) {
        self.permits.give(permits);
    }

    /// Takes up to `permits` of those that nobody holds away for good, and says how many it took.
    ///
    /// Permits that are free while somebody waits for more of them are taken too. To take away permits that are held now,
    /// acquire them and [`forget`](Permit::forget) the permit.
    ///
    /// # Counterparts
    /// tokio's `Semaphore::forget_permits`.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(3);
    /// assert_eq!(semaphore.forget_permits(2), 2);
    /// assert_eq!(semaphore.forget_permits(2), 1);
    /// assert_eq!(semaphore.available_permits(), 0);
    /// ```
    #[doc(alias = "drain_permits")]
    pub fn forget_permits(&self, permits: usize) -> usize {
        self.permits.forget(permits)
    }

    /// How many permits nobody holds at this moment.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Semaphore::new(3).available_permits(), 3);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.permits.available()
    }

    /// Gives out no more permits, for good: those who wait get an error. Permits that are out stay valid, and dropping,
    /// forgetting or adding permits does not open it again.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Semaphore, TryAcquireError};
    /// let semaphore = Semaphore::new(1);
    /// semaphore.close();
    /// assert_eq!(semaphore.try_acquire().err(), Some(TryAcquireError::Closed));
    /// ```
    pub fn close(&self) {
        self.permits.close();
    }

    /// Whether it was closed.
    ///
    /// # Examples
    /// ```
    /// assert!(!weftwork_sync::Semaphore::new(1).is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.permits.available())
            .field("waiters", &self.permits.waiting())
            .field("closed", &self.permits.is_closed())
            .finish()
    }
}

/// The future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Acquire<'a> {
    semaphore: &'a Semaphore,
    wanted: usize,
    waiter: Waiter,
}

impl<'a> Future for Acquire<'a> {
    type Output = Result<Permit<'a>, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        let taken = ready!(this.semaphore.permits.poll_take(this.wanted, waiter, cx));
        Poll::Ready(match taken {
            Ok(()) => Ok(Permit::new(this.get_ref().semaphore, this.wanted)),
            Err(_) => Err(AcquireError(())),
        })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.semaphore.permits.leave(self.wanted, unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("permits", &self.wanted).field("phase", &self.waiter.phase()).finish()
    }
}

/// The future of [`Semaphore::acquire_owned`] and [`Semaphore::acquire_many_owned`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct AcquireOwned {
    /// `None` once the permit has it, or the semaphore was found closed.
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    semaphore: Option<Arc<Semaphore>>,
    wanted: usize,
    waiter: Waiter,
}

impl Future for AcquireOwned {
    type Output = Result<OwnedPermit, AcquireError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of the pinned part, which is the waiter alone.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: the waiter is pinned with the future.
        let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
        // The Arc stays in place while the waiter may be linked, also if a waker's clone panics in here (tokio 3689).
        let taken = match &this.semaphore {
            Some(semaphore) => ready!(semaphore.permits.poll_take(this.wanted, waiter, cx)),
            None => Ok(()),
        };
        match (taken, this.semaphore.take()) {
            (Ok(()), Some(semaphore)) => Poll::Ready(Ok(OwnedPermit::new(semaphore, this.wanted))),
            (Err(_), _) => Poll::Ready(Err(AcquireError(()))),
            (Ok(()), None) => panic!("AcquireOwned was polled after it completed: await it once, or fuse it"),
        }
    }
}

impl Drop for AcquireOwned {
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
            semaphore.permits.leave(self.wanted, unsafe { Pin::new_unchecked(&self.waiter) });
        }
    }
}

impl fmt::Debug for AcquireOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireOwned").field("permits", &self.wanted).field("phase", &self.waiter.phase()).finish()
    }
}

impl From<Refused> for TryAcquireError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooFew => Self::NoPermits,
            Refused::Closed => Self::Closed,
        }
    }
}
