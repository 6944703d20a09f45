//! The permits: whoever has one may, and dropping it lets the next.

use super::Semaphore;
use core::fmt;
use core::mem;
use core::ptr;

#[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
use std::sync::Arc;

/// One or more permits of a [`Semaphore`]; dropping it gives them back.
///
/// # Examples
/// ```
/// let semaphore = weftwork_sync::Semaphore::new(1);
/// let permit = semaphore.try_acquire().expect("one is there");
/// drop(permit);
/// assert_eq!(semaphore.available_permits(), 1);
/// ```
#[must_use = "the permits are given back at once when this is dropped"]
#[doc(alias = "SemaphorePermit")]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn new(semaphore: &'a Semaphore, count: usize) -> Self {
        Self { semaphore, count }
    }

    /// How many permits it stands for.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(2);
    /// assert_eq!(semaphore.try_acquire_many(2).map(|permit| permit.count()), Ok(2));
    /// ```
    #[doc(alias = "num_permits")]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Never gives the permits back: the semaphore has that many less from now on.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(2);
    /// semaphore.try_acquire().expect("two are there").forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.count = 0;
    }

    /// Takes `count` permits out into a permit of their own; `None` if there are fewer.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(3);
    /// let mut three = semaphore.try_acquire_many(3).expect("three are there");
    /// drop(three.split(2));
    /// assert_eq!((three.count(), semaphore.available_permits()), (1, 2));
    /// ```
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        Some(Self { semaphore: self.semaphore, count })
    }

    /// Takes over the permits of another one.
    ///
    /// # Panics
    /// If the other is of another semaphore; both give their permits back then.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(2);
    /// let mut one = semaphore.try_acquire().expect("two are there");
    /// one.merge(semaphore.try_acquire().expect("one is there"));
    /// assert_eq!(one.count(), 2);
    /// ```
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            ptr::eq(self.semaphore, other.semaphore),
            "permits of two semaphores cannot be one permit: keep them side by side, in a tuple"
        );
        self.count += mem::take(&mut other.count);
    }

    /// The semaphore that it is of.
    ///
    /// # Examples
    /// ```
    /// let semaphore = weftwork_sync::Semaphore::new(1);
    /// let permit = semaphore.try_acquire().expect("one is there");
    /// assert!(std::ptr::eq(permit.semaphore(), &semaphore));
    /// ```
    pub fn semaphore(&self) -> &'a Semaphore {
        self.semaphore
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.permits.give(mem::take(&mut self.count));
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.count).finish_non_exhaustive()
    }
}

/// One or more permits of a [`Semaphore`] in an `Arc`, tied to no lifetime; dropping it gives them back.
///
/// # Examples
/// ```
/// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(1));
/// let permit = semaphore.clone().try_acquire_many_owned(1).expect("one is there");
/// std::thread::spawn(move || drop(permit)).join().expect("it only drops");
/// assert_eq!(semaphore.available_permits(), 1);
/// ```
#[must_use = "the permits are given back at once when this is dropped"]
#[doc(alias = "OwnedSemaphorePermit")]
#[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
pub struct OwnedPermit {
    semaphore: Arc<Semaphore>,
    count: usize,
}

impl OwnedPermit {
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub(super) fn new(semaphore: Arc<Semaphore>, count: usize) -> Self {
        Self { semaphore, count }
    }

    /// How many permits it stands for.
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(2));
    /// assert_eq!(semaphore.try_acquire_many_owned(2).map(|permit| permit.count()), Ok(2));
    /// ```
    #[doc(alias = "num_permits")]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Never gives the permits back: the semaphore has that many less from now on.
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(2));
    /// semaphore.clone().try_acquire_many_owned(1).expect("two are there").forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.count = 0;
    }

    /// Takes `count` permits out into a permit of their own; `None` if there are fewer.
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(3));
    /// let mut three = semaphore.clone().try_acquire_many_owned(3).expect("three are there");
    /// drop(three.split(2));
    /// assert_eq!((three.count(), semaphore.available_permits()), (1, 2));
    /// ```
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        Some(Self { semaphore: self.semaphore.clone(), count })
    }

    /// Takes over the permits of another one.
    ///
    /// # Panics
    /// If the other is of another semaphore; both give their permits back then.
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(2));
    /// let mut one = semaphore.clone().try_acquire_owned().expect("two are there");
    /// one.merge(semaphore.try_acquire_owned().expect("one is there"));
    /// assert_eq!(one.count(), 2);
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            Arc::ptr_eq(&self.semaphore, &other.semaphore),
            "permits of two semaphores cannot be one permit: keep them side by side, in a tuple"
        );
        self.count += mem::take(&mut other.count);
    }

    /// The semaphore that it is of.
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(weftwork_sync::Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().expect("one is there");
    /// assert!(std::sync::Arc::ptr_eq(permit.semaphore(), &semaphore));
    /// ```
    #[allow(clippy::disallowed_types, reason = "users hold Arc<Semaphore>; our own protocols do not use it")]
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl Drop for OwnedPermit {
    fn drop(&mut self) {
        self.semaphore.permits.give(mem::take(&mut self.count));
    }
}

impl fmt::Debug for OwnedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").field("count", &self.count).finish_non_exhaustive()
    }
}
