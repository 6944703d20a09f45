//! The reader-writer lock: cases by hand, threads, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{
    MappedRwLockWriteGuard, OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, ReadLock,
    RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, UpgradableReadLock, Upgrade, WriteLock,
    block_on, coop,
};

#[test]
fn readers_share_and_a_writer_is_alone() {
    let lock = RwLock::new(1);
    let (first, second) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    assert!(lock.try_write().is_none());
    drop((first, second));
    let writer = lock.try_write().unwrap();
    assert!(lock.try_read().is_none() && lock.try_write().is_none() && lock.try_upgradable_read().is_none());
    drop(writer);
    assert!(lock.try_read().is_some());
}

#[test]
fn a_writer_that_waits_stops_new_readers() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let mut writer = Task::new(lock.write());
    assert!(writer.poll().is_pending());
    assert!(lock.try_read().is_none());
    let mut late = Task::new(lock.read());
    assert!(late.poll().is_pending());
    drop(reader);
    assert_eq!((writer.wakes(), late.wakes()), (1, 0));
    let Poll::Ready(guard) = writer.poll() else { panic!("it was given the lock") };
    assert!(late.poll().is_pending());
    drop(guard);
    assert_eq!(late.wakes(), 1);
    assert!(late.poll().is_ready());
}

#[test]
fn adjoining_readers_come_in_together_and_no_further() {
    let lock = RwLock::new(());
    let writer = lock.try_write().unwrap();
    let mut readers: Vec<_> = (0..3).map(|_| Task::new(lock.read())).collect();
    assert!(readers.iter_mut().all(|task| task.poll().is_pending()));
    let mut second = Task::new(lock.write());
    assert!(second.poll().is_pending());
    let mut behind = Task::new(lock.read());
    assert!(behind.poll().is_pending());
    drop(writer);
    assert!(readers.iter().all(|task| task.wakes() == 1));
    assert_eq!((second.wakes(), behind.wakes()), (0, 0));
    let guards: Vec<_> = readers.iter_mut().map(Task::poll).collect();
    assert!(guards.iter().all(Poll::is_ready));
    drop(guards);
    assert_eq!((second.wakes(), behind.wakes()), (1, 0));
}

#[test]
fn a_waiting_writer_that_is_dropped_lets_the_readers_behind_it_in() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let mut writer = Task::new(lock.write());
    let (mut first, mut second) = (Task::new(lock.read()), Task::new(lock.read()));
    assert!(writer.poll().is_pending() && first.poll().is_pending() && second.poll().is_pending());
    drop(writer);
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert!(first.poll().is_ready() && second.poll().is_ready());
    assert!(lock.try_read().is_some());
    drop(reader);
    assert!(lock.try_write().is_some());
}

#[test]
fn a_writer_that_was_given_the_lock_and_is_dropped_gives_it_on() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let (mut first, mut second) = (Task::new(lock.write()), Task::new(lock.write()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(reader);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_ready());
    assert!(lock.try_write().is_some());
}

#[test]
fn a_reader_that_was_given_the_lock_and_is_dropped_gives_it_back() {
    let lock = RwLock::new(());
    let writer = lock.try_write().unwrap();
    let mut reader = Task::new(lock.read());
    assert!(reader.poll().is_pending());
    drop(writer);
    assert!(lock.try_write().is_none(), "it is the reader's");
    drop(reader);
    assert!(lock.try_write().is_some());
}

#[test]
fn there_is_one_upgradable_reader_beside_the_others() {
    let lock = RwLock::new(());
    let upgradable = lock.try_upgradable_read().unwrap();
    assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
    let mut second = Task::new(lock.upgradable_read());
    assert!(second.poll().is_pending());
    drop(RwLockUpgradableReadGuard::downgrade(upgradable));
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_ready());
}

#[test]
fn an_upgrade_waits_for_the_readers_and_goes_before_those_that_wait() {
    let lock = RwLock::new(0);
    let reader = lock.try_read().unwrap();
    let upgradable = lock.try_upgradable_read().unwrap();
    let mut writer = Task::new(lock.write());
    assert!(writer.poll().is_pending());
    let mut upgrade = Task::new(RwLockUpgradableReadGuard::upgrade(upgradable));
    assert!(upgrade.poll().is_pending());
    drop(reader);
    assert_eq!((upgrade.wakes(), writer.wakes()), (1, 0));
    let Poll::Ready(mut guard) = upgrade.poll() else { panic!("the readers are gone") };
    *guard += 1;
    drop(guard);
    assert_eq!(writer.wakes(), 1);
    let Poll::Ready(guard) = writer.poll() else { panic!("it is its turn") };
    assert_eq!(*guard, 1);
}

