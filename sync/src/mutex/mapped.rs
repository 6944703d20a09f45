//! The guards of the mutex that were narrowed to a part of the value.

use super::Mutex;
use super::raw::RawLock;
use crate::mapped::{mapped_guard, owned_mapped_guard};

mapped_guard! {
    /// Ownership of a part of what a [`Mutex`] holds; made by [`MutexGuard::map`](crate::MutexGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, MutexGuard};
    /// let mutex = Mutex::new((1, "one"));
    /// *MutexGuard::map(mutex.try_lock().expect("nobody holds it"), |pair| &mut pair.0) = 2;
    /// ```
    MappedMutexGuard, RawLock, unlock, [mut], Send,
    map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{MappedMutexGuard, Mutex, MutexGuard};
    /// let mutex = Mutex::new(([1, 2], "one"));
    /// let numbers = MutexGuard::map(mutex.try_lock().expect("nobody holds it"), |pair| &mut pair.0);
    /// *MappedMutexGuard::map(numbers, |numbers| &mut numbers[0]) = 3;
    /// ```
    ,
    try_map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{MappedMutexGuard, Mutex, MutexGuard};
    /// let mutex = Mutex::new(([1, 2], "one"));
    /// let numbers = MutexGuard::map(mutex.try_lock().expect("nobody holds it"), |pair| &mut pair.0);
    /// assert!(MappedMutexGuard::try_map(numbers, |numbers| numbers.get_mut(2)).is_err());
    /// ```
}

owned_mapped_guard! {
    /// Ownership of a part of what a [`Mutex`] in an `Arc` holds; made by
    /// [`OwnedMutexGuard::map`](crate::OwnedMutexGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, OwnedMutexGuard};
    /// let mutex = std::sync::Arc::new(Mutex::new((1, "one")));
    /// *OwnedMutexGuard::map(mutex.try_lock_owned().expect("nobody holds it"), |pair| &mut pair.0) = 2;
    /// ```
    OwnedMappedMutexGuard, Mutex, unlock, [mut], Send,
    map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    /// let mutex = std::sync::Arc::new(Mutex::new(([1, 2], "one")));
    /// let numbers = OwnedMutexGuard::map(mutex.try_lock_owned().expect("nobody holds it"), |pair| &mut pair.0);
    /// *OwnedMappedMutexGuard::map(numbers, |numbers| &mut numbers[0]) = 3;
    /// ```
    ,
    try_map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    /// let mutex = std::sync::Arc::new(Mutex::new(([1, 2], "one")));
    /// let numbers = OwnedMutexGuard::map(mutex.try_lock_owned().expect("nobody holds it"), |pair| &mut pair.0);
    /// assert!(OwnedMappedMutexGuard::try_map(numbers, |numbers| numbers.get_mut(2)).is_err());
    /// ```
}
