//! An async lock around a value.
//!
//! | file | holds |
//! |---|---|
//! | `raw.rs` | the protocol: the word, the waiters, fairness |
//! | `trace.rs` | who holds it and who waits, for a mutex that was asked to say |
//! | `guard.rs` | the guards, which give the lock back |
//! | `mapped.rs` | guards narrowed to a part of the value |
//! | `mod.rs` | the value and the futures |

mod guard;
mod mapped;
mod raw;
mod trace;

pub use guard::{MutexGuard, OwnedMutexGuard};
pub use mapped::{MappedMutexGuard, OwnedMappedMutexGuard};

use crate::primitive::UnsafeCell;
use crate::waiters::Waiter;
use crate::weft_const_fn;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use raw::RawLock;
use trace::Place;

#[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
use std::sync::Arc;

/// A lock that a task waits for without blocking its thread, and may hold across an `.await`.
///
/// Where nothing is awaited while the lock is held, a lock of the standard library is the better choice.
///
/// # Fairness
/// A free lock goes to whoever comes first, so that a busy lock need not wait for a woken task to reach its worker. The
/// wait is bounded all the same: the task at the front of the queue is passed over at most 64 times and comes too late at
/// most 4 times; then the lock is handed to it. Tasks queue in the order in which they first found the lock taken.
///
/// # Panics
/// There is no poisoning: a panic while the lock is held gives it back. Whoever keeps an invariant across several
/// statements restores it in a destructor.
///
/// # Counterparts
/// asyncio's `Lock`, tokio's `sync::Mutex`.
///
/// # Examples
/// ```
/// use weftwork_sync::{Mutex, block_on};
///
/// static VISITS: Mutex<u64> = Mutex::new(0);
///
/// block_on(async {
///     let mut visits = VISITS.lock().await;
///     *visits += 1;
///     assert_eq!(*visits, 1);
/// });
/// ```
#[doc(alias("Lock", "asyncio.Lock"))]
pub struct Mutex<T: ?Sized> {
    raw: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: a lock owns its value, so it may move where the value may.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: sharing the lock lets one thread at a time use the value, which is a move of it from thread to thread.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// The lock itself is as it was after a panic; what its value is in the middle of is the user's to say, as for any shared cell.
impl<T: ?Sized + core::panic::UnwindSafe> core::panic::UnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    weft_const_fn! {
        /// A new, unlocked lock; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// static TABLE: weftwork_sync::Mutex<Vec<u32>> = weftwork_sync::Mutex::new(Vec::new());
        /// assert!(TABLE.try_lock().is_some());
        /// ```
        pub fn new(value: T) -> Self {
            Self { raw: RawLock::new(), value: UnsafeCell::new(value) }
        }
    }

    /// A new lock that knows who holds it and who waits, for finding out why a program stands still: its `Debug` tells the place
    /// where each of them asked for the lock, and the task and thread.
    ///
    /// It is slower than another one, whose cost is the same with or without this: a lock of its own is taken at each step.
    ///
    /// # Panics
    /// [`lock`](Mutex::lock) panics, and names both places, where it would wait for the very task that took the lock. So does
    /// [`blocking_lock`](Mutex::blocking_lock) where the thread has the lock by another `blocking_lock`. Tasks are told apart on
    /// weftwork; on other executors holders and waiters are shown, and a task that waits for itself is not found out. A guard that
    /// is moved to another task counts as that of the task which took it, and so does one that another branch of the same task's
    /// `join!` or `select!` took: give each branch a task, or leave such a lock untraced.
    ///
    /// # Counterparts
    /// trio's `Lock`, which always knows its owner and raises when that one asks again. That an owner ends without giving the lock
    /// back, the other error trio has, cannot be: the guard gives it back.
    ///
    /// # Examples
    /// ```
    /// let accounts = weftwork_sync::Mutex::traced("accounts", 0);
    /// let guard = accounts.try_lock().expect("nobody holds it");
    /// let shown = format!("{accounts:?}");
    /// assert!(shown.contains("accounts") && shown.contains(file!()));
    /// # drop(guard);
    /// ```
    pub fn traced(name: &'static str, value: T) -> Self {
        Self { raw: RawLock::traced(name), value: UnsafeCell::new(value) }
    }