#[test]
fn try_upgrade_passes_those_that_wait_and_no_reader() {
    let lock = RwLock::new(());
    let upgradable = lock.try_upgradable_read().unwrap();
    let reader = lock.try_read().unwrap();
    let mut writer = Task::new(lock.write());
    assert!(writer.poll().is_pending());
    let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect_err("somebody else reads");
    drop(reader);
    let guard = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect("nobody else reads");
    assert_eq!(writer.wakes(), 0);
    drop(guard);
    assert_eq!(writer.wakes(), 1);
}

#[test]
fn an_upgrade_that_is_dropped_gives_the_lock_back_in_each_state() {
    let lock = RwLock::new(());
    // Before its first poll.
    drop(RwLockUpgradableReadGuard::upgrade(lock.try_upgradable_read().unwrap()));
    assert!(lock.try_write().is_some());
    // While it waits: the reader behind it comes in.
    let reader = lock.try_read().unwrap();
    let mut upgrade = Task::new(RwLockUpgradableReadGuard::upgrade(lock.try_upgradable_read().unwrap()));
    assert!(upgrade.poll().is_pending());
    let mut behind = Task::new(lock.read());
    assert!(behind.poll().is_pending());
    drop(upgrade);
    assert_eq!(behind.wakes(), 1);
    assert!(behind.poll().is_ready());
    assert!(lock.try_upgradable_read().is_some());
    // Once it has the lock.
    let mut upgrade = Task::new(RwLockUpgradableReadGuard::upgrade(lock.try_upgradable_read().unwrap()));
    assert!(upgrade.poll().is_pending());
    drop(reader);
    assert!(lock.try_read().is_none());
    drop(upgrade);
    assert!(lock.try_write().is_some());
}

#[test]
fn parking_lot_101_who_waits_to_read_upgradably_stops_no_readers() {
    let lock = RwLock::new(());
    let upgradable = lock.try_upgradable_read().unwrap();
    let mut second = Task::new(lock.upgradable_read());
    assert!(second.poll().is_pending());
    let reader = lock.try_read().expect("it reads beside both");
    let mut writer = Task::new(lock.write());
    assert!(writer.poll().is_pending());
    assert!(lock.try_read().is_none(), "the writer stops it");
    drop(writer);
    let mut third = Task::new(lock.upgradable_read());
    assert!(third.poll().is_pending());
    assert!(lock.try_read().is_some());
    drop(upgradable);
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    drop((second, reader));
    assert_eq!(third.wakes(), 1);
}

