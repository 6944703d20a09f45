//! Telling tasks that something happened, without saying what.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the protocol: the word, the waiters, which notification reaches whom |
//! | `mod.rs` | the notification and its future |

mod state;

use crate::waiters::{Phase, Waiter};
use crate::{coop, weft_const_fn};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use state::{State, Wait};

/// A place where tasks wait to be told to look again.
///
/// It carries no value: keep the state beside it, change the state, then notify. A task that waits looks at the state
/// after each notification. Make the future with [`notified`](Self::notified) (and [`enable`](Notified::enable) it where
/// `notify_one` is used by more than one waiter) *before* looking at the state, so that a change in between is not missed.
///
/// # Counterparts
/// tokio's `sync::Notify`; asyncio's `Event` where the flag is kept beside it, and the `notify` half of `Condition`.
///
/// # Examples
/// ```
/// use weftwork_sync::{Notify, block_on};
///
/// let ready = Notify::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| ready.notify_one());
///     block_on(ready.notified());
/// });
/// ```
#[doc(alias("Event", "asyncio.Event"))]
pub struct Notify {
    state: State,
}

impl Notify {
    weft_const_fn! {
        /// A place where nobody waits and nothing is kept; usable in a `static`.
        ///
        /// # Examples
        /// ```
        /// static CHANGED: weftwork_sync::Notify = weftwork_sync::Notify::new();
        /// CHANGED.notify_waiters();
        /// ```
        pub fn new() -> Self {
            Self { state: State::new() }
        }
    }

    /// Notifies the task that has waited longest. If nobody waits, one notification is kept for the next that does; more
    /// than one is never kept.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let notify = weftwork_sync::Notify::new();
    /// notify.notify_one();
    /// notify.notified().await;
    /// # });
    /// ```
    #[doc(alias = "set")]
    pub fn notify_one(&self) {
        self.state.notify_one();
    }

    /// Notifies everybody whose [`Notified`] was made before this call, also if it was not polled yet. Nothing is kept for
    /// later, and a notification that is kept stays.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let notify = weftwork_sync::Notify::new();
    /// let (first, second) = (notify.notified(), notify.notified());
    /// notify.notify_waiters();
    /// first.await;
    /// second.await;
    /// # });
    /// ```
    #[doc(alias = "notify_all")]
    pub fn notify_waiters(&self) {
        self.state.notify_waiters();
    }

    /// Waits for a notification.
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the queue; a notification by [`notify_one`](Self::notify_one) that it had
    /// already goes to the next.
    ///
    /// # Counterparts
    /// asyncio's `Event.wait`, tokio's `Notify::notified`.
    ///
    /// # Examples
    /// ```
    /// # weftwork_sync::block_on(async {
    /// let notify = weftwork_sync::Notify::new();
    /// let notified = notify.notified();
    /// notify.notify_waiters();
    /// notified.await;
    /// # });
    /// ```
    #[doc(alias = "wait")]
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, round: self.state.round(), done: false, waiter: Waiter::new() }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kept, waiters) = self.state.observe();
        f.debug_struct("Notify").field("kept", &kept).field("waiters", &waiters).finish()
    }
}

/// The future of [`Notify::notified`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Notified<'a> {
    notify: &'a Notify,
    round: usize,
    /// Notified while it was being enabled.
    done: bool,
    waiter: Waiter,
}

impl Notified<'_> {
    /// Joins the queue now, as if it were polled; `true` if it is notified already, and awaiting it will not wait.
    ///
    /// `true` takes the notification: a future that is dropped then passes nothing on.
    ///
    /// So a task can join the queue, look at the state, and then wait: a `notify_one` in between is not missed, and not
    /// taken from those that came later.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// # weftwork_sync::block_on(async {
    /// let notify = weftwork_sync::Notify::new();
    /// let mut notified = pin!(notify.notified());
    /// assert!(!notified.as_mut().enable());
    /// notify.notify_one();
    /// notified.await;
    /// # });
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let (notify, round, done, waiter) = self.project();
        if !*done {
            *done = match waiter.phase() {
                Phase::Idle => notify.state.join(round, waiter, None) == Wait::Notified,
                _ => waiter.outcome().is_some(),
            };
        }
        *done
    }

    fn project(self: Pin<&mut Self>) -> (&Notify, usize, &mut bool, Pin<&Waiter>) {
        // SAFETY: only the waiter is pinned, and it is handed out pinned.
        unsafe {
            let this = self.get_unchecked_mut();
            (this.notify, this.round, &mut this.done, Pin::new_unchecked(&this.waiter))
        }
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (notify, round, done, waiter) = self.project();
        let begun = *done || waiter.phase() != Phase::Idle;
        let unit = ready!(coop::proceed_for(cx, begun, || coop::Wait::new("a notification")));
        if !*done {
            if begun {
                // SAFETY: it is not idle, so `join` linked it, and nobody took note of an outcome.
                ready!(unsafe { notify.state.look(waiter, cx) });
            } else if notify.state.join(round, waiter, Some(cx)) == Wait::Linked {
                return Poll::Pending;
            }
        }
        *done = false;
        unit.made_progress();
        Poll::Ready(())
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        // SAFETY: if it is linked, the future was pinned, and it still is until this returns.
        self.notify.state.leave(unsafe { Pin::new_unchecked(&self.waiter) });
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").field("phase", &self.waiter.phase()).finish_non_exhaustive()
    }
}
