//! What the measured work needs of a runtime, so that the work is written once.
//!
//! Each peer fills this in with its own tasks, channels, locks, timers and sockets, as its documentation says one should.
//! Nothing here boxes or blocks, so what is added is what the compiler takes away again.

mod wider;

pub(crate) use wider::{Groups, Http, Notifies, Oneshot, Outside, Permits, Signals, Threads};

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

/// Tasks, channels and locks.
pub(crate) trait Peer: Send + Sync + 'static {
    type Task<T: Send + 'static>: Send + 'static;
    type Sender: Clone + Send + Sync + 'static;
    type Receiver: Send + 'static;
    type Mutex: Send + Sync + 'static;

    /// Runs `work` in a task, on two workers unless the environment says otherwise.
    fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T;
    fn spawn<F>(future: F) -> Self::Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;
    fn join<T: Send + 'static>(task: Self::Task<T>) -> impl Future<Output = T> + Send;
    fn detach<T: Send + 'static>(task: Self::Task<T>);
    /// Cancels the task and waits until it is gone.
    fn cancel<T: Send + 'static>(task: Self::Task<T>) -> impl Future<Output = ()> + Send;
    fn yield_now() -> impl Future<Output = ()> + Send;

    fn channel(capacity: usize) -> (Self::Sender, Self::Receiver);
    fn send(to: &Self::Sender, value: u64) -> impl Future<Output = ()> + Send;
    fn receive(from: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send;

    fn mutex() -> Self::Mutex;
    /// Locks, adds one and unlocks; gives the sum.
    fn add_one(mutex: &Self::Mutex) -> impl Future<Output = u64> + Send;
}

/// A clock.
pub(crate) trait Timed: Peer {
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;
    fn timeout<F: Future + Send>(limit: Duration, future: F) -> impl Future<Output = Option<F::Output>> + Send;
}

/// Threads for what blocks.
pub(crate) trait Offload: Peer {
    fn to_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = T> + Send;
}

/// Sockets.
pub(crate) trait Sockets: Peer {
    type Listener: Send + 'static;
    type Stream: Send + 'static;

    fn listen() -> impl Future<Output = (Self::Listener, SocketAddr)> + Send;
    /// A stream with `TCP_NODELAY`.
    fn accept(listener: &Self::Listener) -> impl Future<Output = Self::Stream> + Send;
    /// A stream with `TCP_NODELAY`.
    fn connect(to: SocketAddr) -> impl Future<Output = Self::Stream> + Send;
    /// Whether the buffer was filled; not if the stream ended.
    fn read_exact(stream: &mut Self::Stream, buffer: &mut [u8]) -> impl Future<Output = bool> + Send;
    fn write_all(stream: &mut Self::Stream, bytes: &[u8]) -> impl Future<Output = ()> + Send;
}
