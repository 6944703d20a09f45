//! Cancellation, timeouts, cleaning up.

mod cancel_in_gather;
mod cancel_one_child;
mod cm_timeout;
mod reschedule;
mod resource;
mod shielded;
mod spinner;
mod task_cancel;

use crate::classic::{Classic, classic};

pub const CLASSICS: &[Classic] = &[
    classic!(task_cancel, "a task is cancelled: three ways to take it"),
    classic!(cancel_in_gather, "one of several gathered is cancelled"),
    classic!(cancel_one_child, "one child of a group is cancelled, the others go on"),
    classic!(cm_timeout, "so much time and no more"),
    classic!(reschedule, "a deadline that moves"),
    classic!(shielded, "what a cancellation has to wait for, and what it leaves alone"),
    classic!(resource, "opened, used and closed, whatever happens in between"),
    classic!(spinner, "a spinner by a task, cancelled when the answer is there"),
];
