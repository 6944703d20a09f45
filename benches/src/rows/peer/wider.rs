//! What the further rows need besides: values that are sent once, and a runtime seen from outside of it.

use super::Peer;
use std::future::Future;

/// One value, once, from one task to another.
pub(crate) trait Oneshot: Peer {
    type Giver: Send + 'static;
    type Taker: Send + 'static;

    fn oneshot() -> (Self::Giver, Self::Taker);
    fn give(to: Self::Giver, value: u64);
    fn take(from: Self::Taker) -> impl Future<Output = u64> + Send;
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
