//! The reader-writer lock (part of L9): a writer is alone, what it wrote is seen by who comes next, an upgrade lets nobody write
//! in between, and nobody sleeps beside a lock that it could have, whoever is dropped in whichever state.
#![cfg(weftwork_loom)]

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::{Shared, UnsafeCell, thread};
use weftwork_sync::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
    WriteLockOwned, block_on,
};

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

/// Polls once and gives up, whatever came of it.
fn give_up<F: Future>(future: F) {
    let mut future = pin!(future);
    let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

/// Data beside the lock, so that loom watches each access to it.
struct Guarded {
    lock: RwLock<()>,
    data: UnsafeCell<u32>,
}
// SAFETY: readers hold the lock for reading, writers for writing; loom checks that this orders the accesses.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    fn new() -> Shared<Self> {
        Shared::new(Self { lock: RwLock::new(()), data: UnsafeCell::new(0) })
    }

    fn write(&self) {
        let guard = block_on(self.lock.write());
        self.add();
        drop(guard);
    }

    fn read(&self) -> u32 {
        let guard = block_on(self.lock.read());
        let seen = self.get();
        drop(guard);
        seen
    }

    fn upgrade(&self) {
        let reads = block_on(self.lock.upgradable_read());
        let seen = self.get();
        let writes = block_on(RwLockUpgradableReadGuard::upgrade(reads));
        assert_eq!(self.get(), seen, "nobody wrote in between");
        self.add();
        drop(writes);
    }

    fn add(&self) {
        // SAFETY: the caller holds the lock for writing.
        self.data.with_mut(|data| unsafe { *data += 1 });
    }

    fn get(&self) -> u32 {
        // SAFETY: the caller holds the lock.
        self.data.with(|data| unsafe { *data })
    }

    fn is_free(&self) -> bool {
        self.lock.try_write().is_some()
    }
}

#[test]
fn a_reader_and_a_writer_exclude_each_other() {
    check("rwlock/reader_and_writer", Bound::Preemptions(2), Bound::Unbounded, || {
        let shared = Guarded::new();
        let theirs = shared.clone();
        let writer = spawn(move || theirs.write());
        let seen = shared.read();
        writer.join().unwrap();
        assert!(seen <= 1);
        assert_eq!(shared.read(), 1);
        assert!(shared.is_free());
    });
}

#[test]
fn two_writers_and_a_reader() {
    check("rwlock/two_writers_and_a_reader", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let others = [shared.clone(), shared.clone()].map(|theirs| spawn(move || theirs.write()));
        let seen = shared.read();
        for other in others {
            other.join().unwrap();
        }
        assert!(seen <= 2);
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn two_readers_leave_and_one_wakes_the_writer() {
    check("rwlock/two_readers_and_a_writer", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let others = [shared.clone(), shared.clone()].map(|theirs| spawn(move || theirs.read()));
        shared.write();
        for other in others {
            assert!(other.join().unwrap() <= 1);
        }
        assert!(shared.is_free());
    });
}

#[test]
fn a_writer_dropped_in_any_state_lets_the_reader_behind_it_in() {
    check("rwlock/dropped_writer", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let held = block_on(shared.lock.read());
        let (first, second) = (shared.clone(), shared.clone());
        let gives_up = spawn(move || give_up(first.lock.write()));
        let reads = spawn(move || second.read());
        drop(held);
        gives_up.join().unwrap();
        reads.join().unwrap();
        assert!(shared.is_free());
    });
}

#[test]
fn a_writer_that_gives_up_lets_the_reader_behind_it_in_beside_the_one_that_stays() {
    check("rwlock/dropped_writer_beside_a_reader", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let stays = block_on(shared.lock.read());
        let (first, second) = (shared.clone(), shared.clone());
        let gives_up = spawn(move || give_up(first.lock.write()));
        let reads = spawn(move || second.read());
        gives_up.join().unwrap();
        reads.join().unwrap();
        drop(stays);
        assert!(shared.is_free());
    });
}

#[test]
fn a_reader_dropped_in_any_state_lets_the_writer_in() {
    check("rwlock/dropped_reader", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let held = block_on(shared.lock.write());
        let (first, second) = (shared.clone(), shared.clone());
        let gives_up = spawn(move || give_up(first.lock.read()));
        let writes = spawn(move || second.write());
        drop(held);
        gives_up.join().unwrap();
        writes.join().unwrap();
        assert_eq!(shared.read(), 1);
        assert!(shared.is_free());
    });
}

