//! What the further rows need besides: values that are sent once, permits, notifications, signals, HTTP, and a runtime seen
//! from outside of it.

use super::{Peer, Sockets};
use std::future::Future;

/// One value, once, from one task to another.
pub(crate) trait Oneshot: Peer {
    type Giver: Send + 'static;
    type Taker: Send + 'static;

    type Asker: Clone + Send + Sync + 'static;
    type Asked: Send + 'static;

    fn oneshot() -> (Self::Giver, Self::Taker);
    fn give(to: Self::Giver, value: u64);
    fn take(from: Self::Taker) -> impl Future<Output = u64> + Send;

    /// A channel of those that want an answer.
    fn questions(capacity: usize) -> (Self::Asker, Self::Asked);
    fn ask(to: &Self::Asker, question: Self::Giver) -> impl Future<Output = ()> + Send;
    fn asked(from: &mut Self::Asked) -> impl Future<Output = Option<Self::Giver>> + Send;
}

/// Tasks that belong together.
pub(crate) trait Groups: Peer {
    /// Starts a hundred that yield once, waits until all have ended, and adds up what they came to.
    fn group_of_100() -> impl Future<Output = u64> + Send;
}

/// Permits.
pub(crate) trait Permits: Peer {
    type Semaphore: Send + Sync + 'static;

    fn semaphore(permits: usize) -> Self::Semaphore;
    /// Does the work while it holds a permit.
    fn with_permit(of: &Self::Semaphore, work: impl Future<Output = ()> + Send) -> impl Future<Output = ()> + Send;
}

/// Notifications that carry nothing.
pub(crate) trait Notifies: Peer {
    type Notify: Send + Sync + 'static;

    fn notify() -> Self::Notify;
    fn notified(on: &Self::Notify) -> impl Future<Output = ()> + Send;
    fn notify_one(on: &Self::Notify);
    fn notify_waiters(on: &Self::Notify);
}

/// Signals of the operating system.
pub(crate) trait Signals: Peer {
    type Signal: Send + 'static;

    /// `SIGUSR1`.
    fn signal() -> Self::Signal;
    fn signalled(on: &mut Self::Signal) -> impl Future<Output = ()> + Send;
}

/// HTTP/1 by hyper.
pub(crate) trait Http: Sockets {
    /// Answers each request on the stream until that ends.
    fn serve(stream: Self::Stream) -> impl Future<Output = ()> + Send;
}

/// On which threads tasks run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Threads {
    /// As many workers as in the other rows.
    Workers,
    /// One worker.
    One,
    /// None but the one that blocks on something.
    Current,
}

/// A runtime seen from outside of it. It lives as long as the process, which measures one row and ends.
pub(crate) trait Outside: Peer {
    type Runtime: Copy + Send + Sync + 'static;

    fn start(threads: Threads) -> Self::Runtime;
    fn spawn_on<F>(runtime: Self::Runtime, future: F) -> Self::Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;
    fn block_on<F: Future>(runtime: Self::Runtime, future: F) -> F::Output;
}
