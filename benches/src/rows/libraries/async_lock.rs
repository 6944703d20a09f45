//! The crates async-lock and async-channel, as smol hands them on.

use super::{Bounded, Permits, ReadWrite, Unbounded};
use smol::channel::{self, Receiver, Sender};
use smol::lock::{RwLock, Semaphore};

pub(crate) struct AsyncLock;

impl Bounded for AsyncLock {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

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

impl Unbounded for AsyncLock {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn unbounded() -> (Self::Sender, Self::Receiver) {
        channel::unbounded()
    }

    fn post(to: &Self::Sender, value: u64) {
        to.try_send(value).expect("somebody receives");
    }

    async fn collect(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}

impl ReadWrite for AsyncLock {
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

impl Permits for AsyncLock {
    type Semaphore = Semaphore;

    fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    async fn with_permit(of: &Semaphore, work: impl FnOnce() + Send) {
        let _permit = of.acquire().await;
        work();
    }
}
