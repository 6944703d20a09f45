//! tokio's module `sync`.

use super::{Batches, Bounded, Broadcast, Once, Permits, ReadWrite, Unbounded, Watch};
use tokio::sync::{RwLock, Semaphore, broadcast, mpsc, oneshot, watch};

pub(crate) struct TokioSync;

impl Bounded for TokioSync {
    type Sender = mpsc::Sender<u64>;
    type Receiver = mpsc::Receiver<u64>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        mpsc::channel(capacity)
    }

    async fn send(to: &Self::Sender, value: u64) {
        to.send(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await
    }
}

impl Batches for TokioSync {
    async fn receive_many(from: &mut Self::Receiver, into: &mut Vec<u64>, limit: usize) -> usize {
        from.recv_many(into, limit).await
    }
}

impl Unbounded for TokioSync {
    type Sender = mpsc::UnboundedSender<u64>;
    type Receiver = mpsc::UnboundedReceiver<u64>;

    fn unbounded() -> (Self::Sender, Self::Receiver) {
        mpsc::unbounded_channel()
    }

    fn post(to: &Self::Sender, value: u64) {
        to.send(value).expect("somebody receives");
    }

    async fn collect(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await
    }
}

impl Once for TokioSync {
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

impl ReadWrite for TokioSync {
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

impl Permits for TokioSync {
    type Semaphore = Semaphore;

    fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    async fn with_permit(of: &Semaphore, work: impl FnOnce() + Send) {
        let _permit = of.acquire().await.expect("it is open");
        work();
    }
}

impl Broadcast for TokioSync {
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
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(_)) => panic!("the sender waits for the slowest"),
        }
    }
}

impl Watch for TokioSync {
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
