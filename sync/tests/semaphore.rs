//! The semaphore: cases by hand, and random sequences against a reference.
#![cfg(not(weftwork_loom))]
#![allow(clippy::disallowed_types, reason = "the tests share as users do")]

mod by_hand;

use by_hand::Task;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;
use weftwork_sync::primitive::thread;
use weftwork_sync::{Acquire, Permit, Semaphore, TryAcquireError, block_on};

#[test]
fn a_small_request_does_not_pass_a_large_one() {
    let semaphore = Semaphore::new(1);
    let (mut large, mut small) = (Task::new(semaphore.acquire_many(2)), Task::new(semaphore.acquire()));
    assert!(large.poll().is_pending() && small.poll().is_pending());
    assert_eq!(semaphore.try_acquire().err(), Some(TryAcquireError::NoPermits));
    semaphore.add_permits(1);
    assert_eq!((large.wakes(), small.wakes()), (1, 0));
    let Poll::Ready(Ok(two)) = large.poll() else { panic!("two are there") };
    assert!(small.poll().is_pending());
    drop(two);
    assert!(small.poll().is_ready());
}

#[test]
fn tokio_3644_too_many_permits_panic_and_change_nothing() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    let added = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| semaphore.add_permits(1)));
    assert!(added.is_err());
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    assert!(std::panic::catch_unwind(|| Semaphore::new(Semaphore::MAX_PERMITS + 1)).is_err());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| semaphore.add_permits(usize::MAX))).is_err());
}

#[test]
fn tokio_8021_closed_stays_closed() {
    let semaphore = Semaphore::new(2);
    let (kept, forgotten) = (semaphore.try_acquire().unwrap(), semaphore.try_acquire().unwrap());
    let mut waiting = Task::new(semaphore.acquire());
    assert!(waiting.poll().is_pending());
    semaphore.close();
    assert_eq!(waiting.wakes(), 1);
    assert!(matches!(waiting.poll(), Poll::Ready(Err(_))));
    forgotten.forget();
    drop(kept);
    semaphore.add_permits(5);
    assert!(semaphore.is_closed());
    assert_eq!(semaphore.try_acquire().err(), Some(TryAcquireError::Closed));
    assert!(block_on(semaphore.acquire()).is_err());
    assert_eq!(semaphore.available_permits(), 6);
}

#[test]
fn a_request_for_more_than_there_can_be_waits_until_closed() {
    let semaphore = Semaphore::new(3);
    let mut waiting = Task::new(semaphore.acquire_many(usize::MAX));
    assert!(waiting.poll().is_pending());
    semaphore.close();
    assert!(matches!(waiting.poll(), Poll::Ready(Err(_))));
}

