//! Async locks, channels, queues and notifications that run on any executor.
//!
//! Nothing here knows a runtime: a primitive needs the waker it is polled with and nothing else, so it works on weftwork, on
//! tokio, on smol, and with [`block_on`] on a plain thread. None of them allocates in order to wait, but for
//! those that say so.
//!
//! # Which one is for what
//!
//! | you want | use | asyncio | tokio |
//! |---|---|---|---|
//! | one value from one task to another, once | [`oneshot`] | `Future` | `oneshot` |
//! | one value from one task to many, once, or to know that it will not come | [`promise`] | `Future` | - |
//! | one value for many, once, set by whoever comes first | [`SetOnce`] | `Future` | `SetOnce` |
//! | one value for many, made by the first who asks | [`OnceCell`] | - | `OnceCell` |
//! | the outcome of one future for many | [`shared`] | a `Task` awaited twice | - |
//! | the newest of many values | [`watch`] | - | `watch` |
//! | every one of many values, for each of many | [`broadcast`] | - | `broadcast` |
//! | a queue of values between tasks, with a bound | [`channel::bounded`] | `Queue` | `mpsc` |
//! | one without a bound; one without a buffer, from hand to hand | [`channel::unbounded`], [`channel::rendezvous`](channel::rendezvous()) | `Queue` | `mpsc` |
//! | a queue that knows when the work on its items is done, also by priority or last in, first out | [`Queue`], [`PriorityQueue`], [`LifoQueue`] | `Queue` with `join` | |
//! | one task at a time at a value, across an `.await` | [`Mutex`] | `Lock` | `Mutex` |
//! | many tasks to read a value, one to change it | [`RwLock`] | - | `RwLock` |
//! | at most so many tasks at once | [`Semaphore`] | `Semaphore` | `Semaphore` |
//! | as many, where the number changes while they are at it | [`Limiter`] | - | - |
//! | to wait for a change of what a [`Mutex`] holds | [`Condvar`] | `Condition` | - |
//! | to be told that two do at once what only one may | [`UseGuard`] | - | - |
//! | to tell tasks that something is so, until it is not | [`Event`] | `Event` | - |
//! | to tell tasks that something changed | [`Notify`] | `Event` | `Notify` |
//! | tasks that meet, round after round | [`Barrier`] | `Barrier` | `Barrier` |
//! | to know when all who take part are done | [`WaitGroup`] | - | `TaskTracker` |
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
//! | `wait_word.rs` | a word that many wait for: the protocol under all that tells everybody at once |
//! | `event/`, `wait_group/`, `once/`, `promise/`, `watch/`, `broadcast/` | what stands on it: a flag, a count (`wait_count.rs`), a value that comes once, a version, a position |
//! | `barrier/` | a list of those who have arrived |
//! | `block_on.rs` | a future on a plain thread |
//! | `coop.rs` | the poll budget and the cancel bit that executors set |
//! | `wake_batch.rs` | wakers to be called once every lock is released |
//! | `primitive/` | atomics, cells, locks and threads, in production and under a model checker |
#![warn(missing_debug_implementations)]

mod barrier;
mod block_on;
pub mod broadcast;
pub mod channel;
mod condvar;
pub mod coop;
mod event;
mod limiter;
mod mapped;
mod mutex;
mod notify;
mod once;
pub mod oneshot;
#[doc(hidden)]
pub mod primitive;
mod promise;
pub mod queue;
mod rwlock;
mod semaphore;
mod use_guard;
mod wait_count;
mod wait_group;
mod wait_word;
mod waiters;
mod wake_batch;
pub mod watch;

pub use barrier::{Arrived, Barrier, BarrierWait, BrokenBarrier};
pub use block_on::block_on;
#[doc(hidden)]
pub use block_on::{Unpark, block_on_with};
pub use condvar::{Condvar, CondvarWait, CondvarWaitWhile, Relock};
pub use event::{Event, EventWait};
pub use limiter::{AlreadyBorrowed, Borrow, BorrowOwned, Limiter, LimiterToken, OwnedLimiterToken, TryBorrowError};
pub use mutex::{Lock, LockOwned, MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::{Notified, Notify};
pub use once::{GetOrInit, GetOrTryInit, OnceCell, OnceCellWait, SetError, SetOnce, SetOnceWait};
pub use promise::{Abandoned, Promise, PromiseClosed, PromiseWait, Setter, SharedFuture, promise, shared};
pub use queue::{LifoQueue, PriorityQueue, Queue};
pub use rwlock::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, OwnedMappedRwLockReadGuard, OwnedMappedRwLockWriteGuard,
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, ReadLock, ReadLockOwned, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, UpgradableReadLock, UpgradableReadLockOwned, Upgrade,
    UpgradeOwned, WriteLock, WriteLockOwned,
};
pub use semaphore::{Acquire, AcquireError, AcquireOwned, OwnedPermit, Permit, Semaphore, TryAcquireError};
pub use use_guard::{InUse, InUseError, UseGuard};
pub use wait_group::{WaitGroup, WaitGroupWait, WaitGroupWorker};
pub use wake_batch::WakeBatch;
