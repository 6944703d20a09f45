//! The operations, a batch of each at a time, and the round that does them all.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use weftwork::sync::oneshot;
use weftwork::task::yield_now;
use weftwork::testing::Seat;
use weftwork::time::Duration;
use weftwork::{JoinHandle, sleep, spawn, to_thread};

use crate::rig::{Rig, Table};

/// How many of each operation are done in a row: no more than a worker keeps cells for, and than a poll's budget allows.
pub(crate) const BATCH: usize = 32;
/// How often a task yields while that is counted.
const YIELDS: usize = 8;
/// How long a sleep is: it does not matter, because it is cancelled, but the wheel must not have to look far.
const WHILE: Duration = Duration::from_secs(10);

/// Every operation, by the name of its function, and how often it is done for each in the batch.
pub(crate) const OPERATIONS: [(&str, usize); 17] = [
    ("task_spawn", 1),
    ("task_complete", 1),
    ("task_join", 1),
    ("task_spawn_and_await", 1),
    ("task_wake", 1),
    ("task_poll", 1),
    ("task_yield", YIELDS),
    ("timer_arm", 1),
    ("timer_cancel", 1),
    ("oneshot_send_receive", 1),
    ("channel_try_send_receive", 1),
    ("channel_send_receive", 1),
    ("mutex_lock_unlock", 1),
    ("rwlock_read_unlock", 1),
    ("rwlock_write_unlock", 1),
    ("semaphore_acquire_release", 1),
    ("thread_submit", 1),
];

/// All of them once, each prepared for.
pub(crate) fn round(rig: &Rig<'_>) {
    rig.in_task(task_spawn);
    task_complete(rig.seat);
    rig.in_task(task_join);

    let awaits = spawn(async {
        for _ in 0..BATCH {
            let _ = black_box(spawn(async { black_box(1_u32) }).await);
        }
    });
    task_spawn_and_await(rig.seat);
    assert!(awaits.is_finished(), "a task that awaits another is polled when that has ended");

    rig.in_task(task_wake);
    task_poll(rig.seat);

    let yields: Vec<_> = (0..BATCH).map(|_| spawn(yield_often())).collect();
    // Up to the first yield.
    step(rig.seat, BATCH);
    task_yield(rig.seat);
    step(rig.seat, BATCH);
    assert!(yields.iter().all(JoinHandle::is_finished), "a task that yields is polled again");

    rig.in_task(|table, cx| {
        timer_arm(table, cx);
        timer_cancel(table);
    });
    rig.in_task(oneshot_send_receive);
    rig.in_task(channel_try_send_receive);
    rig.in_task(channel_send_receive);
    rig.in_task(mutex_lock_unlock);
    rig.in_task(rwlock_read_unlock);
    rig.in_task(rwlock_write_unlock);
    rig.in_task(semaphore_acquire_release);
    rig.in_task_with_the_pool_busy(thread_submit);
}

fn step(seat: &Seat<'_>, steps: usize) {
    assert_eq!(seat.steps(steps), steps, "as many tasks are ready as there are steps");
}

/// `spawn`, from a task.
#[inline(never)]
fn task_spawn(table: &mut Table, _: &mut Context<'_>) {
    for _ in 0..BATCH {
        table.handles.push(spawn(async { black_box(1) }));
    }
}

/// The step that polls a task for the first time and the last, and what its end brings with it.
#[inline(never)]
fn task_complete(seat: &Seat<'_>) {
    step(seat, BATCH);
}

/// Awaiting the handle of a task that has ended.
#[inline(never)]
fn task_join(table: &mut Table, cx: &mut Context<'_>) {
    for mut handle in table.handles.drain(..) {
        let Poll::Ready(Ok(value)) = Pin::new(&mut handle).poll(cx) else { panic!("the task has ended") };
        black_box(value);
    }
}

/// The whole way: a task spawns another, awaits it, sleeps, is woken by its end and polled.
#[inline(never)]
fn task_spawn_and_await(seat: &Seat<'_>) {
    // One before the first, and then each and its end.
    step(seat, 1 + 2 * BATCH);
}