#[test]
fn owned_permits_outlive_the_handle_and_come_back() {
    let semaphore = Arc::new(Semaphore::new(2));
    let permit = block_on(semaphore.clone().acquire_many_owned(2)).unwrap();
    assert_eq!(permit.count(), 2);
    let other = thread::spawn("drops".into(), move || drop(permit)).unwrap();
    other.join().unwrap();
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn no_more_threads_than_permits_are_inside() {
    let semaphore = Arc::new(Semaphore::new(2));
    let inside = Arc::new(Semaphore::new(2));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (semaphore, inside) = (semaphore.clone(), inside.clone());
            let work = move || {
                for _ in 0..2_000 {
                    let _permit = semaphore.blocking_acquire().unwrap();
                    let _inside = inside.try_acquire().expect("at most two are inside");
                }
            };
            thread::spawn("enters".into(), work).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_are_split_and_merged() {
    let semaphore = Arc::new(Semaphore::new(4));
    let mut permit = semaphore.try_acquire_many(3).unwrap();
    assert!(permit.split(4).is_none());
    let two = permit.split(2).unwrap();
    assert_eq!((permit.count(), two.count(), semaphore.available_permits()), (1, 2, 1));
    permit.merge(two);
    permit.merge(semaphore.try_acquire().unwrap());
    assert_eq!((permit.count(), semaphore.available_permits()), (4, 0));
    drop(permit);
    let mut owned = semaphore.clone().try_acquire_many_owned(3).unwrap();
    let one = owned.split(1).unwrap();
    owned.merge(semaphore.clone().try_acquire_owned().unwrap());
    assert_eq!((owned.count(), one.count(), semaphore.available_permits()), (3, 1, 0));
    drop((owned, one));
    assert_eq!((semaphore.available_permits(), Arc::strong_count(&semaphore)), (4, 1));
}

#[test]
fn permits_of_two_semaphores_do_not_merge_and_come_back() {
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    let merged = std::panic::catch_unwind(|| {
        let mut permit = one.try_acquire().unwrap();
        permit.merge(other.try_acquire().unwrap());
    });
    assert!(merged.is_err());
    assert_eq!((one.available_permits(), other.available_permits()), (1, 1));
}

#[test]
fn forgotten_permits_are_at_most_those_that_are_free() {
    let semaphore = Semaphore::new(3);
    let held = semaphore.try_acquire().unwrap();
    assert_eq!(semaphore.forget_permits(usize::MAX), 2);
    assert_eq!(semaphore.forget_permits(1), 0);
    drop(held);
    let mut large = Task::new(semaphore.acquire_many(2));
    assert!(large.poll().is_pending());
    assert_eq!(semaphore.forget_permits(1), 1, "also past one that waits for more");
    semaphore.add_permits(1);
    assert_eq!(large.wakes(), 0);
    semaphore.add_permits(1);
    assert_eq!(large.wakes(), 1);
}

#[test]
fn tokio_8021_forgetting_does_not_reopen() {
    let semaphore = Semaphore::new(3);
    semaphore.close();
    assert_eq!(semaphore.forget_permits(2), 2);
    assert!(semaphore.is_closed());
    assert_eq!(semaphore.try_acquire().err(), Some(TryAcquireError::Closed));
}

#[test]
fn async_lock_42_an_owned_waiter_sleeps_until_it_is_woken() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.try_acquire().unwrap();
    let mut waits = Task::new(semaphore.clone().acquire_owned());
    assert!(waits.poll().is_pending());
    assert_eq!(waits.wakes(), 0, "it does not wake itself");
    drop(permit);
    assert_eq!(waits.wakes(), 1);
    assert!(waits.poll().is_ready());
}

#[test]
fn tokio_2325_a_waiter_that_is_dropped_with_its_permits_serves_those_behind_it() {
    let semaphore = Semaphore::new(0);
    let (mut first, mut second) = (Task::new(semaphore.acquire_many(2)), Task::new(semaphore.acquire_many(2)));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    semaphore.add_permits(2);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    let Poll::Ready(Ok(permit)) = second.poll() else { panic!("they are its") };
    assert_eq!((permit.count(), semaphore.available_permits()), (2, 0));
}

#[derive(Debug, Clone)]
enum Op {
    Acquire(usize),
    Try(usize),
    Poll(usize),
    DropWaiter(usize),
    DropPermit(usize),
    Forget(usize),
    ForgetFree(usize),
    Add(usize),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..4usize).prop_map(Op::Acquire),
        2 => (0..4usize).prop_map(Op::Try),
        4 => (0..8usize).prop_map(Op::Poll),
        3 => (0..8usize).prop_map(Op::DropWaiter),
        4 => (0..8usize).prop_map(Op::DropPermit),
        1 => (0..8usize).prop_map(Op::Forget),
        1 => (0..4usize).prop_map(Op::ForgetFree),
        2 => (0..3usize).prop_map(Op::Add),
        1 => Just(Op::Close),
    ]
}

/// What a semaphore is, in the fewest words: free permits and a queue.
#[derive(Default)]
struct Reference {
    free: usize,
    queue: VecDeque<(u64, usize)>,
    closed: bool,
    granted: Vec<u64>,
    refused: Vec<u64>,
}

