//! smolscale's global executor, a thread per processor, with smol's channels and locks, which it has none of its own of.
//!
//! It wakes no peer from inside a task and bounds no delay: what it shows is how little a spawn or a wake can cost.

use super::smol::Smol;
use crate::rows::peer::Peer;
use smol::Task;
use smol::channel::{Receiver, Sender};
use smol::lock::Mutex;
use std::future::Future;

pub(crate) struct Smolscale;

impl Peer for Smolscale {
    type Task<T: Send + 'static> = Task<T>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Mutex = Mutex<u64>;

    fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        smol::future::block_on(smolscale::spawn(work))
    }

    fn spawn<F>(future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        smolscale::spawn(future)
    }

    async fn join<T: Send + 'static>(task: Task<T>) -> T {
        task.await
    }

    fn detach<T: Send + 'static>(task: Task<T>) {
        task.detach();
    }

    async fn cancel<T: Send + 'static>(task: Task<T>) {
        Smol::cancel(task).await;
    }

    async fn yield_now() {
        Smol::yield_now().await;
    }

    fn channel(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        Smol::channel(capacity)
    }

    async fn send(to: &Sender<u64>, value: u64) {
        Smol::send(to, value).await;
    }

    async fn receive(from: &mut Receiver<u64>) -> Option<u64> {
        Smol::receive(from).await
    }

    fn mutex() -> Mutex<u64> {
        Smol::mutex()
    }

    async fn add_one(mutex: &Mutex<u64>) -> u64 {
        Smol::add_one(mutex).await
    }
}