#[test]
fn readers_behind_a_writer_pass_those_that_wait_to_upgrade() {
    let lock = RwLock::new(());
    let writer = lock.try_write().unwrap();
    let (mut first, mut second) = (Task::new(lock.upgradable_read()), Task::new(lock.upgradable_read()));
    let (mut reader, mut last) = (Task::new(lock.read()), Task::new(lock.write()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    assert!(reader.poll().is_pending() && last.poll().is_pending());
    drop(writer);
    assert_eq!((first.wakes(), second.wakes(), reader.wakes(), last.wakes()), (1, 0, 1, 0));
    drop((first, reader));
    assert_eq!((second.wakes(), last.wakes()), (1, 0));
    drop(second);
    assert_eq!(last.wakes(), 1);
}

#[test]
fn parking_lot_489_readers_that_come_do_not_hold_up_an_upgrade() {
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let mut upgrade = Task::new(RwLockUpgradableReadGuard::upgrade(lock.try_upgradable_read().unwrap()));
    assert!(upgrade.poll().is_pending());
    assert!(lock.try_read().is_none());
    drop(reader);
    assert!(upgrade.poll().is_ready());
}

#[test]
fn tokio_2941_a_downgrade_gives_back_what_it_took_and_no_more() {
    let lock = RwLock::new(1);
    let mut writer = Task::new(lock.write());
    let guard = RwLockWriteGuard::downgrade(lock.try_write().unwrap());
    assert!(writer.poll().is_pending());
    assert_eq!(*guard, 1);
    drop(guard);
    let Poll::Ready(guard) = writer.poll() else { panic!("nobody else has it") };
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    drop(guard);
    assert!(lock.try_write().is_some());
}

#[test]
fn an_upgrade_is_woken_by_the_last_of_two_readers() {
    let lock = RwLock::new(());
    let writer = lock.try_write().unwrap();
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
    let readers = [lock.try_read().unwrap(), lock.try_read().unwrap()];
    let mut upgrade = Task::new(RwLockUpgradableReadGuard::upgrade(upgradable));
    assert!(upgrade.poll().is_pending());
    let [first, second] = readers;
    drop(first);
    assert_eq!(upgrade.wakes(), 0);
    drop(second);
    assert_eq!(upgrade.wakes(), 1);
    assert!(upgrade.poll().is_ready());
}

#[test]
fn those_that_wait_to_read_upgradably_are_woken_by_the_end_of_a_writer() {
    let lock = RwLock::new(());
    let writer = lock.try_write().unwrap();
    let mut upgradable = Task::new(lock.upgradable_read());
    let mut second = Task::new(lock.upgradable_read());
    assert!(upgradable.poll().is_pending() && second.poll().is_pending());
    drop(writer);
    assert_eq!((upgradable.wakes(), second.wakes()), (1, 0));
    let Poll::Ready(guard) = upgradable.poll() else { panic!("the writer is gone") };
    drop(guard);
    assert_eq!(second.wakes(), 1);
}

#[test]
fn a_downgrade_lets_readers_in_and_no_writer() {
    let lock = RwLock::new(0);
    let mut guard = lock.try_write().unwrap();
    let (mut reader, mut writer) = (Task::new(lock.read()), Task::new(lock.write()));
    assert!(reader.poll().is_pending() && writer.poll().is_pending());
    *guard = 1;
    let guard = RwLockWriteGuard::downgrade(guard);
    assert_eq!((reader.wakes(), writer.wakes()), (1, 0));
    let Poll::Ready(second) = reader.poll() else { panic!("it reads beside the other") };
    assert_eq!((*guard, *second), (1, 1));
    drop((guard, second));
    assert_eq!(writer.wakes(), 1);
}

#[test]
fn owned_guards_do_what_borrowed_ones_do() {
    let lock = Arc::new(RwLock::new((0, "zero")));
    let mut writes = block_on(lock.clone().write_owned());
    writes.0 = 1;
    let upgradable = OwnedRwLockWriteGuard::downgrade_to_upgradable(writes);
    let reads = block_on(lock.clone().read_owned());
    let upgradable = OwnedRwLockUpgradableReadGuard::try_upgrade(upgradable).expect_err("another reads");
    drop(reads);
    let writes = block_on(OwnedRwLockUpgradableReadGuard::upgrade(upgradable));
    let mut name = OwnedRwLockWriteGuard::map(writes, |pair| &mut pair.1);
    *name = "one";
    drop(name);
    let reads = OwnedRwLockWriteGuard::downgrade(block_on(lock.clone().write_owned()));
    let number = OwnedRwLockReadGuard::map(reads, |pair| &pair.0);
    assert_eq!(*number, 1);
    assert!(lock.try_write().is_none());
    drop(number);
    let upgradable = block_on(lock.clone().upgradable_read_owned());
    assert_eq!(OwnedRwLockUpgradableReadGuard::downgrade(upgradable).1, "one");
    assert!(lock.try_write().is_some());
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn a_mapped_guard_holds_the_lock_and_changes_the_part() {
    let lock = RwLock::new(vec![1, 2, 3]);
    let guard = lock.try_write().unwrap();
    let slice = RwLockWriteGuard::map(guard, |all| &mut all[..2]);
    let mut last = MappedRwLockWriteGuard::try_map(slice, <[i32]>::last_mut).unwrap();
    *last = 9;
    assert!(lock.try_read().is_none());
    drop(last);
    let read = RwLockReadGuard::try_map(lock.try_read().unwrap(), |all| all.get(7)).expect_err("there are three");
    assert_eq!(*read, [1, 9, 3]);
}

#[test]
fn a_closure_that_panics_while_it_maps_gives_the_lock_back() {
    let lock = RwLock::new(0);
    let mapped = catch_unwind(AssertUnwindSafe(|| {
        let _ = RwLockWriteGuard::map(lock.try_write().unwrap(), |_| -> &mut u8 { panic!("planted") });
    }));
    assert!(mapped.is_err());
    assert!(lock.try_write().is_some());
}

#[test]
fn a_panic_while_it_is_held_gives_it_back() {
    let lock = RwLock::new(0);
    let held = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = lock.try_write().unwrap();
        *guard = 1;
        panic!("planted");
    }));
    assert!(held.is_err());
    assert_eq!(lock.try_read().as_deref(), Some(&1));
}

