#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Every async method of every primitive, cancelled at each await in turn: while it waits, and when it was served and has not
//! looked yet. Each case has what is waited for, what happens meanwhile, and what must hold wherever the two were dropped.

mod fixtures;

use futures::future::{Join, join};
use std::cell::Cell;
use std::sync::Arc;
use weftwork::scope::ScopeCancelled;
use weftwork::sync::{
    Condvar, LifoQueue, Limiter, Mutex, Notify, OwnedRwLockUpgradableReadGuard, PriorityQueue, Queue, RwLock,
    RwLockUpgradableReadGuard, Semaphore, channel, oneshot,
};
use weftwork::task::yield_now;
use weftwork::testing::cancel_at_every_await;

/// Cancels `make`'s pair of futures everywhere and asks `holds` each time, which gets what the first one came to. The first is polled
/// before the second, so that there is an await where it is served and does not know.
fn cancelled_everywhere<A, B>(make: impl Fn() -> Join<A, B>, holds: impl Fn(Option<A::Output>))
where
    A: Future,
    B: Future,
{
    fixtures::both_flavors(|builder| {
        let awaits = cancel_at_every_await(&make, async |ended: Result<(A::Output, B::Output), ScopeCancelled>| {
            holds(ended.ok().map(|(output, _)| output));
        });
        let awaits = builder.run(awaits).unwrap();
        assert!(awaits >= 2, "cancelled where it waits, and where it was served: {awaits}");
    });
}

/// Done after others have run twice.
async fn later(what: impl FnOnce()) {
    yield_now().await;
    what();
    yield_now().await;
}

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
            let kept = fixtures::poll_once(&mut Box::pin(notify.notified())).is_ready();
            assert_eq!(kept, notified.get() && had.is_none(), "it was had, or is kept");
        },
    );
}

#[test]
fn channel_send() {
    let (sender, receiver) = channel::bounded(1);
    cancelled_everywhere(
        || {
            assert!(sender.try_send(0).is_ok());
            join(sender.send(1), later(|| assert_eq!(receiver.try_recv(), Ok(0))))
        },
        |sent| {
            while receiver.try_recv().is_ok_and(|value| {
                assert!(value == 0 || sent.is_some(), "who was cancelled has sent nothing");
                true
            }) {}
            assert!(sender.try_send(2).is_ok() && receiver.try_recv() == Ok(2));
        },
    );
}

#[test]
fn channel_recv() {
    let ((sender, receiver), sent) = (channel::bounded(2), Cell::new(0));
    cancelled_everywhere(
        || {
            join(
                receiver.recv(),
                later(|| {
                    sent.set(sent.get() + 1);
                    assert!(sender.try_send(sent.get()).is_ok());
                }),
            )
        },
        |received| {
            // Whoever was cancelled has left it there.
            let left = receiver.try_recv().ok();
            let value = received.map(|received| received.expect("open")).or(left);
            assert!(value.is_none_or(|value| value == sent.get()));
            assert!(received.is_none() || left.is_none());
            assert_eq!(receiver.len(), 0);
        },
    );
}

#[test]
fn oneshot_receive() {
    let value = Arc::new(());
    cancelled_everywhere(
        || {
            let (sender, receiver) = oneshot::channel();
            let value = value.clone();
            join(
                receiver,
                later(|| {
                    // Nobody waits any more where it was cancelled.
                    let _ = sender.send(value);
                }),
            )
        },
        |received| {
            drop(received);
            assert_eq!(Arc::strong_count(&value), 1, "dropped once, received or not");
        },
    );
}

#[test]
fn oneshot_closed() {
    cancelled_everywhere(
        || {
            let (mut sender, receiver) = oneshot::channel::<u8>();
            join(async move { sender.closed().await }, later(|| drop(receiver)))
        },
        |_| {},
    );
}

/// The methods of one of the queues, with items that are counted.
macro_rules! queue {
    ($put:ident, $get:ident, $join:ident, $queue:ident) => {
        #[test]
        fn $put() {
            let (queue, token) = ($queue::bounded(1), Arc::new(()));
            cancelled_everywhere(
                || {
                    assert!(queue.try_put(token.clone()).is_ok());
                    join(queue.put(token.clone()), later(|| assert!(queue.try_get().is_ok())))
                },
                |put| {
                    let left = queue.len();
                    assert!(put.is_none() || left == 1);
                    assert_eq!((Arc::strong_count(&token), queue.unfinished()), (1 + left, left));
                    while queue.try_get().is_ok() {}
                },
            );
        }

        #[test]
        fn $get() {
            let (queue, put) = ($queue::unbounded(), Cell::new(0));
            cancelled_everywhere(
                || {
                    put.set(0);
                    join(
                        queue.get(),
                        later(|| {
                            put.set(1);
                            assert!(queue.try_put(7).is_ok());
                        }),
                    )
                },
                |got| {
                    let left = queue.len();
                    assert_eq!(left + usize::from(got.is_some()), put.get(), "whoever was cancelled has left it there");
                    assert_eq!(queue.unfinished(), put.get());
                    drop(got);
                    while queue.try_get().is_ok() {}
                    assert_eq!(queue.unfinished(), 0);
                },
            );
        }

        #[test]
        fn $join() {
            let queue = $queue::unbounded();
            cancelled_everywhere(
                || {
                    assert!(queue.try_put(7).is_ok());
                    join(queue.join(), later(|| assert!(queue.try_get().is_ok())))
                },
                |joined| {
                    assert!(joined.is_none() || queue.unfinished() == 0);
                    while queue.try_get().is_ok() {}
                },
            );
        }
    };
}
queue!(queue_put, queue_get, queue_join, Queue);
queue!(lifo_queue_put, lifo_queue_get, lifo_queue_join, LifoQueue);
queue!(priority_queue_put, priority_queue_get, priority_queue_join, PriorityQueue);
