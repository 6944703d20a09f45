//! The crate crossfire: its channels of many senders and one receiver, and its oneshot.

use super::{Bounded, Once, Unbounded};
use crossfire::mpsc;
use crossfire::oneshot::{RxOneshot, TxOneshot, oneshot};
use crossfire::{AsyncRx, MAsyncTx, MTx};

pub(crate) struct Crossfire;

impl Bounded for Crossfire {
    type Sender = MAsyncTx<mpsc::Array<u64>>;
    type Receiver = AsyncRx<mpsc::Array<u64>>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        mpsc::bounded_async(capacity)
    }

    async fn send(to: &Self::Sender, value: u64) {
        to.send(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}

impl Unbounded for Crossfire {
    type Sender = MTx<mpsc::List<u64>>;
    type Receiver = AsyncRx<mpsc::List<u64>>;

    fn unbounded() -> (Self::Sender, Self::Receiver) {
        mpsc::unbounded_async()
    }

    fn post(to: &Self::Sender, value: u64) {
        to.send(value).expect("somebody receives");
    }

    async fn collect(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}

impl Once for Crossfire {
    type Giver = TxOneshot<u64>;
    type Taker = RxOneshot<u64>;

    fn once() -> (Self::Giver, Self::Taker) {
        oneshot()
    }

    fn give(to: Self::Giver, value: u64) {
        to.send(value);
    }

    async fn take(from: Self::Taker) -> u64 {
        from.await.expect("somebody gives it")
    }
}
