//! Receivers as streams.

use super::Receiver;
use super::kind::Kind;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;

/// The values, until the channel is closed and empty. The first wait allocates a place to wait at, which stays.
///
/// # Cancel safety
/// A value is taken only when `poll_next` gives it.
///
/// # Examples
/// ```
/// use futures::StreamExt;
/// # weftwork_sync::block_on(async {
/// let (sender, mut receiver) = weftwork_sync::channel::bounded(2);
/// assert!(sender.try_send(1).is_ok() && sender.try_send(2).is_ok());
/// drop(sender);
/// assert_eq!(receiver.next().await, Some(1));
/// assert_eq!(receiver.map(|n| n * 10).collect::<Vec<_>>().await, [20]);
/// # });
/// ```
impl<T, K: Kind> Stream for Receiver<T, K> {
    type Item = T;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(cx).map(Result::ok)
    }
}
