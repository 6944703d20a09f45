//! The guards that own a share of the lock, tied to no lifetime.

use super::futures::UpgradeOwned;
use super::guard::shows_the_value;
use super::mapped::{OwnedMappedRwLockReadGuard, OwnedMappedRwLockWriteGuard};
use super::{RwLock, Want};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

#[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
use std::sync::Arc;

/// What the three have in common: they begin with a share of the lock, and end by passing it on or giving the lock back.
macro_rules! owns_a_share {
    ($name:ident, $unlock:ident) => {
        #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
        impl<T: ?Sized> $name<T> {
            /// The caller has just taken the lock so.
            pub(super) fn new(lock: Arc<RwLock<T>>) -> Self {
                Self { lock, _like: PhantomData }
            }

            /// The lock stays held; whoever gets the share answers for it.
            fn into_share(this: Self) -> Arc<RwLock<T>> {
                let this = ManuallyDrop::new(this);
                // SAFETY: moved out once, for `this` is not dropped and not used again.
                unsafe { ptr::read(&raw const this.lock) }
            }
        }

        impl<T: ?Sized> Drop for $name<T> {
            fn drop(&mut self) {
                self.lock.raw.$unlock();
            }
        }

        shows_the_value!($name<T>);
    };
}

/// The right to read what an [`RwLock`] in an `Arc` holds, shared with other readers; dropping it gives it back.
///
/// # Examples
/// ```
/// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
/// let guard = lock.try_read_owned().expect("nobody writes");
/// assert_eq!(*guard, 1);
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
#[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
pub struct OwnedRwLockReadGuard<T: ?Sized> {
    lock: Arc<RwLock<T>>,
    /// The last owner drops the value.
    _like: PhantomData<Box<T>>,
}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_read_owned().expect("nobody writes");
    /// assert!(std::sync::Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&guard), &lock));
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }

    /// Narrows the guard to a part of the value, as [`RwLockReadGuard::map`](crate::RwLockReadGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new((1, "one")));
    /// let name = OwnedRwLockReadGuard::map(lock.try_read_owned().expect("nobody writes"), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    pub fn map<U: ?Sized>(this: Self, f: impl FnOnce(&T) -> &U) -> OwnedMappedRwLockReadGuard<T, U> {
        let value = NonNull::from(f(&this));
        // SAFETY: the lock is held for reading, by nobody but this share.
        unsafe { OwnedMappedRwLockReadGuard::new(Self::into_share(this), value) }
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// # Errors
    /// The guard, if `f` returned `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.try_read_owned().expect("nobody writes");
    /// assert!(OwnedRwLockReadGuard::try_map(guard, |all| all.get(2)).is_err());
    /// ```
    #[doc(alias = "filter_map")]
    pub fn try_map<U: ?Sized>(
        this: Self,
        f: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<OwnedMappedRwLockReadGuard<T, U>, Self> {
        match f(&this).map(NonNull::from) {
            // SAFETY: as in map.
            Some(value) => Ok(unsafe { OwnedMappedRwLockReadGuard::new(Self::into_share(this), value) }),
            None => Err(this),
        }
    }
}

owns_a_share!(OwnedRwLockReadGuard, unlock_read);

