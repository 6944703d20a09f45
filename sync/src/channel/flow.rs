//! What every flavour of channel does, so that its ends are written once; and how many handles there are of each end.

use super::queue::NotPopped;
use crate::WakeBatch;
use crate::primitive::Mutex as ListLock;
use crate::primitive::atomic::{AtomicUsize, Ordering};
use crate::waiters::{List, Outcome, Phase, Waiter, look_again};
use core::pin::Pin;
use core::task::{Context, Poll};

/// The middle of a channel.
pub trait Flow {
    type Item;

    fn try_pop(&self) -> Result<Self::Item, NotPopped>;

    /// Appends up to `limit` items, which is not 0.
    fn try_pop_many(&self, limit: usize, into: &mut Vec<Self::Item>) -> Result<usize, NotPopped>;

    /// Pops, or leaves `waiter` in the receivers' list.
    fn poll_pop(&self, waiter: Pin<&Waiter>, cx: &Context<'_>) -> Poll<Result<Self::Item, NotPopped>>;

    fn poll_pop_many(
        &self,
        limit: usize,
        into: &mut Vec<Self::Item>,
        waiter: Pin<&Waiter>,
        cx: &Context<'_>,
    ) -> Poll<Result<usize, NotPopped>>;

    /// The future of a receiver is dropped.
    fn leave_receivers(&self, waiter: Pin<&Waiter>);

    /// Takes no more items in and tells everybody who waits; `true` for the first caller.
    fn close(&self) -> bool;

    /// The last receiver goes.
    fn receivers_gone(&self);

    fn is_closed(&self) -> bool;

    fn len(&self) -> usize;

    fn capacity(&self) -> Option<usize>;

    fn is_full(&self) -> bool;

    /// How many senders and receivers wait.
    fn waiting(&self) -> (usize, usize);

    fn handles(&self) -> &Handles;
}

/// How many handles there are, and who waits for the end of the channel.
pub struct Handles {
    senders: AtomicUsize,
    receivers: AtomicUsize,
    watchers: ListLock<List>,
}

impl Handles {
    pub(super) fn new() -> Self {
        Self { senders: AtomicUsize::new(1), receivers: AtomicUsize::new(1), watchers: ListLock::new(List::new()) }
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.load(Ordering::Relaxed)
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers.load(Ordering::Relaxed)
    }

    pub(super) fn add_sender(&self) {
        // Ordering: Relaxed, the caller is counted already.
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one more sender, if there is one still.
    pub(super) fn try_add_sender(&self) -> bool {
        let mut seen = self.senders.load(Ordering::Relaxed);
        while seen != 0 {
            // Ordering: Relaxed, as for any other sender: the count is only a count.
            match self.senders.compare_exchange_weak(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// `true` for the last one.
    pub(super) fn drop_sender(&self) -> bool {
        // Ordering: AcqRel: what every sender did comes before the last one closes.
        self.senders.fetch_sub(1, Ordering::AcqRel) == 1
    }

    pub(super) fn add_receiver(&self) {
        // Ordering: Relaxed, the caller is counted already.
        self.receivers.fetch_add(1, Ordering::Relaxed);
    }

    /// `true` for the last one.
    pub(super) fn drop_receiver(&self) -> bool {
        // Ordering: AcqRel: what every receiver did comes before the last one drops the rest.
        self.receivers.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The channel was closed: whoever waits for that is told.
    pub(super) fn sweep(&self, wakers: &mut WakeBatch) {
        self.watchers.lock().take_all(Outcome::Swept, wakers);
    }

    /// Waits for the channel to be closed. Who closes sets the bit and then takes the lock, and who waits looks at the bit
    /// under the lock, so one of the two sees the other.
    pub(super) fn poll_closed(&self, waiter: Pin<&Waiter>, cx: &Context<'_>, is_closed: impl Fn() -> bool) -> Poll<()> {
        if waiter.phase() != Phase::Idle {
            // SAFETY: linked below, and taken note of nowhere else.
            return unsafe { look_again(&self.watchers, waiter, cx) }.map(|_| ());
        }
        if is_closed() {
            return Poll::Ready(());
        }
        let fresh = cx.waker().clone();
        let mut list = self.watchers.lock();
        if is_closed() {
            drop(list);
            drop(fresh);
            return Poll::Ready(());
        }
        // SAFETY: idle, so not linked; the future that holds it calls `leave` before it is freed.
        unsafe { list.push_back(waiter, Some(fresh), 0) };
        Poll::Pending
    }

    /// The future of [`poll_closed`](Self::poll_closed) is dropped.
    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
        if matches!(waiter.phase(), Phase::Idle) {
            return;
        }
        let mut list = self.watchers.lock();
        let old = match waiter.phase() {
            // SAFETY: linked, under the lock.
            Phase::Waiting | Phase::Woken => unsafe { list.unlink(waiter) },
            Phase::Idle | Phase::Granted | Phase::Swept => None,
        };
        drop(list);
        drop(old);
    }
}