#[test]
fn an_upgrade_and_a_reader() {
    check("rwlock/upgrade_and_reader", Bound::Preemptions(2), Bound::Unbounded, || {
        let shared = Guarded::new();
        let theirs = shared.clone();
        let upgrades = spawn(move || theirs.upgrade());
        let seen = shared.read();
        upgrades.join().unwrap();
        assert!(seen <= 1);
        assert_eq!(shared.read(), 1);
        assert!(shared.is_free());
    });
}

#[test]
fn an_upgrade_and_a_writer() {
    check("rwlock/upgrade_and_writer", Bound::Preemptions(2), Bound::Unbounded, || {
        let shared = Guarded::new();
        let theirs = shared.clone();
        let upgrades = spawn(move || theirs.upgrade());
        shared.write();
        upgrades.join().unwrap();
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn two_upgrades() {
    check("rwlock/two_upgrades", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let theirs = shared.clone();
        let upgrades = spawn(move || theirs.upgrade());
        shared.upgrade();
        upgrades.join().unwrap();
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn an_upgrade_that_waits_behind_a_reader_and_before_a_writer() {
    check("rwlock/upgrade_reader_writer", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let upgradable = block_on(shared.lock.upgradable_read());
        let (first, second) = (shared.clone(), shared.clone());
        let reads = spawn(move || first.read());
        let writes = spawn(move || second.write());
        let writes_first = block_on(RwLockUpgradableReadGuard::upgrade(upgradable));
        assert_eq!(shared.get(), 0, "the writer waits behind the upgrade");
        shared.add();
        drop(writes_first);
        reads.join().unwrap();
        writes.join().unwrap();
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn an_upgrade_dropped_in_any_state_lets_the_others_in() {
    check("rwlock/dropped_upgrade", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let upgradable = block_on(shared.lock.upgradable_read());
        let (first, second) = (shared.clone(), shared.clone());
        let reads = spawn(move || first.read());
        let writes = spawn(move || second.write());
        give_up(RwLockUpgradableReadGuard::upgrade(upgradable));
        reads.join().unwrap();
        writes.join().unwrap();
        assert_eq!(shared.read(), 1);
        assert!(shared.is_free());
    });
}

#[test]
fn a_reader_passes_who_waits_to_read_upgradably() {
    check("rwlock/passed_by_a_reader", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let held = block_on(shared.lock.upgradable_read());
        let (first, second) = (shared.clone(), shared.clone());
        let upgrades = spawn(move || first.upgrade());
        let reads = spawn(move || second.read());
        drop(held);
        upgrades.join().unwrap();
        assert!(reads.join().unwrap() <= 1);
        assert_eq!(shared.read(), 1);
        assert!(shared.is_free());
    });
}

#[test]
fn a_writer_does_not_pass_who_waits_to_read_upgradably() {
    check("rwlock/upgradable_and_writer", Bound::Preemptions(1), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let held = block_on(shared.lock.upgradable_read());
        let (first, second) = (shared.clone(), shared.clone());
        let upgrades = spawn(move || first.upgrade());
        let writes = spawn(move || second.write());
        drop(RwLockUpgradableReadGuard::downgrade(held));
        upgrades.join().unwrap();
        writes.join().unwrap();
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn try_upgrade_passes_a_writer_that_comes() {
    check("rwlock/try_upgrade", Bound::Preemptions(2), Bound::Unbounded, || {
        let shared = Guarded::new();
        let upgradable = block_on(shared.lock.upgradable_read());
        let theirs = shared.clone();
        let writes = spawn(move || theirs.write());
        match RwLockUpgradableReadGuard::try_upgrade(upgradable) {
            Ok(guard) => {
                shared.add();
                drop(guard);
            }
            Err(_) => panic!("nobody else reads"),
        }
        writes.join().unwrap();
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn an_upgrade_at_once_a_writer_that_gives_up_and_a_reader() {
    check("rwlock/try_upgrade_writer_reader", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let upgradable = block_on(shared.lock.upgradable_read());
        let (first, second) = (shared.clone(), shared.clone());
        let gives_up = spawn(move || give_up(first.lock.write()));
        let reads = spawn(move || second.read());
        if let Ok(guard) = RwLockUpgradableReadGuard::try_upgrade(upgradable) {
            shared.add();
            drop(guard);
        }
        gives_up.join().unwrap();
        reads.join().unwrap();
        assert!(shared.is_free());
    });
}

/// A lock that is read, also upgradably, with a writer at the front of its queue.
#[allow(clippy::disallowed_types, reason = "owned guards live on the standard library's count")]
type BehindAWriter = (
    std::sync::Arc<RwLock<u32>>,
    OwnedRwLockReadGuard<u32>,
    OwnedRwLockUpgradableReadGuard<u32>,
    Pin<Box<WriteLockOwned<u32>>>,
);

#[allow(clippy::disallowed_types, reason = "as above")]
fn behind_a_writer() -> BehindAWriter {
    let lock = std::sync::Arc::new(RwLock::new(0));
    let reader = lock.clone().try_read_owned().unwrap();
    let upgradable = lock.clone().try_upgradable_read_owned().unwrap();
    let mut front = Box::pin(lock.clone().write_owned());
    assert!(front.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    (lock, reader, upgradable, front)
}

/// The upgradable reader writes, if it can at once.
fn try_to_write(upgradable: OwnedRwLockUpgradableReadGuard<u32>) {
    if let Ok(mut guard) = OwnedRwLockUpgradableReadGuard::try_upgrade(upgradable) {
        *guard += 1;
    }
}

#[test]
fn try_upgrade_and_a_reader_that_is_let_in_by_a_writer_that_gives_up() {
    check("rwlock/try_upgrade_while_served", Bound::Preemptions(2), Bound::Unbounded, || {
        let (lock, reader, upgradable, front) = behind_a_writer();
        drop(reader);
        let mut behind = Box::pin(lock.clone().read_owned());
        assert!(behind.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = spawn(move || {
            drop(front);
            if let Poll::Ready(guard) = behind.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                assert!(*guard <= 1);
            }
        });
        try_to_write(upgradable);
        other.join().unwrap();
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn try_upgrade_and_a_reader_that_leaves() {
    check("rwlock/try_upgrade_past_a_writer", Bound::Preemptions(2), Bound::Unbounded, || {
        let (lock, reader, upgradable, front) = behind_a_writer();
        let other = spawn(move || {
            assert_eq!(*reader, 0);
            drop(reader);
        });
        try_to_write(upgradable);
        other.join().unwrap();
        drop(front);
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn a_downgrade_publishes_what_was_written_and_lets_the_reader_in() {
    check("rwlock/downgrade", Bound::Preemptions(2), Bound::Unbounded, || {
        let shared = Guarded::new();
        let guard = block_on(shared.lock.write());
        let theirs = shared.clone();
        let reads = spawn(move || theirs.read());
        shared.add();
        let guard = RwLockWriteGuard::downgrade(guard);
        // It comes in beside this one.
        assert_eq!(reads.join().unwrap(), 1);
        assert_eq!(shared.get(), 1);
        drop(guard);
        assert!(shared.is_free());
    });
}

#[test]
fn a_downgrade_keeps_the_writer_out() {
    check("rwlock/downgrade_to_upgradable", Bound::Preemptions(1), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let guard = block_on(shared.lock.write());
        let (first, second) = (shared.clone(), shared.clone());
        let reads = spawn(move || first.read());
        let writes = spawn(move || second.write());
        shared.add();
        let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
        assert_eq!(shared.get(), 1);
        let guard = RwLockUpgradableReadGuard::downgrade(guard);
        assert_eq!(shared.get(), 1, "no writer came in between");
        drop(guard);
        assert!(reads.join().unwrap() >= 1);
        writes.join().unwrap();
        assert_eq!(shared.read(), 2);
        assert!(shared.is_free());
    });
}

#[test]
fn a_reader_served_by_the_drop_of_another_sees_what_the_writer_wrote() {
    check("rwlock/served_by_another", Bound::Preemptions(2), Bound::Preemptions(3), || {
        let shared = Guarded::new();
        let held = block_on(shared.lock.write());
        let mut front = Box::pin(shared.lock.write());
        assert!(front.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let mut behind = Box::pin(shared.lock.read());
        assert!(matches!(behind.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        drop(behind);
        let theirs = shared.clone();
        let reads = spawn(move || theirs.read());
        // What is written under the lock reaches the reader, who is let in by whoever drops the writer in front of it.
        shared.add();
        drop(held);
        drop(front);
        assert_eq!(reads.join().unwrap(), 1);
        assert!(shared.is_free());
    });
}