/// Ownership of what an [`RwLock`] in an `Arc` holds; dropping it lets the next in.
///
/// # Examples
/// ```
/// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
/// let mut guard = lock.try_write_owned().expect("nobody has it");
/// *guard += 1;
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
#[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    lock: Arc<RwLock<T>>,
    /// The last owner drops the value.
    _like: PhantomData<Box<T>>,
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_write_owned().expect("nobody has it");
    /// assert!(std::sync::Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&guard), &lock));
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }

    /// Goes on reading, as [`RwLockWriteGuard::downgrade`](crate::RwLockWriteGuard::downgrade).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let reads = OwnedRwLockWriteGuard::downgrade(lock.clone().try_write_owned().expect("nobody has it"));
    /// assert_eq!(lock.try_read().as_deref(), Some(&*reads));
    /// ```
    pub fn downgrade(this: Self) -> OwnedRwLockReadGuard<T> {
        // Made first: should a waker panic, the lock has changed already.
        let guard = OwnedRwLockReadGuard::new(Self::into_share(this));
        guard.lock.raw.write_to_read();
        guard
    }

    /// Goes on reading with the right to upgrade, as
    /// [`RwLockWriteGuard::downgrade_to_upgradable`](crate::RwLockWriteGuard::downgrade_to_upgradable).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_write_owned().expect("nobody has it");
    /// let reads = OwnedRwLockWriteGuard::downgrade_to_upgradable(guard);
    /// assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
    /// # drop(reads);
    /// ```
    pub fn downgrade_to_upgradable(this: Self) -> OwnedRwLockUpgradableReadGuard<T> {
        // Made first, as in downgrade.
        let guard = OwnedRwLockUpgradableReadGuard::new(Self::into_share(this));
        guard.lock.raw.write_to_upgradable();
        guard
    }

    /// Narrows the guard to a part of the value, as [`RwLockWriteGuard::map`](crate::RwLockWriteGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new((1, "one")));
    /// let guard = lock.try_write_owned().expect("nobody has it");
    /// *OwnedRwLockWriteGuard::map(guard, |pair| &mut pair.0) = 2;
    /// ```
    pub fn map<U: ?Sized>(mut this: Self, f: impl FnOnce(&mut T) -> &mut U) -> OwnedMappedRwLockWriteGuard<T, U> {
        let value = NonNull::from(f(&mut this));
        // SAFETY: the lock is held for writing, by nobody but this share.
        unsafe { OwnedMappedRwLockWriteGuard::new(Self::into_share(this), value) }
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// # Errors
    /// The guard, if `f` returned `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(vec![1, 2]));
    /// let guard = lock.try_write_owned().expect("nobody has it");
    /// assert!(OwnedRwLockWriteGuard::try_map(guard, |all| all.get_mut(2)).is_err());
    /// ```
    #[doc(alias = "filter_map")]
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<OwnedMappedRwLockWriteGuard<T, U>, Self> {
        match f(&mut this).map(NonNull::from) {
            // SAFETY: as in map.
            Some(value) => Ok(unsafe { OwnedMappedRwLockWriteGuard::new(Self::into_share(this), value) }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock alone and is borrowed exclusively.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

owns_a_share!(OwnedRwLockWriteGuard, unlock_write);

/// The right to read what an [`RwLock`] in an `Arc` holds and to become its writer; dropping it gives it back.
///
/// See [`RwLockUpgradableReadGuard`](crate::RwLockUpgradableReadGuard).
///
/// # Examples
/// ```
/// let lock = std::sync::Arc::new(weftwork_sync::RwLock::new(1));
/// let guard = lock.try_upgradable_read_owned().expect("nobody writes");
/// assert_eq!(*guard, 1);
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
#[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
pub struct OwnedRwLockUpgradableReadGuard<T: ?Sized> {
    lock: Arc<RwLock<T>>,
    /// The last owner drops the value.
    _like: PhantomData<Box<T>>,
}

impl<T: ?Sized> OwnedRwLockUpgradableReadGuard<T> {
    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockUpgradableReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_upgradable_read_owned().expect("nobody writes");
    /// assert!(std::sync::Arc::ptr_eq(OwnedRwLockUpgradableReadGuard::rwlock(&guard), &lock));
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }

    /// Becomes the writer, as [`RwLockUpgradableReadGuard::upgrade`](crate::RwLockUpgradableReadGuard::upgrade).
    ///
    /// # Cancel safety
    /// Dropping the future gives the lock back altogether: the guard went into it.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockUpgradableReadGuard, RwLock};
    /// # weftwork_sync::block_on(async {
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let reads = lock.upgradable_read_owned().await;
    /// *OwnedRwLockUpgradableReadGuard::upgrade(reads).await = 2;
    /// # });
    /// ```
    pub fn upgrade(this: Self) -> UpgradeOwned<T> {
        UpgradeOwned::new(Self::into_share(this))
    }

    /// Becomes the writer if nobody else reads.
    ///
    /// # Errors
    /// The guard, if somebody does.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockUpgradableReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let reads = lock.try_upgradable_read_owned().expect("nobody writes");
    /// assert!(OwnedRwLockUpgradableReadGuard::try_upgrade(reads).is_ok());
    /// ```
    pub fn try_upgrade(this: Self) -> Result<OwnedRwLockWriteGuard<T>, Self> {
        if this.lock.raw.try_take(Want::Upgrade) {
            Ok(OwnedRwLockWriteGuard::new(Self::into_share(this)))
        } else {
            Err(this)
        }
    }

    /// Goes on reading without the right to upgrade, which the next may have.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockUpgradableReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_upgradable_read_owned().expect("nobody writes");
    /// let reads = OwnedRwLockUpgradableReadGuard::downgrade(guard);
    /// assert!(lock.try_upgradable_read().is_some());
    /// # drop(reads);
    /// ```
    pub fn downgrade(this: Self) -> OwnedRwLockReadGuard<T> {
        // Made first: should a waker panic, the lock has changed already.
        let guard = OwnedRwLockReadGuard::new(Self::into_share(this));
        guard.lock.raw.upgradable_to_read();
        guard
    }
}

owns_a_share!(OwnedRwLockUpgradableReadGuard, unlock_upgradable);