#[test]
fn async_lock_42_an_owned_waiter_sleeps_until_it_is_woken() {
    let lock = Arc::new(RwLock::new(()));
    let reader = lock.try_read().unwrap();
    let mut writer = Task::new(lock.clone().write_owned());
    assert!(writer.poll().is_pending());
    assert_eq!(writer.wakes(), 0, "it does not wake itself");
    drop(reader);
    assert_eq!(writer.wakes(), 1);
    assert!(writer.poll().is_ready());
}

#[test]
fn tokio_3689_a_waker_whose_clone_panics_leaves_the_lock_usable() {
    use std::task::{Context, RawWaker, RawWakerVTable, Waker};
    static VTABLE: RawWakerVTable = RawWakerVTable::new(|_| panic!("planted"), |_| {}, |_| {}, |_| {});
    // SAFETY: the functions of the table do nothing with the pointer.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let waker = std::mem::ManuallyDrop::new(waker);
    let lock = Arc::new(RwLock::new(0));
    let reader = lock.try_read().unwrap();
    let mut fresh = Task::new(lock.clone().write_owned());
    let mut linked = Task::new(lock.clone().write_owned());
    assert!(linked.poll().is_pending());
    for task in [&mut fresh, &mut linked] {
        let polled = catch_unwind(AssertUnwindSafe(|| task.future().poll(&mut Context::from_waker(&waker)).is_ready()));
        assert!(polled.is_err());
    }
    drop((fresh, linked, reader));
    assert!(lock.try_write().is_some());
}

#[test]
fn a_task_that_changes_its_waker_is_woken_by_the_new_one_and_keeps_one() {
    let lock = RwLock::new(());
    let writer = lock.try_write().unwrap();
    let mut reader = Task::new(lock.read());
    assert!(reader.poll().is_pending());
    assert!(reader.poll_as_another().is_pending());
    assert!(reader.poll().is_pending());
    assert_eq!(reader.wakers_held(), 1);
    drop(writer);
    assert_eq!((reader.wakes(), reader.wakers_held()), (1, 0));
}

#[test]
fn a_spent_budget_refuses_and_a_cancelled_region_begins_nothing() {
    let lock = RwLock::new(());
    let (mut first, mut second) = (Task::new(lock.read()), Task::new(lock.write()));
    coop::within(0, false, || assert!(first.poll().is_pending()));
    assert_eq!(first.wakes(), 1, "others run in between");
    coop::within(8, true, || assert!(second.poll().is_pending()));
    assert_eq!((second.wakes(), second.wakers_held()), (0, 0));
    assert!(lock.try_write().is_some());
    coop::within(1, false, || {
        assert!(first.poll().is_ready());
        assert!(!coop::has_budget());
    });
}

#[test]
fn an_upgrade_in_a_cancelled_region_gives_the_lock_back_when_it_is_dropped() {
    let lock = RwLock::new(());
    let mut upgrade = Task::new(RwLockUpgradableReadGuard::upgrade(lock.try_upgradable_read().unwrap()));
    coop::within(8, true, || assert!(upgrade.poll().is_pending()));
    assert!(lock.try_read().is_some() && lock.try_write().is_none());
    drop(upgrade);
    assert!(lock.try_write().is_some());
}

