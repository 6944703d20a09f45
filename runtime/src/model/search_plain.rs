//! A test like any other: the body runs a few times on a current-thread runtime, in the usual order and in drawn ones.

use super::watch::Watch;
use super::{Builder, Failure, Report, outcome};
use crate::platform::clock::{Clock, ManualTime};
use crate::runtime;
use core::future::{Future, poll_fn};
use core::panic::{AssertUnwindSafe, Location};
use core::pin::pin;
use core::task::Poll;
use std::panic::catch_unwind;
use weftwork_sync::primitive::Shared;

/// How often the body runs at most.
const RUNS: u64 = 32;

pub(super) fn search<F, B>(builder: Builder, body: B, _at: &'static Location<'static>) -> Result<Report, Failure>
where
    F: Future<Output = ()> + 'static,
    B: Fn() -> F + Send + Sync + 'static,
{
    let runs = builder.schedules.clamp(1, RUNS);
    let first = builder.seed.unwrap_or(0);
    let began = Watch::start();
    for run in 0..runs {
        // The first in the order that the program has, unless it is asked for another.
        let seed = (run > 0 || builder.seed.is_some()).then(|| first.wrapping_add(run));
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| once(seed, body()))) {
            let again = seed.map(|seed| format!("run again with WEFTWORK_SEED={seed}"));
            let message = outcome::text(&*payload);
            return Err(Failure { message, execution: run + 1, steps: String::new(), again });
        }
    }
    Ok(Report { executions: runs, tasks: 0, complete: false, took: began.elapsed() })
}

fn once(seed: Option<u64>, body: impl Future<Output = ()>) {
    let clock = Clock::Manual(Shared::new(ManualTime::jumping()));
    let runtime = runtime::Builder::new_current_thread().for_model(clock, seed);
    let ended = runtime.run(async {
        let mut body = pin!(body);
        poll_fn(|cx| {
            if body.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            assert!(!nothing_can_run(cx), "nothing can run any more, and the body has not ended");
            Poll::Pending
        })
        .await;
    });
    if let Err(error) = ended {
        panic!("the body did not end: {error}");
    }
}

/// Whether nothing would ever happen any more; otherwise the task is woken when it is so.
fn nothing_can_run(cx: &core::task::Context<'_>) -> bool {
    let stuck = crate::context::with_current(|core| core.jumps.as_ref().is_some_and(|jumps| jumps.mourns(cx.waker())));
    stuck == Some(true)
}