impl Reference {
    fn serve(&mut self) {
        while let Some(&(id, wanted)) = self.queue.front() {
            if wanted > self.free {
                break;
            }
            self.free -= wanted;
            self.granted.push(id);
            self.queue.pop_front();
        }
    }
}

struct Waiting<'a> {
    id: u64,
    wanted: usize,
    task: Task<Acquire<'a>>,
}

proptest! {
    #[test]
    fn it_behaves_as_the_reference(start in 0..4usize, ops in prop::collection::vec(op(), 1..60)) {
        let semaphore = Semaphore::new(start);
        let mut model = Reference { free: start, ..Reference::default() };
        let mut waiting: Vec<Waiting<'_>> = vec![];
        let mut permits: Vec<Permit<'_>> = vec![];
        for (id, op) in (0u64..).zip(ops) {
            match op {
                Op::Acquire(wanted) => {
                    let mut task = Task::new(semaphore.acquire_many(wanted));
                    match task.poll() {
                        Poll::Ready(Ok(permit)) => {
                            prop_assert!(!model.closed && model.queue.is_empty() && wanted <= model.free);
                            model.free -= wanted;
                            permits.push(permit);
                        }
                        Poll::Ready(Err(_)) => prop_assert!(model.closed),
                        Poll::Pending => {
                            prop_assert!(!model.closed && (wanted > model.free || !model.queue.is_empty()));
                            model.queue.push_back((id, wanted));
                            waiting.push(Waiting { id, wanted, task });
                        }
                    }
                }
                Op::Try(wanted) => match semaphore.try_acquire_many(wanted) {
                    Ok(permit) => {
                        prop_assert!(!model.closed && model.queue.is_empty() && wanted <= model.free);
                        model.free -= wanted;
                        permits.push(permit);
                    }
                    Err(TryAcquireError::Closed) => prop_assert!(model.closed),
                    Err(_) => prop_assert!(wanted > model.free || !model.queue.is_empty()),
                },
                Op::Poll(at) if at < waiting.len() => {
                    let one = &mut waiting[at];
                    let (granted, refused) = (model.granted.contains(&one.id), model.refused.contains(&one.id));
                    prop_assert_eq!(one.task.wakes() > 0, granted || refused, "woken exactly if there is news");
                    match one.task.poll() {
                        Poll::Ready(Ok(permit)) => {
                            prop_assert!(granted);
                            prop_assert_eq!(permit.count(), one.wanted);
                            permits.push(permit);
                            waiting.remove(at);
                        }
                        Poll::Ready(Err(_)) => {
                            prop_assert!(refused);
                            waiting.remove(at);
                        }
                        Poll::Pending => prop_assert!(!granted && !refused),
                    }
                }
                Op::DropWaiter(at) if at < waiting.len() => {
                    let one = waiting.remove(at);
                    if model.granted.contains(&one.id) {
                        model.free += one.wanted;
                    }
                    model.queue.retain(|(id, _)| *id != one.id);
                    model.serve();
                }
                Op::DropPermit(at) if at < permits.len() => {
                    model.free += permits[at].count();
                    model.serve();
                    drop(permits.remove(at));
                }
                Op::Forget(at) if at < permits.len() => permits.remove(at).forget(),
                Op::ForgetFree(most) => {
                    let taken = most.min(model.free);
                    model.free -= taken;
                    prop_assert_eq!(semaphore.forget_permits(most), taken);
                }
                Op::Add(more) => {
                    model.free += more;
                    model.serve();
                    semaphore.add_permits(more);
                }
                Op::Close => {
                    model.closed = true;
                    model.refused.extend(model.queue.drain(..).map(|(id, _)| id));
                    semaphore.close();
                }
                Op::Poll(_) | Op::DropWaiter(_) | Op::DropPermit(_) | Op::Forget(_) => {}
            }
            prop_assert_eq!(semaphore.available_permits(), model.free);
            prop_assert_eq!(semaphore.is_closed(), model.closed);
        }
    }
}
