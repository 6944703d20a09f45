//! An async lock that many may read under, or one may write under.
//!
//! | file | holds |
//! |---|---|
//! | `raw.rs` | the protocol: the word, the queue, who may go in beside whom |
//! | `futures.rs` | the futures that wait for it |
//! | `guard.rs`, `owned.rs` | the guards, which give the lock back: borrowed, and with a share of their own |
//! | `mapped.rs` | guards narrowed to a part of the value |
//! | `mod.rs` | the value, and what can be asked of the lock |

mod futures;
mod guard;
mod mapped;
mod owned;
mod raw;

pub use futures::{
    ReadLock, ReadLockOwned, UpgradableReadLock, UpgradableReadLockOwned, Upgrade, UpgradeOwned, WriteLock,
    WriteLockOwned,
};
pub use guard::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
pub use mapped::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, OwnedMappedRwLockReadGuard, OwnedMappedRwLockWriteGuard,
};
pub use owned::{OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard};

use crate::primitive::UnsafeCell;
use crate::weft_const_fn;
use core::fmt;
use raw::{RawRwLock, Want};

#[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
use std::sync::Arc;

/// A lock that any number of tasks may hold for reading at once, or one for writing, also across an `.await`.
///
/// Where reading is short and nothing is awaited under it, a [`Mutex`](crate::Mutex) or a lock of the standard library costs
/// less: readers too write to the lock's word.
///
/// # Fairness
/// First come, first served: nobody passes the queue, so a writer that waits stops the readers that come after it, and no
/// stream of readers starves it. Readers that stand side by side in the queue come in together. An
/// [upgrade](RwLockUpgradableReadGuard::upgrade) goes before all that wait, and who waits only for another upgradable reader
/// to end stops no readers.
///
/// # Deadlock
/// A task that reads while it reads already waits for ever if a writer has queued in between (tokio 2849). So does one that
/// waits for the lock it writes under.
///
/// # Panics
/// There is no poisoning: a panic while the lock is held gives it back. Whoever keeps an invariant across several
/// statements restores it in a destructor.
///
/// # Counterparts
/// tokio's `sync::RwLock`; upgradable reads are async-lock's. asyncio has none.
///
/// # Examples
/// ```
/// use weftwork_sync::{RwLock, block_on};
///
/// static NAMES: RwLock<Vec<&str>> = RwLock::new(Vec::new());
///
/// block_on(async {
///     NAMES.write().await.push("one");
///     let (first, second) = (NAMES.read().await, NAMES.read().await);
///     assert_eq!(*first, *second);
/// });
/// ```
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

// SAFETY: a lock owns its value, so it may move where the value may.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: sharing the lock moves the value from writer to writer, and shares it among readers.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

// The lock itself is as it was after a panic; what its value is in the middle of is the user's to say, as for any shared cell.
impl<T: ?Sized + core::panic::UnwindSafe> core::panic::UnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    weft_const_fn! {
        /// A new lock that nobody holds; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// static TABLE: weftwork_sync::RwLock<Vec<u32>> = weftwork_sync::RwLock::new(Vec::new());
        /// assert!(TABLE.try_read().is_some());
        /// ```
        pub fn new(value: T) -> Self {
            Self { raw: RawRwLock::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Unwraps the value.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(weftwork_sync::RwLock::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, to read.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue; if it held the lock already, it is given back.
    ///
    /// # Counterparts
    /// tokio's `RwLock::read`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let lock = weftwork_sync::RwLock::new(1);
    /// assert_eq!(*lock.read().await, 1);
    /// # });
    /// ```
    #[inline]
    pub fn read(&self) -> ReadLock<'_, T> {
        ReadLock::new(self)
    }

    /// Waits until nobody has the lock, to write.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue, and those behind it that can come in do; if it held the lock
    /// already, it is given back.
    ///
    /// # Counterparts
    /// tokio's `RwLock::write`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let lock = weftwork_sync::RwLock::new(1);
    /// *lock.write().await += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn write(&self) -> WriteLock<'_, T> {
        WriteLock::new(self)
    }

    /// Waits until nobody writes and no other upgradable reader is there, to read with the right to
    /// [become the writer](RwLockUpgradableReadGuard::upgrade).
    ///
    /// For what is mostly found to be right already. Plain readers go on beside it; two that both meant to write could only
    /// wait for each other, so there is one at a time.
    ///
    /// # Cancel safety
    /// As [`read`](Self::read).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let lock = weftwork_sync::RwLock::new(1);
    /// let upgradable = lock.upgradable_read().await;
    /// assert_eq!(*upgradable, *lock.read().await);
    /// # });
    /// ```
    pub fn upgradable_read(&self) -> UpgradableReadLock<'_, T> {
        UpgradableReadLock::new(self)
    }

