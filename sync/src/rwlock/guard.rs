//! The guards that borrow the lock: whoever has one may read, or write, and dropping it gives the lock back.
//!
//! What a guard lets its owner do is in its type alone; the word of the lock only counts.

use super::futures::Upgrade;
use super::mapped::{MappedRwLockReadGuard, MappedRwLockWriteGuard};
use super::{RwLock, Want};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// What all guards show of the value.
macro_rules! shows_the_value {
    ($name:ident<$($life:lifetime,)? $value:ident>) => {
        impl<$($life,)? $value: ?Sized> Deref for $name<$($life,)? $value> {
            type Target = $value;
            #[inline]
            fn deref(&self) -> &$value {
                // SAFETY: the guard holds the lock, so nobody writes while it is borrowed.
                self.lock.value.with(|value| unsafe { &*value })
            }
        }

        impl<$($life,)? $value: ?Sized + fmt::Debug> fmt::Debug for $name<$($life,)? $value> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($life,)? $value: ?Sized + fmt::Display> fmt::Display for $name<$($life,)? $value> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}
pub(super) use shows_the_value;

/// The right to read what an [`RwLock`] holds, shared with other readers; dropping it gives it back.
///
/// It may move to another thread and be held across an `.await`.
///
/// # Examples
/// ```
/// let lock = weftwork_sync::RwLock::new(5);
/// let (one, other) = (lock.try_read(), lock.try_read());
/// assert_eq!(one.as_deref(), other.as_deref());
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// A guard is shared where `&T` is.
    _like: PhantomData<&'a T>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// The caller has just taken the lock for reading.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, _like: PhantomData }
    }

    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockReadGuard};
    /// let lock = RwLock::new(1);
    /// let guard = lock.try_read().expect("nobody writes");
    /// assert!(std::ptr::eq(RwLockReadGuard::rwlock(&guard), &lock));
    /// ```
    pub fn rwlock(this: &Self) -> &'a RwLock<T> {
        this.lock
    }

    /// Narrows the guard to a part of the value. The lock is held as before.
    ///
    /// # Counterparts
    /// tokio's `RwLockReadGuard::map`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockReadGuard};
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().expect("nobody writes"), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// assert!(lock.try_write().is_none());
    /// ```
    pub fn map<U: ?Sized>(this: Self, f: impl FnOnce(&T) -> &U) -> MappedRwLockReadGuard<'a, U> {
        let value = NonNull::from(f(&this));
        // SAFETY: the lock is held for reading, and by the forgotten guard no more.
        unsafe { MappedRwLockReadGuard::new(&ManuallyDrop::new(this).lock.raw, value) }
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// # Errors
    /// The guard, if `f` returned `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockReadGuard};
    /// let lock = RwLock::new(vec![1, 2]);
    /// let third = RwLockReadGuard::try_map(lock.try_read().expect("nobody writes"), |all| all.get(2));
    /// assert_eq!(third.expect_err("there are two").len(), 2);
    /// ```
    #[doc(alias = "filter_map")]
    pub fn try_map<U: ?Sized>(
        this: Self,
        f: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<MappedRwLockReadGuard<'a, U>, Self> {
        match f(&this).map(NonNull::from) {
            // SAFETY: as in map.
            Some(value) => Ok(unsafe { MappedRwLockReadGuard::new(&ManuallyDrop::new(this).lock.raw, value) }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock_read();
    }
}

shows_the_value!(RwLockReadGuard<'a, T>);

/// Ownership of what an [`RwLock`] holds; dropping it lets the next in.
///
/// It may move to another thread and be held across an `.await`.
///
/// # Examples
/// ```
/// let lock = weftwork_sync::RwLock::new(String::new());
/// if let Some(mut text) = lock.try_write() {
///     text.push('a');
/// }
/// assert_eq!(lock.into_inner(), "a");
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// A guard is shared where `&mut T` is.
    _like: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// The caller has just taken the lock for writing.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, _like: PhantomData }
    }

    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let guard = lock.try_write().expect("nobody has it");
    /// assert!(std::ptr::eq(RwLockWriteGuard::rwlock(&guard), &lock));
    /// ```
    pub fn rwlock(this: &Self) -> &'a RwLock<T> {
        this.lock
    }

    /// Goes on reading. No writer comes in between; readers that wait at the front of the queue come in.
    ///
    /// # Counterparts
    /// tokio's `RwLockWriteGuard::downgrade`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let mut writes = lock.try_write().expect("nobody has it");
    /// *writes += 1;
    /// let reads = RwLockWriteGuard::downgrade(writes);
    /// assert_eq!((*reads, lock.try_read().as_deref()), (2, Some(&2)));
    /// ```
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        let lock = ManuallyDrop::new(this).lock;
        // Made first: should a waker panic, the lock has changed already.
        let guard = RwLockReadGuard::new(lock);
        lock.raw.write_to_read();
        guard
    }

    /// Goes on reading with the right to [upgrade](RwLockUpgradableReadGuard::upgrade). No writer comes in between.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let reads = RwLockWriteGuard::downgrade_to_upgradable(lock.try_write().expect("nobody has it"));
    /// assert!(lock.try_read().is_some());
    /// let mut writes = RwLockUpgradableReadGuard::try_upgrade(reads).expect("nobody else reads");
    /// *writes = 3;
    /// ```
    pub fn downgrade_to_upgradable(this: Self) -> RwLockUpgradableReadGuard<'a, T> {
        let lock = ManuallyDrop::new(this).lock;
        // Made first: should a waker panic, the lock has changed already.
        let guard = RwLockUpgradableReadGuard::new(lock);
        lock.raw.write_to_upgradable();
        guard
    }

    /// Narrows the guard to a part of the value. The lock is held as before. Such a guard cannot be downgraded: a part that was
    /// reached by `&mut` (the inside of a `Cell`) is not always one that readers may share.
    ///
    /// # Counterparts
    /// tokio's `RwLockWriteGuard::map`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new((1, "one"));
    /// let mut number = RwLockWriteGuard::map(lock.try_write().expect("nobody has it"), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(lock.into_inner(), (2, "one"));
    /// ```
    pub fn map<U: ?Sized>(mut this: Self, f: impl FnOnce(&mut T) -> &mut U) -> MappedRwLockWriteGuard<'a, U> {
        let value = NonNull::from(f(&mut this));
        // SAFETY: the lock is held for writing, and by the forgotten guard no more.
        unsafe { MappedRwLockWriteGuard::new(&ManuallyDrop::new(this).lock.raw, value) }
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// # Errors
    /// The guard, if `f` returned `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(vec![1, 2]);
    /// let guard = lock.try_write().expect("nobody has it");
    /// let mut second = RwLockWriteGuard::try_map(guard, |all| all.get_mut(1)).expect("there are two");
    /// *second = 3;
    /// ```
    #[doc(alias = "filter_map")]
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedRwLockWriteGuard<'a, U>, Self> {
        match f(&mut this).map(NonNull::from) {
            // SAFETY: as in map.
            Some(value) => Ok(unsafe { MappedRwLockWriteGuard::new(&ManuallyDrop::new(this).lock.raw, value) }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock alone and is borrowed exclusively.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock_write();
    }
}

