//! The futures that wait for the lock: one pair, borrowed and owned, for each thing that can be asked for, and the upgrade,
//! which begins with a guard and ends with another.

use super::guard::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
use super::owned::{OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard};
use super::{RwLock, Want};
use crate::waiters::Waiter;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

#[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
use std::sync::Arc;

macro_rules! waits_for {
    ($want:expr; $(#[$doc:meta])* $name:ident -> $guard:ident; $(#[$owned_doc:meta])* $owned:ident -> $owned_guard:ident) => {
        $(#[$doc])*
        #[must_use = "a future does nothing unless it is awaited"]
        pub struct $name<'a, T: ?Sized> {
            lock: &'a RwLock<T>,
            waiter: Waiter,
        }

        impl<'a, T: ?Sized> $name<'a, T> {
            #[inline]
            pub(super) fn new(lock: &'a RwLock<T>) -> Self {
                Self { lock, waiter: Waiter::new() }
            }
        }

        impl<'a, T: ?Sized> Future for $name<'a, T> {
            type Output = $guard<'a, T>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = self.into_ref();
                // SAFETY: the waiter is pinned with the future and never moved out of it.
                let waiter = unsafe { this.map_unchecked(|this| &this.waiter) };
                this.lock.raw.poll_take($want, waiter, cx).map(|()| $guard::new(this.get_ref().lock))
            }
        }

        impl<T: ?Sized> Drop for $name<'_, T> {
            fn drop(&mut self) {
                // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
                self.lock.raw.leave($want, unsafe { Pin::new_unchecked(&self.waiter) });
            }
        }

        impl<T: ?Sized> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("phase", &self.waiter.phase()).finish_non_exhaustive()
            }
        }

        $(#[$owned_doc])*
        #[must_use = "a future does nothing unless it is awaited"]
        pub struct $owned<T: ?Sized> {
            /// `None` once the guard has it.
            #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
            lock: Option<Arc<RwLock<T>>>,
            waiter: Waiter,
        }

        impl<T: ?Sized> $owned<T> {
            #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
            pub(super) fn new(lock: Arc<RwLock<T>>) -> Self {
                Self { lock: Some(lock), waiter: Waiter::new() }
            }
        }

        impl<T: ?Sized> Future for $owned<T> {
            type Output = $owned_guard<T>;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                // SAFETY: nothing is moved out of the pinned part, which is the waiter alone.
                let this = unsafe { self.get_unchecked_mut() };
                // SAFETY: the waiter is pinned with the future.
                let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
                // The Arc stays in place while the waiter may be linked, also if a waker's clone panics in here (tokio 3689).
                if let Some(lock) = &this.lock {
                    ready!(lock.raw.poll_take($want, waiter, cx));
                }
                match this.lock.take() {
                    Some(lock) => Poll::Ready($owned_guard::new(lock)),
                    None => panic!(concat!(
                        stringify!($owned),
                        " was polled after it gave out its guard: await it once, or fuse it"
                    )),
                }
            }
        }

        impl<T: ?Sized> Drop for $owned<T> {
            fn drop(&mut self) {
                if let Some(lock) = &self.lock {
                    // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
                    lock.raw.leave($want, unsafe { Pin::new_unchecked(&self.waiter) });
                }
            }
        }

        impl<T: ?Sized> fmt::Debug for $owned<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($owned)).field("phase", &self.waiter.phase()).finish_non_exhaustive()
            }
        }
    };
}

waits_for! {
    Want::Read;
    /// The future of [`RwLock::read`].
    ReadLock -> RwLockReadGuard;
    /// The future of [`RwLock::read_owned`].
    ReadLockOwned -> OwnedRwLockReadGuard
}

waits_for! {
    Want::Write;
    /// The future of [`RwLock::write`].
    WriteLock -> RwLockWriteGuard;
    /// The future of [`RwLock::write_owned`].
    WriteLockOwned -> OwnedRwLockWriteGuard
}

waits_for! {
    Want::Upgradable;
    /// The future of [`RwLock::upgradable_read`].
    UpgradableReadLock -> RwLockUpgradableReadGuard;
    /// The future of [`RwLock::upgradable_read_owned`].
    UpgradableReadLockOwned -> OwnedRwLockUpgradableReadGuard
}

/// The upgrade of a guard whose lock is `lock`; `None` once the new guard has it.
macro_rules! upgrades {
    ($(#[$doc:meta])* $name:ident<$($life:lifetime,)? T>, $lock:ty => $guard:ty) => {
        $(#[$doc])*
        #[must_use = "a future does nothing unless it is awaited, and dropping it gives the lock back"]
        pub struct $name<$($life,)? T: ?Sized> {
            /// What the guard held, until the new one has it.
            #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
            lock: Option<$lock>,
            waiter: Waiter,
        }

        impl<$($life,)? T: ?Sized> $name<$($life,)? T> {
            /// The caller holds the lock for upgradable reading, and gives that away.
            #[allow(clippy::disallowed_types, reason = "users hold Arc<RwLock<T>>; our own protocols do not use it")]
            pub(super) fn new(lock: $lock) -> Self {
                Self { lock: Some(lock), waiter: Waiter::new() }
            }
        }

        impl<$($life,)? T: ?Sized> Future for $name<$($life,)? T> {
            type Output = $guard;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                // SAFETY: nothing is moved out of the pinned part, which is the waiter alone.
                let this = unsafe { self.get_unchecked_mut() };
                // SAFETY: the waiter is pinned with the future.
                let waiter = unsafe { Pin::new_unchecked(&this.waiter) };
                // The lock stays in place while the waiter may be linked, also if a waker's clone panics in here.
                if let Some(lock) = &this.lock {
                    ready!(lock.raw.poll_take(Want::Upgrade, waiter, cx));
                }
                match this.lock.take() {
                    Some(lock) => Poll::Ready(<$guard>::new(lock)),
                    None => panic!(concat!(
                        stringify!($name),
                        " was polled after it gave out its guard: await it once, or fuse it"
                    )),
                }
            }
        }

        impl<$($life,)? T: ?Sized> Drop for $name<$($life,)? T> {
            fn drop(&mut self) {
                if let Some(lock) = &self.lock {
                    // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
                    let upgraded = lock.raw.leave(Want::Upgrade, unsafe { Pin::new_unchecked(&self.waiter) });
                    if !upgraded {
                        lock.raw.unlock_upgradable();
                    }
                }
            }
        }

        impl<$($life,)? T: ?Sized> fmt::Debug for $name<$($life,)? T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("phase", &self.waiter.phase()).finish_non_exhaustive()
            }
        }
    };
}

upgrades! {
    /// The future of [`RwLockUpgradableReadGuard::upgrade`].
    Upgrade<'a, T>, &'a RwLock<T> => RwLockWriteGuard<'a, T>
}

upgrades! {
    /// The future of [`OwnedRwLockUpgradableReadGuard::upgrade`].
    UpgradeOwned<T>, Arc<RwLock<T>> => OwnedRwLockWriteGuard<T>
}