/// Waking a task that waits, from a task.
#[inline(never)]
fn task_wake(table: &mut Table, _: &mut Context<'_>) {
    for waker in &table.waiting {
        waker.wake_by_ref();
    }
}

/// The step that polls a task which then waits on.
#[inline(never)]
fn task_poll(seat: &Seat<'_>) {
    // Not the same text as task_complete: the compiler would make one function of the two.
    step(seat, black_box(BATCH));
}

async fn yield_often() {
    for _ in 0..=YIELDS {
        yield_now().await;
    }
}

/// The step that polls a task which yields, among others that do.
#[inline(never)]
fn task_yield(seat: &Seat<'_>) {
    step(seat, BATCH * YIELDS);
}

/// The first poll of a `sleep`.
#[inline(never)]
fn timer_arm(table: &mut Table, cx: &mut Context<'_>) {
    for place in &mut table.sleeps {
        place.set(Some(sleep(WHILE)));
        let Some(sleep) = place.as_mut().as_pin_mut() else { unreachable!("put there above") };
        assert!(sleep.poll(cx).is_pending(), "the clock stands still");
    }
}

/// Dropping a `sleep` that waits.
#[inline(never)]
fn timer_cancel(table: &mut Table) {
    for place in &mut table.sleeps {
        place.set(None);
    }
}

/// A oneshot channel from its making to its end.
#[inline(never)]
fn oneshot_send_receive(_: &mut Table, cx: &mut Context<'_>) {
    for _ in 0..BATCH {
        let (sender, receiver) = oneshot::channel();
        let _ = black_box(sender.send(1_u32));
        now(receiver, cx);
    }
}

/// `try_send` and `try_recv` on a bounded channel.
#[inline(never)]
fn channel_try_send_receive(table: &mut Table, _: &mut Context<'_>) {
    for _ in 0..BATCH {
        let _ = black_box(table.sender.try_send(1));
        let _ = black_box(table.receiver.try_recv());
    }
}

/// `send` and `recv` on a bounded channel, neither of which has to wait.
#[inline(never)]
fn channel_send_receive(table: &mut Table, cx: &mut Context<'_>) {
    for _ in 0..BATCH {
        now(table.sender.send(1), cx);
        now(table.receiver.recv(), cx);
    }
}

/// `lock` and unlock of a mutex that nobody holds.
#[inline(never)]
fn mutex_lock_unlock(table: &mut Table, cx: &mut Context<'_>) {
    for _ in 0..BATCH {
        now(table.mutex.lock(), cx);
    }
}

/// `read` and unlock of a reader-writer lock that nobody holds.
#[inline(never)]
fn rwlock_read_unlock(table: &mut Table, cx: &mut Context<'_>) {
    for _ in 0..BATCH {
        now(table.rwlock.read(), cx);
    }
}

/// `write` and unlock of a reader-writer lock that nobody holds.
#[inline(never)]
fn rwlock_write_unlock(table: &mut Table, cx: &mut Context<'_>) {
    for _ in 0..BATCH {
        now(table.rwlock.write(), cx);
    }
}

/// `acquire` and release of a permit that is free.
#[inline(never)]
fn semaphore_acquire_release(table: &mut Table, cx: &mut Context<'_>) {
    for _ in 0..BATCH {
        now(table.semaphore.acquire(), cx);
    }
}

/// The first poll of a `to_thread`, while every thread of the pool is busy.
#[inline(never)]
fn thread_submit(table: &mut Table, _: &mut Context<'_>) {
    let mut nobody = Context::from_waker(Waker::noop());
    for _ in 0..BATCH {
        let mut offload = to_thread(|| ());
        assert!(Pin::new(&mut offload).poll(&mut nobody).is_pending(), "the pool's thread is busy");
        table.offloaded.push(offload);
    }
}

/// Polls what does not have to wait.
#[inline(always)]
fn now<F: Future>(future: F, cx: &mut Context<'_>) {
    let Poll::Ready(output) = pin!(future).poll(cx) else { panic!("an operation that need not wait waited") };
    black_box(output);
}
