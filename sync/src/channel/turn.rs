//! The turn of one sender at a time to gather several permits.
//!
//! Who wants several places takes them one by one as they get free, for otherwise those who want one each would never leave
//! it enough at once. Two who do that side by side could each have what the other waits for; so they take turns. A turn
//! ends when all places are there, the channel is closed, or the future is dropped.
//!
//! Waiting for the turn is a store-load pair like all waiting here: who waits says so and then looks whether the turn is
//! free or the channel closed; who gives the turn away, and who closes, does so and then looks for waiters. A waiter that was
//! told and is dropped passes that on.

use super::side::Side;
use crate::WakeBatch;
use crate::primitive::atomic::{AtomicBool, Ordering};
use crate::primitive::dekker::publish_then_check;
use crate::waiters::Waiter;
use core::pin::Pin;
use core::task::{Context, Poll};

pub struct Turn {
    taken: AtomicBool,
    side: Side,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self { taken: AtomicBool::new(false), side: Side::new() }
    }

    fn try_take(&self) -> bool {
        // Ordering: Acquire pairs with the Release in give.
        self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the turn (`true`), finds that it is over for all (`false`), or leaves `waiter` in the list.
    pub(super) fn poll_take(&self, waiter: Pin<&Waiter>, cx: &Context<'_>, is_over: impl Fn() -> bool) -> Poll<bool> {
        let attempt = || match is_over() {
            true => Poll::Ready(false),
            false if self.try_take() => Poll::Ready(true),
            false => Poll::Pending,
        };
        let (taken, notified) = match attempt() {
            Poll::Pending => match self.side.join(waiter, cx, attempt, Poll::is_ready) {
                Some(tried) => tried,
                None => return Poll::Pending,
            },
            taken => (taken, self.side.settle(waiter)),
        };
        // Nobody else can take it now, but all have to hear that it is over.
        if notified && taken == Poll::Ready(false) && self.side.waiting() != 0 {
            self.side.notify();
        }
        taken
    }

    pub(super) fn give(&self) {
        // Ordering: Release pairs with the Acquire in try_take.
        let waiting = publish_then_check(|| self.taken.store(false, Ordering::Release), || self.side.waiting());
        if waiting != 0 {
            self.side.notify();
        }
    }

    pub(super) fn leave(&self, waiter: Pin<&Waiter>) {
        self.side.leave(waiter);
    }

    pub(super) fn sweep(&self, wakers: &mut WakeBatch) {
        self.side.sweep(wakers);
    }

    pub(super) fn len(&self) -> usize {
        self.side.len()
    }
}
