//! The crate flume.

use super::{Bounded, Unbounded};
use flume::{Receiver, Sender};

pub(crate) struct Flume;

impl Bounded for Flume {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        flume::bounded(capacity)
    }

    async fn send(to: &Self::Sender, value: u64) {
        to.send_async(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Self::Receiver) -> Option<u64> {
        from.recv_async().await.ok()
    }
}

impl Unbounded for Flume {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn unbounded() -> (Self::Sender, Self::Receiver) {
        flume::unbounded()
    }

    fn post(to: &Self::Sender, value: u64) {
        to.send(value).expect("somebody receives");
    }

    async fn collect(from: &mut Self::Receiver) -> Option<u64> {
        from.recv_async().await.ok()
    }
}
