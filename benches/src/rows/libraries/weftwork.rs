//! weftwork's module `sync`.

use super::{Batches, Bounded, Broadcast, Once, Permits, ReadWrite, Unbounded, Watch};
use weftwork::sync::{RwLock, Semaphore, broadcast, channel, oneshot, watch};

pub(crate) struct Ours;

impl Bounded for Ours {
    type Sender = channel::Sender<u64>;
    type Receiver = channel::Receiver<u64>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        channel::bounded(capacity)
    }

    async fn send(to: &Self::Sender, value: u64) {
        to.send(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}

impl Batches for Ours {
    async fn receive_many(from: &mut Self::Receiver, into: &mut Vec<u64>, limit: usize) -> usize {
        from.recv_many(into, limit).await.unwrap_or(0)
    }
}

impl Unbounded for Ours {
    type Sender = channel::Sender<u64, channel::Unbounded>;
    type Receiver = channel::Receiver<u64, channel::Unbounded>;

    fn unbounded() -> (Self::Sender, Self::Receiver) {
        channel::unbounded()
    }

    fn post(to: &Self::Sender, value: u64) {
        to.send(value).expect("somebody receives");
    }

    async fn collect(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}

impl ReadWrite for Ours {
    type Lock = RwLock<u64>;

    fn lock() -> Self::Lock {
        RwLock::new(0)
    }

    async fn read(lock: &Self::Lock) -> u64 {
        *lock.read().await
    }

    async fn add_one(lock: &Self::Lock) {
        *lock.write().await += 1;
    }
}

impl Once for Ours {
    type Giver = oneshot::Sender<u64>;
    type Taker = oneshot::Receiver<u64>;

    fn once() -> (Self::Giver, Self::Taker) {
        oneshot::channel()
    }

    fn give(to: Self::Giver, value: u64) {
        to.send(value).expect("somebody takes it");
    }

    async fn take(from: Self::Taker) -> u64 {
        from.await.expect("somebody gives it")
    }
}

impl Permits for Ours {
    type Semaphore = Semaphore;

    fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    async fn with_permit(of: &Semaphore, work: impl FnOnce() + Send) {
        let _permit = of.acquire().await.expect("it is open");
        work();
    }
}

impl Broadcast for Ours {
    type Sender = broadcast::Sender<u64>;
    type Receiver = broadcast::Receiver<u64>;

    fn broadcast(capacity: usize) -> Self::Sender {
        broadcast::Sender::new(capacity)
    }

    fn subscribe(to: &Self::Sender) -> Self::Receiver {
        to.subscribe()
    }

    fn behind(of: &Self::Sender) -> usize {
        of.len()
    }

    fn publish(to: &Self::Sender, value: u64) {
        to.send(value).expect("somebody listens");
    }

    async fn next(of: &mut Self::Receiver) -> Option<u64> {
        match of.recv().await {
            Ok(value) => Some(value),
            Err(broadcast::RecvError::Closed) => None,
            Err(_) => panic!("the sender waits for the slowest"),
        }
    }
}

impl Watch for Ours {
    type Setter = watch::Sender<u64>;
    type Watcher = watch::Receiver<u64>;

    fn watch() -> (Self::Setter, Self::Watcher) {
        watch::channel(0)
    }

    fn set(of: &Self::Setter, value: u64) {
        of.send_replace(value);
    }

    async fn changed(of: &mut Self::Watcher) -> Option<u64> {
        of.changed().await.ok()?;
        Some(*of.borrow_and_update())
    }
}