    /// Unwraps the value.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::Mutex::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue; if it owned the lock already, the lock goes to the next.
    ///
    /// # Deadlock
    /// A task that waits for a lock it holds itself waits for ever; a [traced](Mutex::traced) lock panics instead.
    ///
    /// # Counterparts
    /// asyncio's `Lock.acquire`, tokio's `Mutex::lock`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let mutex = weftwork_sync::Mutex::new(1);
    /// *mutex.lock().await += 1;
    /// assert_eq!(*mutex.lock().await, 2);
    /// # });
    /// ```
    #[doc(alias = "acquire")]
    #[track_caller]
    pub fn lock(&self) -> Lock<'_, T> {
        Lock { mutex: self, waiter: Waiter::new(), place: Location::caller() }
    }

    /// Takes the lock if it is free.
    ///
    /// # Examples
    /// ```
    /// let mutex = weftwork_sync::Mutex::new(1);
    /// let guard = mutex.try_lock().expect("nobody holds it");
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.raw.try_lock(Location::caller()).then(|| MutexGuard::new(self))
    }

    /// Waits for the lock with a guard that is not tied to a lifetime.
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// # weftwork_sync::block_on(async {
    /// let mutex = Arc::new(weftwork_sync::Mutex::new(1));
    /// let guard = mutex.clone().lock_owned().await;
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// # });
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> LockOwned<T> {
        LockOwned { mutex: Some(self), waiter: Waiter::new(), place: Location::caller() }
    }

    /// Takes the lock if it is free, with a guard that is not tied to a lifetime.
    ///
    /// # Errors
    /// The `Arc`, if somebody holds the lock.
    ///
    /// # Examples
    /// ```
    /// let mutex = std::sync::Arc::new(weftwork_sync::Mutex::new(1));
    /// assert!(mutex.try_lock_owned().is_ok());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, Arc<Self>> {
        if self.raw.try_lock(Location::caller()) { Ok(OwnedMutexGuard::new(self)) } else { Err(self) }
    }

    /// Waits for the lock on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that holds the lock may need that thread.
    ///
    /// # Examples
    /// ```
    /// let mutex = weftwork_sync::Mutex::new(1);
    /// *mutex.blocking_lock() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        let guard = match self.try_lock() {
            Some(guard) => guard,
            None => {
                if let Some(trace) = self.raw.trace() {
                    trace.thread_waits(Location::caller());
                }
                crate::block_on(self.lock())
            }
        };
        if let Some(trace) = self.raw.trace() {
            trace.taken_by_thread();
        }
        guard
    }

    /// Takes the lock again for a task that gave it up to wait.
    pub(crate) fn poll_relock(&self, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> Poll<()> {
        self.raw.poll_lock(waiter, cx, place)
    }

    /// The future that holds `waiter`, which was in [`poll_relock`](Self::poll_relock), is dropped.
    pub(crate) fn leave_queue(&self, waiter: Pin<&Waiter>) {
        self.raw.leave(waiter);
    }

    /// The value, without locking: `&mut self` proves that nobody else has it.
    ///
    /// # Examples
    /// ```
    /// let mut mutex = weftwork_sync::Mutex::new(1);
    /// *mutex.get_mut() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: exclusive by &mut self, and the reference is tied to it.
        self.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is shown only where it can be had without waiting; then `locked` is what it was before.
        let (locked, waiters) = self.raw.observe();
        let mut out = f.debug_struct("Mutex");
        if let Some(trace) = self.raw.trace() {
            trace.show(&mut out);
        }
        out.field("locked", &locked).field("waiters", &waiters);
        match self.try_lock() {
            Some(guard) => out.field("value", &&*guard).finish(),
            None => out.finish_non_exhaustive(),
        }
    }
}

/// The future of [`Mutex::lock`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Lock<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    waiter: Waiter,
    /// Where it was asked for, in case the lock is traced.
    place: Place,
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let this = self.into_ref();
        // SAFETY: the waiter is pinned with the future and never moved out of it.
        let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
        this.mutex.raw.poll_lock(waiter, cx, this.place).map(|()| MutexGuard::new(this.get_ref().mutex))
    }
}

impl<T: ?Sized> Drop for Lock<'_, T> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.mutex.raw.leave(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}

/// The future of [`Mutex::lock_owned`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct LockOwned<T: ?Sized> {
    /// `None` once the guard has it.
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
    mutex: Option<Arc<Mutex<T>>>,
    waiter: Waiter,
    /// Where it was asked for, in case the lock is traced.
    place: Place,
}

impl<T: ?Sized> Future for LockOwned<T> {
    type Output = OwnedMutexGuard<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<OwnedMutexGuard<T>> {
        // SAFETY: nothing is moved out of the pinned part, which is the waiter alone.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: the waiter is pinned with the future.
        let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
        // The Arc stays in place while the waiter may be linked, also if a waker's clone panics in here (tokio 3689).
        if let Some(mutex) = &this.mutex {
            core::task::ready!(mutex.raw.poll_lock(waiter, cx, this.place));
        }
        match this.mutex.take() {
            Some(mutex) => Poll::Ready(OwnedMutexGuard::new(mutex)),
            None => panic!("LockOwned was polled after it gave out its guard: await it once, or fuse it"),
        }
    }
}

impl<T: ?Sized> Drop for LockOwned<T> {
    fn drop(&mut self) {
        if let Some(mutex) = &self.mutex {
            // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
            mutex.raw.leave(unsafe { Pin::new_unchecked(&self.waiter) });
        }
    }
}

impl<T: ?Sized> fmt::Debug for LockOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOwned").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
