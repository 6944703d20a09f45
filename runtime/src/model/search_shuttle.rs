//! Drawn orders, by shuttle.
#![allow(clippy::disallowed_types, reason = "it stands outside of the model")]

use super::watch::Watch;
use super::{Builder, Failure, Report, outcome};
use crate::scheduler::coarse::record::Record;
use crate::scheduler::coarse::run::{self, Threads};
use core::future::Future;
use core::panic::{AssertUnwindSafe, Location};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::catch_unwind;
use std::sync::Arc;
use weftwork_sync::primitive::__shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use weftwork_sync::primitive::__shuttle::{Config, FailurePersistence, Runner};

/// Bytes of a thread's stack: futures of debug builds are deep.
const STACK: usize = 1 << 20;
/// How often priorities change in one schedule of PCT.
const DEPTH: usize = 3;

pub(super) fn search<F, B>(builder: Builder, body: B, at: &'static Location<'static>) -> Result<Report, Failure>
where
    F: Future<Output = ()> + 'static,
    B: Fn() -> F + Send + Sync + 'static,
{
    let Builder { max_duration, schedules, seed, workers, blocking_threads, .. } = builder;
    let threads = Threads { workers, blocking: blocking_threads };
    let record = Record::default();
    let theirs = record.clone();
    let body = Arc::new(move || run::run(threads, &theirs, body(), at));
    let began = Watch::start();
    let half = usize::try_from(schedules / 2).unwrap_or(usize::MAX);
    let seed = seed.unwrap_or_else(chance);
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        let mut config = Config::new();
        config.stack_size = STACK;
        config.silence_warnings = true;
        config.max_time = max_duration;
        config.failure_persistence = FailurePersistence::Print;
        let body = body.clone();
        Runner::new(scheduler, config).run(move || body());
    };
    let searched = catch_unwind(AssertUnwindSafe(|| match std::env::var("WEFTWORK_MODEL_SCHEDULE") {
        Ok(schedule) => run(Box::new(ReplayScheduler::new_from_encoded(&schedule))),
        Err(_) => {
            run(Box::new(RandomScheduler::new_from_seed(seed, half.max(1))));
            run(Box::new(PctScheduler::new_from_seed(seed, DEPTH, half.max(1))));
        }
    }));
    let (executions, took) = (record.executions(), began.elapsed());
    match searched {
        Ok(()) => Ok(Report { executions, tasks: record.most_tasks(), complete: false, took }),
        Err(payload) => Err(Failure {
            message: outcome::text(&*payload),
            execution: executions,
            steps: record.to_string(),
            again: Some(format!(
                "with WEFTWORK_SEED={seed} the same schedules are drawn again; with the schedule that is printed above as \
                 WEFTWORK_MODEL_SCHEDULE, this one alone"
            )),
        }),
    }
}

/// A seed that nobody chose.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}