#[test]
fn debug_says_who_holds_and_who_waits() {
    let lock = RwLock::new(7);
    assert_eq!(format!("{lock:?}"), "RwLock { writer: false, upgradable: false, readers: 0, waiters: 0, value: 7 }");
    let guards = (lock.try_read().unwrap(), lock.try_upgradable_read().unwrap());
    let mut writer = Task::new(lock.write());
    assert!(writer.poll().is_pending());
    assert_eq!(format!("{lock:?}"), "RwLock { writer: false, upgradable: true, readers: 2, waiters: 1, .. }");
    drop(guards);
    assert_eq!(format!("{lock:?}"), "RwLock { writer: true, upgradable: false, readers: 0, waiters: 0, .. }");
}

#[test]
fn threads_never_meet_a_writer() {
    let lock = Arc::new(RwLock::new((0u32, 0u32)));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let lock = lock.clone();
            let work = move || {
                for round in 0..2_000 {
                    match (round + n) % 5 {
                        0 => {
                            let mut guard = lock.blocking_write();
                            guard.0 += 1;
                            guard.1 += 1;
                        }
                        1 => {
                            let reads = block_on(lock.upgradable_read());
                            let seen = *reads;
                            let mut guard = block_on(RwLockUpgradableReadGuard::upgrade(reads));
                            assert_eq!(*guard, seen, "nobody wrote in between");
                            guard.0 += 1;
                            guard.1 += 1;
                        }
                        _ => {
                            let guard = lock.blocking_read();
                            assert_eq!(guard.0, guard.1, "both or neither");
                        }
                    }
                }
            };
            thread::spawn("reads and writes".into(), work).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*lock.try_read().unwrap(), (4 * 2 * 400, 4 * 2 * 400));
}

/// Polls as often as `polls` says and gives up then.
async fn at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

#[test]
fn threads_that_give_up_strand_nobody() {
    let lock = Arc::new(RwLock::new(0u32));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let lock = lock.clone();
            let work = move || {
                for round in 0..1_500 {
                    let polls = 1 + (round + n) % 3;
                    match (round * 7 + n) % 6 {
                        0 => drop(block_on(at_most(polls, lock.read()))),
                        1 => drop(block_on(at_most(polls, lock.write()))),
                        2 => drop(block_on(at_most(polls, lock.upgradable_read()))),
                        3 => {
                            let reads = block_on(lock.upgradable_read());
                            drop(block_on(at_most(polls, RwLockUpgradableReadGuard::upgrade(reads))));
                        }
                        4 => *lock.blocking_write() += 1,
                        _ => drop(lock.blocking_read()),
                    }
                }
            };
            thread::spawn("gives up".into(), work).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*lock.try_write().expect("nobody has it"), 4 * 250);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Read,
    Upgradable,
    Write,
    Upgrade,
}

#[derive(Debug, Clone)]
enum Op {
    Ask(Want),
    Try(Want),
    Poll(usize),
    PollAsAnother(usize),
    DropWaiter(usize),
    DropGuard(usize),
    Change(usize, u8),
}

fn op() -> impl Strategy<Value = Op> {
    let want = prop_oneof![3 => Just(Want::Read), 2 => Just(Want::Upgradable), 2 => Just(Want::Write)];
    prop_oneof![
        5 => want.clone().prop_map(Op::Ask),
        2 => want.prop_map(Op::Try),
        4 => (0..8usize).prop_map(Op::Poll),
        1 => (0..8usize).prop_map(Op::PollAsAnother),
        3 => (0..8usize).prop_map(Op::DropWaiter),
        4 => (0..6usize).prop_map(Op::DropGuard),
        4 => (0..6usize, 0..3u8).prop_map(|(at, how)| Op::Change(at, how)),
    ]
}

/// What a reader-writer lock is, in the fewest words: who holds it, and a queue.
#[derive(Default)]
struct Reference {
    readers: usize,
    upgradable: bool,
    writer: bool,
    queue: VecDeque<(u64, Want)>,
    granted: Vec<u64>,
}

impl Reference {
    fn lets_in(&self, want: Want) -> bool {
        match want {
            Want::Read => !self.writer,
            Want::Upgradable => !self.writer && !self.upgradable,
            Want::Write => !self.writer && self.readers == 0,
            Want::Upgrade => self.readers == 1,
        }
    }

    fn take(&mut self, want: Want) {
        match want {
            Want::Read => self.readers += 1,
            Want::Upgradable => (self.readers, self.upgradable) = (self.readers + 1, true),
            Want::Write => self.writer = true,
            Want::Upgrade => (self.readers, self.upgradable, self.writer) = (0, false, true),
        }
    }

