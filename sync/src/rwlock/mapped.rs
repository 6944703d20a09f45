//! The guards of the reader-writer lock that were narrowed to a part of the value.

use super::RwLock;
use super::raw::RawRwLock;
use crate::mapped::{mapped_guard, owned_mapped_guard};

mapped_guard! {
    /// The right to read a part of what an [`RwLock`] holds; made by [`RwLockReadGuard::map`](crate::RwLockReadGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockReadGuard};
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().expect("nobody writes"), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    MappedRwLockReadGuard, RawRwLock, unlock_read, [], Sync,
    map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().expect("nobody writes"), |pair| &pair.1);
    /// assert_eq!(*MappedRwLockReadGuard::map(name, |name| &name[..1]), *"o");
    /// ```
    ,
    try_map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().expect("nobody writes"), |pair| &pair.1);
    /// assert!(MappedRwLockReadGuard::try_map(name, |name| name.get(9..)).is_err());
    /// ```
}

mapped_guard! {
    /// Ownership of a part of what an [`RwLock`] holds; made by [`RwLockWriteGuard::map`](crate::RwLockWriteGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new((1, "one"));
    /// *RwLockWriteGuard::map(lock.try_write().expect("nobody has it"), |pair| &mut pair.0) = 2;
    /// ```
    MappedRwLockWriteGuard, RawRwLock, unlock_write, [mut], Send,
    map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{MappedRwLockWriteGuard, RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(([1, 2], "one"));
    /// let numbers = RwLockWriteGuard::map(lock.try_write().expect("nobody has it"), |pair| &mut pair.0);
    /// *MappedRwLockWriteGuard::map(numbers, |numbers| &mut numbers[0]) = 3;
    /// ```
    ,
    try_map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{MappedRwLockWriteGuard, RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(([1, 2], "one"));
    /// let numbers = RwLockWriteGuard::map(lock.try_write().expect("nobody has it"), |pair| &mut pair.0);
    /// assert!(MappedRwLockWriteGuard::try_map(numbers, |numbers| numbers.get_mut(2)).is_err());
    /// ```
}

owned_mapped_guard! {
    /// The right to read a part of what an [`RwLock`] in an `Arc` holds; made by
    /// [`OwnedRwLockReadGuard::map`](crate::OwnedRwLockReadGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new((1, "one")));
    /// let name = OwnedRwLockReadGuard::map(lock.try_read_owned().expect("nobody writes"), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    OwnedMappedRwLockReadGuard, RwLock, unlock_read, [], Sync,
    map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedMappedRwLockReadGuard, OwnedRwLockReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new((1, "one")));
    /// let name = OwnedRwLockReadGuard::map(lock.try_read_owned().expect("nobody writes"), |pair| &pair.1);
    /// assert_eq!(*OwnedMappedRwLockReadGuard::map(name, |name| &name[..1]), *"o");
    /// ```
    ,
    try_map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedMappedRwLockReadGuard, OwnedRwLockReadGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new((1, "one")));
    /// let name = OwnedRwLockReadGuard::map(lock.try_read_owned().expect("nobody writes"), |pair| &pair.1);
    /// assert!(OwnedMappedRwLockReadGuard::try_map(name, |name| name.get(9..)).is_err());
    /// ```
}

owned_mapped_guard! {
    /// Ownership of a part of what an [`RwLock`] in an `Arc` holds; made by
    /// [`OwnedRwLockWriteGuard::map`](crate::OwnedRwLockWriteGuard::map).
    ///
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new((1, "one")));
    /// *OwnedRwLockWriteGuard::map(lock.try_write_owned().expect("nobody has it"), |pair| &mut pair.0) = 2;
    /// ```
    OwnedMappedRwLockWriteGuard, RwLock, unlock_write, [mut], Send,
    map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedMappedRwLockWriteGuard, OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(([1, 2], "one")));
    /// let numbers = OwnedRwLockWriteGuard::map(lock.try_write_owned().expect("nobody has it"), |pair| &mut pair.0);
    /// *OwnedMappedRwLockWriteGuard::map(numbers, |numbers| &mut numbers[0]) = 3;
    /// ```
    ,
    try_map:
    /// # Examples
    /// ```
    /// use weftwork_sync::{OwnedMappedRwLockWriteGuard, OwnedRwLockWriteGuard, RwLock};
    /// let lock = std::sync::Arc::new(RwLock::new(([1, 2], "one")));
    /// let numbers = OwnedRwLockWriteGuard::map(lock.try_write_owned().expect("nobody has it"), |pair| &mut pair.0);
    /// assert!(OwnedMappedRwLockWriteGuard::try_map(numbers, |numbers| numbers.get_mut(2)).is_err());
    /// ```
}
