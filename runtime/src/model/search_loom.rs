//! Every order within a bound, by loom.
#![allow(clippy::disallowed_types, reason = "it stands outside of the model")]

use super::watch::Watch;
use super::{Builder, Failure, Report, outcome};
use crate::scheduler::coarse::record::Record;
use crate::scheduler::coarse::run::{self, Threads};
use core::future::Future;
use core::panic::{AssertUnwindSafe, Location};
use std::panic::{catch_unwind, resume_unwind};
use std::sync::Arc;
use weftwork_sync::primitive::__loom::model;
use weftwork_sync::primitive::thread;

/// How many executions go by between two looks at the clock.
const LOOKS: usize = 256;
/// The threads that loom has, but for the one that begins an execution: its stack is small, so it only waits for a worker.
const THREADS: usize = 4;

pub(super) fn search<F, B>(builder: Builder, body: B, at: &'static Location<'static>) -> Result<Report, Failure>
where
    F: Future<Output = ()> + 'static,
    B: Fn() -> F + Send + Sync + 'static,
{
    let Builder { preemptions, max_branches, max_duration, workers, blocking_threads, .. } = builder;
    let threads = Threads { workers, blocking: blocking_threads.min(THREADS - workers) };
    let mut search = model::Builder::new();
    search.preemption_bound = preemptions;
    search.max_branches = max_branches;
    search.max_duration = max_duration;
    search.checkpoint_interval = LOOKS;
    let record = Record::default();
    let theirs = record.clone();
    let body = Arc::new(body);
    let began = Watch::start();
    let searched = catch_unwind(AssertUnwindSafe(|| {
        search.check(move || {
            let (record, body) = (theirs.clone(), body.clone());
            let worker = thread::spawn_deep("model-0".into(), move || run::run(threads, &record, body(), at));
            match worker.map(thread::JoinHandle::join) {
                Ok(Ok(())) => {}
                Ok(Err(payload)) => resume_unwind(payload),
                Err(error) => panic!("a model's thread always starts: {error}"),
            }
        });
    }));
    let (executions, took) = (record.executions(), began.elapsed());
    match searched {
        Ok(()) => {
            let cut = max_duration.is_some_and(|most| took >= most && (executions + 1).is_multiple_of(LOOKS as u64));
            Ok(Report { executions, tasks: record.most_tasks(), complete: !cut, took })
        }
        Err(payload) => Err(Failure {
            message: outcome::text(&*payload),
            execution: executions,
            steps: record.to_string(),
            again: Some("the search is the same each time: run the test again, alone, to get there again".into()),
        }),
    }
}
