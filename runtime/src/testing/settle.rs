//! Waiting until nothing can run.

use crate::context;
use crate::scheduler::Core;
use crate::scheduler::worker::Worker;
use crate::time::timers::NEVER;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use weftwork_sync::primitive::Shared;

/// Looks in a row that have to find nothing; a worker may be between finding a task and running it at one of them.
const STILL: u32 = 3;

/// Waits until no other task of the current runtime can run: each waits for a timer, a socket, another task or this one.
///
/// It looks again and again, letting everything else run in between. Blocking calls in the runtime's pool count as running.
/// What the system has not yet told the reactor cannot be seen.
///
/// # Panics
/// Polling it outside of a runtime panics.
///
/// trio's counterpart is `wait_all_tasks_blocked`.
#[doc(alias = "wait_all_tasks_blocked")]
pub fn settle() -> Settle {
    Settle { still: 0 }
}

/// The future of [`settle`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Settle {
    still: u32,
}

impl Future for Settle {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(core) = context::current() else { panic!("{}", context::NO_RUNTIME) };
        let own = context::with_worker(|worker| {
            let mine = Shared::ptr_eq(&worker.core, &core);
            if let Some(reactor) = core.reactor.as_ref().filter(|_| mine) {
                worker.outside_of_poll(|| {
                    worker.turn_without_waiting(reactor);
                    worker.try_all();
                });
            }
            mine.then_some(worker.index)
        })
        .flatten();
        self.still = if is_still(&core, own) { self.still + 1 } else { 0 };
        if self.still >= STILL {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        weftwork_sync::primitive::thread::yield_now();
        Poll::Pending
    }
}

fn is_still(core: &Shared<Core>, own: Option<usize>) -> bool {
    let now = core.config.clock.now();
    let due = |timers: &crate::time::timers::Timers| timers.next_due() != NEVER && timers.next_due() <= now;
    let pool = core.pool.metrics();
    let nothing_of_its_own =
        context::with_worker(|worker: &Worker| worker.own(|local| local.ready() == 0 && local.pinned.is_empty()))
            .unwrap_or(true);
    // In the order in which a task moves on: from a queue into the watchdog's hands, to the injector, to a worker.
    nothing_of_its_own
        && core.stats.in_rescue.get() == 0
        && core.injector.is_empty()
        && (0..core.config.workers).all(|slot| Some(slot) == own || core.idle.sleeps(slot))
        && core.spares.working() == 0
        && pool.running() == 0
        && pool.queued() == 0
        && !due(&core.outside_timers)
        && !core.slots.iter().any(|slot| due(&slot.timers))
}
