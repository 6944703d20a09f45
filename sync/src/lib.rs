//! Async locks, channels, queues and notifications that run on any executor.
//!
//! Nothing here knows a runtime: a primitive needs the waker it is polled with and nothing else, so it works on weftwork, on
//! tokio, on smol, and with [`block_on`] on a plain thread. None of them allocates in order to wait.
//!
//! # Which one is for what
//!
//! | you want | use | asyncio | tokio |
//! |---|---|---|---|
//! | one value from one task to another, once | [`oneshot`] | `Future` | `oneshot` |
//! | a queue of values between tasks, with a bound | [`channel::bounded`] | `Queue` | `mpsc` |
//! | a queue that knows when the work on its items is done, also by priority or last in, first out | [`Queue`], [`PriorityQueue`], [`LifoQueue`] | `Queue` with `join` | |
//! | one task at a time at a value, across an `.await` | [`Mutex`] | `Lock` | `Mutex` |
//! | many tasks to read a value, one to change it | [`RwLock`] | - | `RwLock` |
//! | at most so many tasks at once | [`Semaphore`] | `Semaphore` | `Semaphore` |
//! | as many, where the number changes while they are at it | [`Limiter`] | - | - |
//! | to wait for a change of what a [`Mutex`] holds | [`Condvar`] | `Condition` | - |
//! | to be told that two do at once what only one may | [`UseGuard`] | - | - |
//! | to tell tasks that something changed | [`Notify`] | `Event` | `Notify` |
//! | to wait for any of these on a plain thread | the `blocking_` methods, [`block_on`] | `run_coroutine_threadsafe` | `blocking_*` |
//!
//! Where nothing is awaited while a lock is held, a lock of the standard library is better than [`Mutex`].
//!
//! # What they have in common
//! - **Cancel safety.** Each future says what is lost when it is dropped before it completes. A permit, a lock, a
//!   notification that it had already goes to the next; a value is taken out of a channel only when the future completes.
//! - **Fairness.** Waiters queue in the order in which they came. Semaphore and Notify serve them strictly so; Mutex and
//!   channel let a running task come first where a sleeping one would only delay both, and say by how much.
//! - **Wakers** are called, cloned and dropped outside every lock, so a waker may come back into the primitive that calls it.
//! - **Budget.** On an executor that sets a poll budget ([`coop`]) each operation that completes spends a unit of it, so that
//!   a task whose channel is never empty still lets others run. Elsewhere the budget is unlimited.
//! - **Cost.** Taking a free lock, giving it back, taking or giving a permit, sending and receiving without having to wait
//!   are one atomic read-modify-write each (in the channel, and a fence), and no lock.
//!
//! # Examples
//! ```
//! use weftwork_sync::{block_on, channel, oneshot};
//!
//! // A task that owns a value, and requests that carry the way back for the answer.
//! let (requests, inbox) = channel::bounded::<(u32, oneshot::Sender<u32>)>(16);
//! let owner = std::thread::spawn(move || {
//!     block_on(async {
//!         let mut total = 0;
//!         while let Ok((add, answer)) = inbox.recv().await {
//!             total += add;
//!             let _ = answer.send(total); // the caller may have given up
//!         }
//!     });
//! });
//!
//! block_on(async {
//!     let (answer, answered) = oneshot::channel();
//!     requests.send((5, answer)).await.expect("the owner is alive");
//!     assert_eq!(answered.await, Ok(5));
//! });
//! drop(requests);
//! owner.join().expect("the owner ends when nobody can ask any more");
//! ```
//!
//! # Map of the crate
//!
//! | file | holds |
//! |---|---|
//! | `waiters.rs` | the intrusive list under every primitive: how a wait begins and ends |
//! | `oneshot/`, `channel/`, `mutex/`, `semaphore/`, `notify/`, `queue/`, `rwlock/`, `condvar/`, `limiter/` | one primitive each; the protocol is argued at the head of `cell.rs`, `state.rs` or `raw.rs` |
//! | `use_guard.rs` | two users at once of what has one |
//! | `mapped.rs` | guards narrowed to a part of the value |
//! | `block_on.rs` | a future on a plain thread |
//! | `coop.rs` | the poll budget and the cancel bit that executors set |
//! | `wake_batch.rs` | wakers to be called once every lock is released |
//! | `primitive/` | atomics, cells, locks and threads, in production and under a model checker |
#![warn(missing_debug_implementations)]

mod block_on;
pub mod channel;
mod condvar;
pub mod coop;
mod limiter;
mod mapped;
mod mutex;
mod notify;
pub mod oneshot;
#[doc(hidden)]
pub mod primitive;
pub mod queue;
mod rwlock;
mod semaphore;
mod use_guard;
mod waiters;
mod wake_batch;

pub use block_on::block_on;
#[doc(hidden)]
pub use block_on::{Unpark, block_on_with};
pub use condvar::{Condvar, CondvarWait, CondvarWaitWhile, Relock};
pub use limiter::{AlreadyBorrowed, Borrow, BorrowOwned, Limiter, LimiterToken, OwnedLimiterToken, TryBorrowError};
pub use mutex::{Lock, LockOwned, MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::{Notified, Notify};
pub use queue::{LifoQueue, PriorityQueue, Queue};
pub use rwlock::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, OwnedMappedRwLockReadGuard, OwnedMappedRwLockWriteGuard,
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, ReadLock, ReadLockOwned, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, UpgradableReadLock, UpgradableReadLockOwned, Upgrade,
    UpgradeOwned, WriteLock, WriteLockOwned,
};
pub use semaphore::{Acquire, AcquireError, AcquireOwned, OwnedPermit, Permit, Semaphore, TryAcquireError};
pub use use_guard::{InUse, InUseError, UseGuard};
pub use wake_batch::WakeBatch;
