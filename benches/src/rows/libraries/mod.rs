//! The primitives that are measured: each library's own, behind what the work needs of them.
//!
//! A library implements what it has; the work is generic over the library and over the runtime, so the same primitive can be
//! measured on its own runtime and on ours.

mod async_lock;
mod crossfire;
mod flume;
mod kanal;
mod tokio;
mod weftwork;

pub(crate) use async_lock::AsyncLock;
pub(crate) use crossfire::Crossfire;
pub(crate) use flume::Flume;
pub(crate) use kanal::Kanal;
pub(crate) use tokio::TokioSync;
pub(crate) use weftwork::Ours;

use std::future::Future;

/// A channel with a bound.
pub(crate) trait Bounded: Send + Sync + 'static {
    type Sender: Clone + Send + Sync + 'static;
    type Receiver: Send + 'static;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver);
    fn send(to: &Self::Sender, value: u64) -> impl Future<Output = ()> + Send;
    fn receive(from: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send;
}

/// A bounded channel whose receiver takes what is there in one go.
pub(crate) trait Batches: Bounded {
    /// Adds up to `limit` to `into`, at least one unless it is closed and empty; says how many.
    fn receive_many(from: &mut Self::Receiver, into: &mut Vec<u64>, limit: usize)
    -> impl Future<Output = usize> + Send;
}

/// A channel without a bound.
pub(crate) trait Unbounded: Send + Sync + 'static {
    type Sender: Clone + Send + Sync + 'static;
    type Receiver: Send + 'static;

    fn unbounded() -> (Self::Sender, Self::Receiver);
    /// Sends without waiting.
    fn post(to: &Self::Sender, value: u64);
    fn collect(from: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send;
}

/// One value, once.
pub(crate) trait Once: Send + Sync + 'static {
    type Giver: Send + 'static;
    type Taker: Send + 'static;

    fn once() -> (Self::Giver, Self::Taker);
    fn give(to: Self::Giver, value: u64);
    fn take(from: Self::Taker) -> impl Future<Output = u64> + Send;
}

/// A lock that several may read under.
pub(crate) trait ReadWrite: Send + Sync + 'static {
    type Lock: Send + Sync + 'static;

    fn lock() -> Self::Lock;
    fn read(lock: &Self::Lock) -> impl Future<Output = u64> + Send;
    fn add_one(lock: &Self::Lock) -> impl Future<Output = ()> + Send;
}

/// Permits.
pub(crate) trait Permits: Send + Sync + 'static {
    type Semaphore: Send + Sync + 'static;

    fn semaphore(permits: usize) -> Self::Semaphore;
    /// Does `work` while it holds a permit.
    fn with_permit(of: &Self::Semaphore, work: impl FnOnce() + Send) -> impl Future<Output = ()> + Send;
}

/// Each value to each receiver.
pub(crate) trait Broadcast: Send + Sync + 'static {
    type Sender: Send + Sync + 'static;
    type Receiver: Send + 'static;

    fn broadcast(capacity: usize) -> Self::Sender;
    fn subscribe(to: &Self::Sender) -> Self::Receiver;
    /// How many values the slowest has not taken yet.
    fn behind(of: &Self::Sender) -> usize;
    fn publish(to: &Self::Sender, value: u64);
    /// The next value; nothing once the sender is gone.
    fn next(of: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send;
}

/// The newest value to each receiver.
pub(crate) trait Watch: Send + Sync + 'static {
    type Setter: Send + Sync + 'static;
    type Watcher: Clone + Send + 'static;

    fn watch() -> (Self::Setter, Self::Watcher);
    fn set(of: &Self::Setter, value: u64);
    /// Waits until it has changed; nothing once the setter is gone.
    fn changed(of: &mut Self::Watcher) -> impl Future<Output = Option<u64>> + Send;
}
