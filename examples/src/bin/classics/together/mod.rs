//! Several at once: gather, groups, wait, semaphores.

mod download_ten;
mod first_completed;
mod first_exception;
mod gather;
mod gather_error;
mod gather_outcomes;
mod gather_two;
mod group_error;
mod semaphore_batches;
mod task_group;
mod three_stages;

use crate::classic::{Classic, classic};

pub const CLASSICS: &[Classic] = &[
    classic!(gather, "three at once, their values in order"),
    classic!(gather_two, "three seconds and one second, at once"),
    classic!(download_ten, "ten pictures in the time of one"),
    classic!(gather_error, "the first error ends a gather, and stops the others"),
    classic!(gather_outcomes, "every outcome, errors and all"),
    classic!(task_group, "a block that ends when its tasks have"),
    classic!(group_error, "the first error of a group stops the rest, and none is lost"),
    classic!(first_completed, "waiting for the first, for a time, for all"),
    classic!(first_exception, "waiting for the first that fails"),
    classic!(semaphore_batches, "three at a time"),
    classic!(three_stages, "each step needs the one before: no callbacks"),
];
