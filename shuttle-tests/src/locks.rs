//! Locks, permits and notifications, on threads: some wait, some try, some give up while they wait.

use crate::impatience::{spawn, wait_at_most};
use core::pin::pin;
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Shared, thread};
use weftwork_sync::{Mutex, Notify, Semaphore, block_on};

pub(crate) fn mutex() {
    let lock = Shared::new(Mutex::new(0_u32));
    let added = Shared::new(Counter::new(0));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (lock, added) = (lock.clone(), added.clone());
            let add = move || {
                added.add(1);
                // A section that others may not see half-done.
                let mut value = lock.try_lock();
                if value.is_none() && n % 2 == 0 {
                    value = wait_at_most(n / 2 + 1, lock.lock());
                }
                match value {
                    Some(mut value) => {
                        let before = *value;
                        thread::yield_now();
                        *value = before + 1;
                    }
                    None => {
                        let mut value = block_on(lock.lock());
                        let before = *value;
                        thread::yield_now();
                        *value = before + 1;
                    }
                }
            };
            spawn(move || (0..2).for_each(|_| add()))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(u64::from(*lock.try_lock().expect("nobody is left")), added.get());
}

pub(crate) fn semaphore() {
    let permits = Shared::new(Semaphore::new(2));
    let inside = Shared::new(Counter::new(0));
    let threads: Vec<_> = (0..4_u32)
        .map(|n| {
            let (permits, inside) = (permits.clone(), inside.clone());
            spawn(move || {
                let wanted = 1 + (n as usize % 2);
                let enter = |permit: weftwork_sync::Permit<'_>| {
                    assert!(inside.add(wanted as u64) + wanted as u64 <= 2, "more inside than permits");
                    thread::yield_now();
                    inside.add(0_u64.wrapping_sub(wanted as u64));
                    drop(permit);
                };
                match wait_at_most(n + 1, permits.acquire_many(wanted)) {
                    Some(permit) => enter(permit.expect("nobody closes")),
                    None => enter(block_on(permits.acquire_many(wanted)).expect("nobody closes")),
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(permits.available_permits(), 2);
}

pub(crate) fn notify() {
    let bell = Shared::new(Notify::new());
    let registered = Shared::new(Counter::new(0));
    let waits: Vec<_> = (0..2)
        .map(|_| {
            let (bell, registered) = (bell.clone(), registered.clone());
            spawn(move || {
                let mut notified = pin!(bell.notified());
                assert!(!notified.as_mut().enable(), "nobody has rung");
                registered.add(1);
                block_on(notified);
            })
        })
        .collect();
    while registered.get() < 2 {
        thread::yield_now();
    }
    let gives_up = {
        let bell = bell.clone();
        spawn(move || {
            // What it got is for somebody else.
            if wait_at_most(1, bell.notified()).is_some() {
                bell.notify_one();
            }
        })
    };
    let rings = {
        let bell = bell.clone();
        spawn(move || bell.notify_one())
    };
    bell.notify_one();
    for thread in [gives_up, rings].into_iter().chain(waits) {
        thread.join().unwrap();
    }
}
