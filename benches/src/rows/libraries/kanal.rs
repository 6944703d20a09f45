//! The crate kanal.

use super::{Bounded, Unbounded};
use kanal::{AsyncReceiver, AsyncSender};

pub(crate) struct Kanal;

impl Bounded for Kanal {
    type Sender = AsyncSender<u64>;
    type Receiver = AsyncReceiver<u64>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        kanal::bounded_async(capacity)
    }

    async fn send(to: &Self::Sender, value: u64) {
        to.send(value).await.expect("somebody receives");
    }

    async fn receive(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}

impl Unbounded for Kanal {
    type Sender = AsyncSender<u64>;
    type Receiver = AsyncReceiver<u64>;

    fn unbounded() -> (Self::Sender, Self::Receiver) {
        kanal::unbounded_async()
    }

    fn post(to: &Self::Sender, value: u64) {
        assert_eq!(to.try_send(value), Ok(true), "somebody receives, and there is always room");
    }

    async fn collect(from: &mut Self::Receiver) -> Option<u64> {
        from.recv().await.ok()
    }
}