    /// Takes the lock for reading if nobody writes or waits to.
    ///
    /// # Examples
    /// ```
    /// let lock = weftwork_sync::RwLock::new(1);
    /// let (first, second) = (lock.try_read(), lock.try_read());
    /// assert!(first.is_some() && second.is_some());
    /// ```
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.raw.try_take(Want::Read).then(|| RwLockReadGuard::new(self))
    }

    /// Takes the lock for writing if nobody has it and nobody waits.
    ///
    /// # Examples
    /// ```
    /// let lock = weftwork_sync::RwLock::new(1);
    /// let guard = lock.try_write().expect("nobody has it");
    /// assert!(lock.try_read().is_none());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.raw.try_take(Want::Write).then(|| RwLockWriteGuard::new(self))
    }

    /// Takes the lock for upgradable reading if nobody writes, nobody else may upgrade and nobody waits.
    ///
    /// # Examples
    /// ```
    /// let lock = weftwork_sync::RwLock::new(1);
    /// let guard = lock.try_upgradable_read().expect("nobody has it");
    /// assert!(lock.try_upgradable_read().is_none() && lock.try_read().is_some());
    /// # drop(guard);
    /// ```
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.raw.try_take(Want::Upgradable).then(|| RwLockUpgradableReadGuard::new(self))
    }

    /// As [`read`](Self::read), with a guard that is not tied to a lifetime.
    ///
    /// # Cancel safety
    /// As [`read`](Self::read).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
    /// assert_eq!(*lock.read_owned().await, 1);
    /// # });
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn read_owned(self: Arc<Self>) -> ReadLockOwned<T> {
        ReadLockOwned::new(self)
    }

    /// As [`write`](Self::write), with a guard that is not tied to a lifetime.
    ///
    /// # Cancel safety
    /// As [`write`](Self::write).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
    /// *lock.write_owned().await += 1;
    /// # });
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn write_owned(self: Arc<Self>) -> WriteLockOwned<T> {
        WriteLockOwned::new(self)
    }

    /// As [`upgradable_read`](Self::upgradable_read), with a guard that is not tied to a lifetime.
    ///
    /// # Cancel safety
    /// As [`read`](Self::read).
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
    /// assert_eq!(*lock.upgradable_read_owned().await, 1);
    /// # });
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn upgradable_read_owned(self: Arc<Self>) -> UpgradableReadLockOwned<T> {
        UpgradableReadLockOwned::new(self)
    }

    /// As [`try_read`](Self::try_read), with a guard that is not tied to a lifetime.
    ///
    /// # Errors
    /// The `Arc`, if somebody writes or waits to.
    ///
    /// # Examples
    /// ```
    /// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
    /// assert!(lock.try_read_owned().is_ok());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, Arc<Self>> {
        if self.raw.try_take(Want::Read) { Ok(OwnedRwLockReadGuard::new(self)) } else { Err(self) }
    }

    /// As [`try_write`](Self::try_write), with a guard that is not tied to a lifetime.
    ///
    /// # Errors
    /// The `Arc`, if somebody has the lock or waits.
    ///
    /// # Examples
    /// ```
    /// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
    /// assert!(lock.try_write_owned().is_ok());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, Arc<Self>> {
        if self.raw.try_take(Want::Write) { Ok(OwnedRwLockWriteGuard::new(self)) } else { Err(self) }
    }

    /// As [`try_upgradable_read`](Self::try_upgradable_read), with a guard that is not tied to a lifetime.
    ///
    /// # Errors
    /// The `Arc`, if somebody writes, may upgrade already, or waits.
    ///
    /// # Examples
    /// ```
    /// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
    /// assert!(lock.try_upgradable_read_owned().is_ok());
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn try_upgradable_read_owned(self: Arc<Self>) -> Result<OwnedRwLockUpgradableReadGuard<T>, Arc<Self>> {
        if self.raw.try_take(Want::Upgradable) { Ok(OwnedRwLockUpgradableReadGuard::new(self)) } else { Err(self) }
    }

    /// Waits for the lock, to read, on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that holds the lock may need that thread.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(*weftwork_sync::RwLock::new(1).blocking_read(), 1);
    /// ```
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        match self.try_read() {
            Some(guard) => guard,
            None => crate::block_on(self.read()),
        }
    }

    /// Waits for the lock, to write, on a thread that runs no tasks.
    ///
    /// Do not call it from a task: it blocks the thread, and the task that holds the lock may need that thread.
    ///
    /// # Examples
    /// ```
    /// let lock = weftwork_sync::RwLock::new(1);
    /// *lock.blocking_write() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        match self.try_write() {
            Some(guard) => guard,
            None => crate::block_on(self.write()),
        }
    }

    /// The value, without locking: `&mut self` proves that nobody else has it.
    ///
    /// # Examples
    /// ```
    /// let mut lock = weftwork_sync::RwLock::new(1);
    /// *lock.get_mut() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: exclusive by &mut self, and the reference is tied to it.
        self.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is shown only where it can be had without waiting; then the rest is what it was before.
        let seen = self.raw.observe();
        let mut out = f.debug_struct("RwLock");
        out.field("writer", &seen.writer).field("upgradable", &seen.upgradable);
        out.field("readers", &seen.readers).field("waiters", &seen.waiters);
        match self.try_read() {
            Some(guard) => out.field("value", &&*guard).finish(),
            None => out.finish_non_exhaustive(),
        }
    }
}