    fn give(&mut self, held: Want) {
        match held {
            Want::Read => self.readers -= 1,
            Want::Upgradable => (self.readers, self.upgradable) = (self.readers - 1, false),
            Want::Write | Want::Upgrade => self.writer = false,
        }
        self.serve();
    }

    /// Whether those who wait make one that comes now wait.
    fn stops(&self, want: Want) -> bool {
        match want {
            Want::Read => self.queue.iter().any(|(_, other)| *other != Want::Upgradable),
            _ => !self.queue.is_empty(),
        }
    }

    fn serve(&mut self) {
        let mut at = 0;
        while let Some(&(id, want)) = self.queue.get(at) {
            if self.lets_in(want) {
                self.take(want);
                self.granted.push(id);
                self.queue.remove(at);
            } else if want == Want::Upgradable {
                at += 1;
            } else {
                break;
            }
        }
    }
}

enum Guard<'a> {
    Read(RwLockReadGuard<'a, u64>),
    Upgradable(RwLockUpgradableReadGuard<'a, u64>),
    Write(RwLockWriteGuard<'a, u64>),
}

impl Guard<'_> {
    fn held(&self) -> Want {
        match self {
            Self::Read(_) => Want::Read,
            Self::Upgradable(_) => Want::Upgradable,
            Self::Write(_) => Want::Write,
        }
    }
}

enum Waits<'a> {
    Read(Task<ReadLock<'a, u64>>),
    Upgradable(Task<UpgradableReadLock<'a, u64>>),
    Write(Task<WriteLock<'a, u64>>),
    Upgrade(Task<Upgrade<'a, u64>>),
}

impl<'a> Waits<'a> {
    fn want(&self) -> Want {
        match self {
            Self::Read(_) => Want::Read,
            Self::Upgradable(_) => Want::Upgradable,
            Self::Write(_) => Want::Write,
            Self::Upgrade(_) => Want::Upgrade,
        }
    }

    fn poll(&mut self, as_another: bool) -> Poll<Guard<'a>> {
        fn one<F: Future>(task: &mut Task<F>, as_another: bool) -> Poll<F::Output> {
            if as_another { task.poll_as_another() } else { task.poll() }
        }
        match self {
            Self::Read(task) => one(task, as_another).map(Guard::Read),
            Self::Upgradable(task) => one(task, as_another).map(Guard::Upgradable),
            Self::Write(task) => one(task, as_another).map(Guard::Write),
            Self::Upgrade(task) => one(task, as_another).map(Guard::Write),
        }
    }

    fn wakes(&self) -> usize {
        match self {
            Self::Read(task) => task.wakes(),
            Self::Upgradable(task) => task.wakes(),
            Self::Write(task) => task.wakes(),
            Self::Upgrade(task) => task.wakes(),
        }
    }
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(ops in prop::collection::vec(op(), 1..80)) {
        let lock = RwLock::new(0u64);
        let mut model = Reference::default();
        let mut written = 0;
        let mut waiting: Vec<(u64, Waits<'_>)> = vec![];
        let mut guards: Vec<Guard<'_>> = vec![];
        for (id, op) in (1u64..).zip(ops) {
            match op {
                Op::Ask(want) => {
                    let mut waits = match want {
                        Want::Read => Waits::Read(Task::new(lock.read())),
                        Want::Upgradable => Waits::Upgradable(Task::new(lock.upgradable_read())),
                        _ => Waits::Write(Task::new(lock.write())),
                    };
                    let free = !model.stops(want) && model.lets_in(want);
                    match waits.poll(false) {
                        Poll::Ready(guard) => {
                            prop_assert!(free);
                            model.take(want);
                            guards.push(guard);
                        }
                        Poll::Pending => {
                            prop_assert!(!free);
                            model.queue.push_back((id, want));
                            waiting.push((id, waits));
                        }
                    }
                }
                Op::Try(want) => {
                    let taken = match want {
                        Want::Read => lock.try_read().map(Guard::Read),
                        Want::Upgradable => lock.try_upgradable_read().map(Guard::Upgradable),
                        _ => lock.try_write().map(Guard::Write),
                    };
                    prop_assert_eq!(taken.is_some(), !model.stops(want) && model.lets_in(want));
                    if let Some(guard) = taken {
                        model.take(want);
                        guards.push(guard);
                    }
                }
                Op::Poll(at) | Op::PollAsAnother(at) if at < waiting.len() => {
                    let as_another = matches!(op, Op::PollAsAnother(_));
                    let (id, waits) = &mut waiting[at];
                    let granted = model.granted.contains(id);
                    prop_assert!(granted || waits.wakes() == 0, "woken only if there is news");
                    match waits.poll(as_another) {
                        Poll::Ready(guard) => {
                            prop_assert!(granted);
                            guards.push(guard);
                            waiting.remove(at);
                        }
                        Poll::Pending => prop_assert!(!granted),
                    }
                }
                Op::DropWaiter(at) if at < waiting.len() => {
                    let (id, waits) = waiting.remove(at);
                    let want = waits.want();
                    drop(waits);
                    if model.granted.contains(&id) {
                        model.give(want);
                    } else {
                        model.queue.retain(|(other, _)| *other != id);
                        model.serve();
                        if want == Want::Upgrade {
                            model.give(Want::Upgradable);
                        }
                    }
                }
                Op::DropGuard(at) if at < guards.len() => {
                    let guard = guards.remove(at);
                    model.give(guard.held());
                    drop(guard);
                }
                Op::Change(at, how) if at < guards.len() => match (guards.remove(at), how) {
                    (Guard::Write(mut guard), how) => {
                        prop_assert_eq!(*guard, written);
                        (*guard, written) = (id, id);
                        model.writer = false;
                        guards.push(match how {
                            0 => {
                                model.take(Want::Read);
                                Guard::Read(RwLockWriteGuard::downgrade(guard))
                            }
                            1 => {
                                model.take(Want::Upgradable);
                                Guard::Upgradable(RwLockWriteGuard::downgrade_to_upgradable(guard))
                            }
                            _ => {
                                model.writer = true;
                                Guard::Write(guard)
                            }
                        });
                        model.serve();
                    }
                    (Guard::Upgradable(guard), 0) => {
                        model.upgradable = false;
                        model.serve();
                        guards.push(Guard::Read(RwLockUpgradableReadGuard::downgrade(guard)));
                    }
                    (Guard::Upgradable(guard), 1) => {
                        guards.push(match RwLockUpgradableReadGuard::try_upgrade(guard) {
                            Ok(guard) => {
                                prop_assert!(model.lets_in(Want::Upgrade));
                                model.take(Want::Upgrade);
                                Guard::Write(guard)
                            }
                            Err(guard) => {
                                prop_assert!(!model.lets_in(Want::Upgrade));
                                Guard::Upgradable(guard)
                            }
                        });
                    }
                    (Guard::Upgradable(guard), _) => {
                        let mut waits = Waits::Upgrade(Task::new(RwLockUpgradableReadGuard::upgrade(guard)));
                        match waits.poll(false) {
                            Poll::Ready(guard) => {
                                prop_assert!(model.lets_in(Want::Upgrade));
                                model.take(Want::Upgrade);
                                guards.push(guard);
                            }
                            Poll::Pending => {
                                prop_assert!(!model.lets_in(Want::Upgrade));
                                model.queue.push_front((id, Want::Upgrade));
                                waiting.push((id, waits));
                            }
                        }
                    }
                    (Guard::Read(guard), _) => {
                        prop_assert_eq!(*guard, written);
                        guards.push(Guard::Read(guard));
                    }
                },
                Op::Poll(_) | Op::PollAsAnother(_) | Op::DropWaiter(_) | Op::DropGuard(_) | Op::Change(..) => {}
            }
            for (id, waits) in &waiting {
                prop_assert!(!model.granted.contains(id) || waits.wakes() > 0, "it has the lock and sleeps");
            }
            let shown = format!("{lock:?}");
            let expected = format!(
                "RwLock {{ writer: {}, upgradable: {}, readers: {}, waiters: {}, ",
                model.writer, model.upgradable, model.readers, model.queue.len()
            );
            prop_assert!(shown.starts_with(&expected), "{} but {}", shown, expected);
        }
        drop((waiting, guards));
        prop_assert!(lock.try_write().is_some());
    }
}
