//! Soft cancellation: code may clean up behind its shields for a while, and then they hold no longer.
//!
//! | word | written by | means |
//! |---|---|---|
//! | `grace` of a node, of a task's root | whoever cancels softly, under the lock, before the cause; the shortest stays | how long shields inside hold, from when the region sees it |
//! | `pierced` of a node, of a task's root | the region, as it is polled and the grace is over | shields inside hold no longer; never taken back |
//!
//! The canceller needs no clock: the region counts the grace from the poll in which it first sees it, cancelled and held up by somebody
//! inside. When it ends, the region sets `pierced`, and has the shields inside polled, and itself; what
//! lies behind them hears of it from them. A shield that is polled in cancelled
//! surroundings looks whether any region around it is pierced: if so it is no shield any more, and unwinds as a scope does. A
//! group then tells its children, and a region that waits for tasks it dropped the handles of tells those, by a grace of nothing.
//!
//! `pierced` is only ever touched by the thread inside of the task, so there are two races beside those of `node.rs` (model L10):
//! 5. A soft cancel against the poll that will wait: both take the node's lock, the poll to leave its waker and the canceller after the grace is stored.
//!    The waker left first: the canceller takes it, by its cause or because there was one, and there is another poll. The grace stored
//!    first: the poll, which looks at it at its end, sees it.
//! 6. A child that is told against its own poll: as race 5, with the lock of its root for a node that does not exist yet; the node is made with the grace that
//!    there is. A task without a node has nobody inside who could hold it up.
//!
//! A shield that is pierced, or abandoned (see `region.rs`), is reported with its place: what it kept is dropped, but was not finished.

use super::frame::NEVER;
use super::node::Node;
use crate::context;
use crate::observe::unhandled::{Unhandled, UnhandledKind};
use crate::time::{Instant, Sleep, sleep};
use core::panic::Location;
use core::task::{Context, Poll};
use core::time::Duration;
use weftwork_sync::coop;

/// The grace of a soft cancellation, as the region follows it.
#[derive(Default)]
pub(super) struct Grace(Option<Box<Running>>);

struct Running {
    nanoseconds: u64,
    end: Sleep,
}

impl Grace {
    /// Pierces the shields inside once the grace is over; the caller is woken then otherwise.
    pub(super) fn follow(&mut self, node: &Node, cx: &mut Context<'_>) {
        let nanoseconds = node.grace();
        if nanoseconds == NEVER || node.is_pierced() {
            return;
        }
        // Without a runtime, or at its end, there is nothing to wait by.
        if nanoseconds > 0 && self.end(nanoseconds, cx).is_pending() {
            return;
        }
        node.pierce();
        // So that those inside are polled, whoever polls them.
        cx.waker().wake_by_ref();
    }

    fn end(&mut self, nanoseconds: u64, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let grace = Duration::from_nanos(nanoseconds);
        let running = self.0.get_or_insert_with(|| Box::new(Running { nanoseconds, end: sleep(grace) }));
        if running.nanoseconds != nanoseconds {
            // A second cancel was less patient; its grace counts from now on, unless the first ends sooner.
            running.nanoseconds = nanoseconds;
            let end = Instant::now() + grace;
            if running.end.deadline().is_none_or(|before| end < before) {
                running.end.reset(end);
            }
        }
        coop::unconstrained(|| running.end.try_poll(cx))
    }
}

/// Says that a shield held no longer although what it shielded had not ended.
#[cold]
pub(super) fn report(at: &'static Location<'static>, why: &str) {
    let message = format!("the one at {at} {why}");
    let what = Unhandled {
        task: context::current_task(),
        ..Unhandled::elsewhere(UnhandledKind::ShieldPierced, Some(&message))
    };
    if context::with_current(|core| core.report(&what)).is_none() {
        what.report(None);
    }
}
