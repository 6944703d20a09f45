//! Locks, permits, conditions, notifications.

use crate::everywhere::{cancelled_everywhere, later};
use crate::fixtures::poll_once;
use futures::future::join;
use std::cell::Cell;
use std::sync::Arc;
use weftwork::sync::{
    Condvar, Limiter, Mutex, Notify, OwnedRwLockUpgradableReadGuard, RwLock, RwLockUpgradableReadGuard, Semaphore,
};

#[test]
fn mutex_lock() {
    let mutex = Mutex::new(());
    cancelled_everywhere(
        || {
            let held = mutex.try_lock().expect("free");
            join(async { drop(mutex.lock().await) }, later(|| drop(held)))
        },
        |_| assert!(mutex.try_lock().is_some()),
    );
}

#[test]
fn mutex_lock_owned() {
    let mutex = Arc::new(Mutex::new(()));
    cancelled_everywhere(
        || {
            let held = mutex.try_lock().expect("free");
            join(mutex.clone().lock_owned(), later(|| drop(held)))
        },
        |guard| {
            drop(guard);
            assert!(mutex.try_lock().is_some());
            assert_eq!(Arc::strong_count(&mutex), 1);
        },
    );
}

/// Each way to take a reader-writer lock while somebody writes, and the one to become its writer while somebody reads.
#[test]
fn rwlock_read_write_and_upgradable_read() {
    let lock = Arc::new(RwLock::new(()));
    let write = || lock.try_write().expect("free");
    let holds = || assert!(lock.try_write().is_some() && Arc::strong_count(&lock) == 1);
    cancelled_everywhere(
        || {
            let held = write();
            join(async { drop(lock.read().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = write();
            join(async { drop(lock.write().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = write();
            join(async { drop(lock.upgradable_read().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = write();
            join(async { drop(lock.clone().read_owned().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = write();
            join(async { drop(lock.clone().write_owned().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = write();
            join(async { drop(lock.clone().upgradable_read_owned().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
}

#[test]
fn rwlock_upgrade() {
    let lock = Arc::new(RwLock::new(()));
    cancelled_everywhere(
        || {
            let held = lock.try_read().expect("free");
            let upgradable = lock.try_upgradable_read().expect("only read");
            join(async { drop(RwLockUpgradableReadGuard::upgrade(upgradable).await) }, later(|| drop(held)))
        },
        |_| assert!(lock.try_write().is_some()),
    );
    cancelled_everywhere(
        || {
            let held = lock.try_read().expect("free");
            let upgradable = lock.clone().try_upgradable_read_owned().expect("only read");
            join(async { drop(OwnedRwLockUpgradableReadGuard::upgrade(upgradable).await) }, later(|| drop(held)))
        },
        |_| assert!(lock.try_write().is_some() && Arc::strong_count(&lock) == 1),
    );
}

#[test]
fn condvar_wait_and_wait_while() {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    let tell = || {
        *ready.try_lock().expect("who waits has given it back") = true;
        changed.notify_one();
    };
    let holds = || {
        *ready.try_lock().expect("nobody has it") = false;
        assert!(format!("{changed:?}").contains("waiters: 0"), "{changed:?}");
    };
    cancelled_everywhere(
        || {
            let guard = ready.try_lock().expect("free");
            join(async { assert!(*changed.wait(guard).await) }, later(tell))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let guard = ready.try_lock().expect("free");
            join(async { assert!(*changed.wait_while(guard, |ready| !*ready).await) }, later(tell))
        },
        |_| holds(),
    );
}

#[test]
fn limiter_borrow_borrow_owned_and_on_behalf_of() {
    let limiter = Arc::new(Limiter::new(1));
    let holds = || assert!(limiter.borrowed() == 0 && Arc::strong_count(&limiter) == 1);
    cancelled_everywhere(
        || {
            let held = limiter.try_borrow().expect("free");
            join(async { drop(limiter.borrow().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = limiter.try_borrow().expect("free");
            join(async { drop(limiter.clone().borrow_owned().await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
    cancelled_everywhere(
        || {
            let held = limiter.try_borrow().expect("free");
            let borrow = limiter.borrow_on_behalf_of(7).expect("it has none");
            join(async { drop(borrow.await) }, later(|| drop(held)))
        },
        |_| holds(),
    );
}

#[test]
fn semaphore_acquire_and_acquire_many() {
    let semaphore = Semaphore::new(2);
    for count in [1, 2] {
        cancelled_everywhere(
            || {
                let held = semaphore.try_acquire_many(2).expect("free");
                join(semaphore.acquire_many(count), later(|| drop(held)))
            },
            |permit| {
                drop(permit);
                assert_eq!(semaphore.available_permits(), 2);
            },
        );
    }
}

#[test]
fn semaphore_acquire_owned_and_acquire_many_owned() {
    let semaphore = Arc::new(Semaphore::new(2));
    for count in [1, 2] {
        cancelled_everywhere(
            || {
                let held = semaphore.try_acquire_many(2).expect("free");
                join(semaphore.clone().acquire_many_owned(count), later(|| drop(held)))
            },
            |permit| {
                drop(permit);
                assert_eq!((semaphore.available_permits(), Arc::strong_count(&semaphore)), (2, 1));
            },
        );
    }
}

#[test]
fn notify_notified() {
    let (notify, notified) = (Notify::new(), Cell::new(false));
    cancelled_everywhere(
        || {
            notified.set(false);
            join(
                notify.notified(),
                later(|| {
                    notify.notify_one();
                    notified.set(true);
                }),
            )
        },
        |had| {
            let kept = poll_once(&mut Box::pin(notify.notified())).is_ready();
            assert_eq!(kept, notified.get() && had.is_none(), "it was had, or is kept");
        },
    );
}