shows_the_value!(RwLockWriteGuard<'a, T>);

/// The right to read what an [`RwLock`] holds, shared with plain readers but with no second of its kind, and to become the
/// writer without anybody writing in between; dropping it gives it back.
///
/// # Examples
/// ```
/// use weftwork_sync::{RwLock, RwLockUpgradableReadGuard, block_on};
///
/// let lock = RwLock::new(vec![1]);
/// block_on(async {
///     let reads = lock.upgradable_read().await;
///     if !reads.contains(&2) {
///         RwLockUpgradableReadGuard::upgrade(reads).await.push(2);
///     }
/// });
/// assert_eq!(lock.into_inner(), [1, 2]);
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// A guard is shared where `&T` is; what may become `&mut T` asks for no more than the lock does.
    _like: PhantomData<&'a T>,
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// The caller has just taken the lock for upgradable reading.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, _like: PhantomData }
    }

    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockUpgradableReadGuard};
    /// let lock = RwLock::new(1);
    /// let guard = lock.try_upgradable_read().expect("nobody writes");
    /// assert!(std::ptr::eq(RwLockUpgradableReadGuard::rwlock(&guard), &lock));
    /// ```
    pub fn rwlock(this: &Self) -> &'a RwLock<T> {
        this.lock
    }

    /// Waits until the other readers have left, and becomes the writer. Nobody writes in between, and readers that come
    /// meanwhile wait.
    ///
    /// # Cancel safety
    /// Dropping the future gives the lock back altogether: the guard went into it.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockUpgradableReadGuard};
    /// # weftwork_sync::block_on(async {
    /// let lock = RwLock::new(1);
    /// let reads = lock.upgradable_read().await;
    /// *RwLockUpgradableReadGuard::upgrade(reads).await = 2;
    /// # });
    /// ```
    pub fn upgrade(this: Self) -> Upgrade<'a, T> {
        Upgrade::new(ManuallyDrop::new(this).lock)
    }

    /// Becomes the writer if nobody else reads.
    ///
    /// # Errors
    /// The guard, if somebody does.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockUpgradableReadGuard};
    /// let lock = RwLock::new(1);
    /// let (reads, other) = (lock.try_upgradable_read(), lock.try_read());
    /// let reads = RwLockUpgradableReadGuard::try_upgrade(reads.expect("nobody writes")).expect_err("another reads");
    /// drop(other);
    /// assert!(RwLockUpgradableReadGuard::try_upgrade(reads).is_ok());
    /// ```
    pub fn try_upgrade(this: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        if this.lock.raw.try_take(Want::Upgrade) {
            Ok(RwLockWriteGuard::new(ManuallyDrop::new(this).lock))
        } else {
            Err(this)
        }
    }

    /// Goes on reading without the right to upgrade, which the next may have.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockUpgradableReadGuard};
    /// let lock = RwLock::new(1);
    /// let reads = RwLockUpgradableReadGuard::downgrade(lock.try_upgradable_read().expect("nobody writes"));
    /// assert!(lock.try_upgradable_read().is_some());
    /// # drop(reads);
    /// ```
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        let lock = ManuallyDrop::new(this).lock;
        // Made first: should a waker panic, the lock has changed already.
        let guard = RwLockReadGuard::new(lock);
        lock.raw.upgradable_to_read();
        guard
    }
}

impl<T: ?Sized> Drop for RwLockUpgradableReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock_upgradable();
    }
}

shows_the_value!(RwLockUpgradableReadGuard<'a, T>);
