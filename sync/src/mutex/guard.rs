//! The guards: whoever has one owns the lock, and dropping it gives the lock back.

use super::Mutex;
use super::mapped::{MappedMutexGuard, OwnedMappedMutexGuard};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

#[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
use std::sync::Arc;

/// Ownership of a [`Mutex`]; dropping it gives the lock to the next.
///
/// It may move to another thread and be held across an `.await`.
///
/// # Examples
/// ```
/// let mutex = weftwork_sync::Mutex::new(String::new());
/// if let Some(mut text) = mutex.try_lock() {
///     text.push('a');
/// }
/// assert_eq!(mutex.into_inner(), "a");
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// A guard is shared where `&mut T` is (RUSTSEC-2020-0072 was a guard that was not).
    _like: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The caller has just taken the lock.
    #[inline]
    pub(crate) fn new(mutex: &'a Mutex<T>) -> Self {
        Self { mutex, _like: PhantomData }
    }

    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, MutexGuard};
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().expect("nobody holds it");
    /// assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    /// ```
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }

    /// Narrows the guard to a part of the value. The lock is held as before.
    ///
    /// # Counterparts
    /// tokio's `MutexGuard::map`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, MutexGuard};
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.try_lock().expect("nobody holds it"), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(mutex.into_inner(), (2, "one"));
    /// ```
    pub fn map<U: ?Sized>(mut this: Self, f: impl FnOnce(&mut T) -> &mut U) -> MappedMutexGuard<'a, U> {
        let value = NonNull::from(f(&mut this));
        // SAFETY: the lock is held, and by the forgotten guard no more.
        unsafe { MappedMutexGuard::new(&ManuallyDrop::new(this).mutex.raw, value) }
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// # Errors
    /// The guard, if `f` returned `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, MutexGuard};
    /// let mutex = Mutex::new(vec![1, 2]);
    /// let third = MutexGuard::try_map(mutex.try_lock().expect("nobody holds it"), |all| all.get_mut(2));
    /// assert_eq!(third.expect_err("there are two").len(), 2);
    /// ```
    #[doc(alias = "filter_map")]
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        match f(&mut this).map(NonNull::from) {
            // SAFETY: as in map.
            Some(value) => Ok(unsafe { MappedMutexGuard::new(&ManuallyDrop::new(this).mutex.raw, value) }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard owns the lock, so nobody writes while it is borrowed.
        self.mutex.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard owns the lock and is borrowed exclusively.
        self.mutex.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Ownership of a [`Mutex`] in an `Arc`, tied to no lifetime; dropping it gives the lock to the next.
///
/// # Examples
/// ```
/// let mutex = std::sync::Arc::new(weftwork_sync::Mutex::new(1));
/// let mut guard = mutex.try_lock_owned().expect("nobody holds it");
/// *guard += 1;
/// ```
#[must_use = "the lock is given back at once when the guard is dropped"]
#[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
pub struct OwnedMutexGuard<T: ?Sized> {
    mutex: Arc<Mutex<T>>,
    /// As for [`MutexGuard`]: shared where the value may be shared.
    _like: PhantomData<Box<T>>,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The caller has just taken the lock.
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
    pub(crate) fn new(mutex: Arc<Mutex<T>>) -> Self {
        Self { mutex, _like: PhantomData }
    }

    /// The lock that this guard holds.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::OwnedMutexGuard;
    /// let mutex = std::sync::Arc::new(weftwork_sync::Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().expect("nobody holds it");
    /// assert!(std::sync::Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.mutex
    }

    /// The lock stays held; whoever gets the share answers for it.
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
    fn into_share(this: Self) -> Arc<Mutex<T>> {
        let this = ManuallyDrop::new(this);
        // SAFETY: moved out once, for `this` is not dropped and not used again.
        unsafe { ptr::read(&raw const this.mutex) }
    }

    /// Narrows the guard to a part of the value, as [`MutexGuard::map`].
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, OwnedMutexGuard};
    /// let mutex = std::sync::Arc::new(Mutex::new((1, "one")));
    /// *OwnedMutexGuard::map(mutex.try_lock_owned().expect("nobody holds it"), |pair| &mut pair.0) = 2;
    /// ```
    pub fn map<U: ?Sized>(mut this: Self, f: impl FnOnce(&mut T) -> &mut U) -> OwnedMappedMutexGuard<T, U> {
        let value = NonNull::from(f(&mut this));
        // SAFETY: the lock is held, by nobody but this share.
        unsafe { OwnedMappedMutexGuard::new(Self::into_share(this), value) }
    }

    /// As [`map`](Self::map), where there may be no such part.
    ///
    /// # Errors
    /// The guard, if `f` returned `None`.
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, OwnedMutexGuard};
    /// let mutex = std::sync::Arc::new(Mutex::new(vec![1, 2]));
    /// let guard = mutex.try_lock_owned().expect("nobody holds it");
    /// assert!(OwnedMutexGuard::try_map(guard, |all| all.get_mut(2)).is_err());
    /// ```
    #[doc(alias = "filter_map")]
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<OwnedMappedMutexGuard<T, U>, Self> {
        match f(&mut this).map(NonNull::from) {
            // SAFETY: as in map.
            Some(value) => Ok(unsafe { OwnedMappedMutexGuard::new(Self::into_share(this), value) }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Deref for OwnedMutexGuard<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard owns the lock, so nobody writes while it is borrowed.
        self.mutex.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard owns the lock and is borrowed exclusively.
        self.mutex.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized> Drop for OwnedMutexGuard<T> {
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
