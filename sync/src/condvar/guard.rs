//! What a condition variable asks of a guard: that the lock can be given up, and taken again for a guard of the same kind.

#![allow(private_interfaces, reason = "the trait is sealed: what it asks for is between files of this crate")]

use crate::Mutex;
use crate::mutex::{MutexGuard, OwnedMutexGuard};
use crate::waiters::Waiter;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

#[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
use std::sync::Arc;

/// Where a wait began.
type Place = &'static Location<'static>;

/// A guard that a [`Condvar`](crate::Condvar) can wait with: [`MutexGuard`] and [`OwnedMutexGuard`].
///
/// # Examples
/// ```
/// fn can_wait<G: weftwork_sync::Relock>(_: &G) {}
/// can_wait(&weftwork_sync::Mutex::new(1).try_lock().expect("nobody holds it"));
/// ```
pub trait Relock: sealed::Relock {}

impl<T: ?Sized> Relock for MutexGuard<'_, T> {}
impl<T: ?Sized> Relock for OwnedMutexGuard<T> {}

pub(super) mod sealed {
    use super::{Context, Pin, Place, Poll, Waiter};

    pub trait Relock: Sized {
        /// What is kept while the lock is not held.
        type Lock;

        /// The lock of this guard.
        fn lock(&self) -> Self::Lock;
        fn poll_lock(lock: &Self::Lock, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> Poll<()>;
        /// The future of `waiter` is dropped.
        fn leave(lock: &Self::Lock, waiter: Pin<&Waiter>);
        /// The caller has just taken the lock.
        fn locked(lock: Self::Lock) -> Self;
    }
}

impl<'a, T: ?Sized> sealed::Relock for MutexGuard<'a, T> {
    type Lock = &'a Mutex<T>;

    fn lock(&self) -> Self::Lock {
        Self::mutex(self)
    }

    fn poll_lock(lock: &Self::Lock, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> Poll<()> {
        lock.poll_relock(waiter, cx, place)
    }

    fn leave(lock: &Self::Lock, waiter: Pin<&Waiter>) {
        lock.leave_queue(waiter);
    }

    fn locked(lock: Self::Lock) -> Self {
        MutexGuard::new(lock)
    }
}

#[allow(clippy::disallowed_types, reason = "users hold Arc<Mutex<T>>; our own protocols do not use it")]
impl<T: ?Sized> sealed::Relock for OwnedMutexGuard<T> {
    type Lock = Arc<Mutex<T>>;

    fn lock(&self) -> Self::Lock {
        Self::mutex(self).clone()
    }

    fn poll_lock(lock: &Self::Lock, waiter: Pin<&Waiter>, cx: &mut Context<'_>, place: Place) -> Poll<()> {
        lock.poll_relock(waiter, cx, place)
    }

    fn leave(lock: &Self::Lock, waiter: Pin<&Waiter>) {
        lock.leave_queue(waiter);
    }

    fn locked(lock: Self::Lock) -> Self {
        OwnedMutexGuard::new(lock)
    }
}
