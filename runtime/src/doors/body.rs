//! One execution of a body as users have them, for whoever draws the schedules.

use crate::scheduler::coarse::record::Record;
use crate::scheduler::coarse::run::{self, Threads};
use core::future::Future;
use core::panic::Location;

/// Runs a body on the scheduler of models, with so many workers and threads for closures that block.
#[track_caller]
pub fn run_body<F: Future<Output = ()> + 'static>(workers: usize, blocking: usize, body: F) {
    run::run(Threads { workers, blocking }, &Record::default(), body, Location::caller());
}
