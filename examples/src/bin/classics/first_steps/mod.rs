//! What `async` and `.await` do, before there is a second task.

mod add;
mod await_is_a_call;
mod basic_n;
mod hello;
mod in_turn;
mod kinds_of_awaitables;
mod lazy;
mod run_until_complete;
mod sequential;
mod sleep_value;
mod twice_in_turn;

use crate::classic::{Classic, classic};

pub const CLASSICS: &[Classic] = &[
    classic!(hello, "an async main, and the value of what it awaits"),
    classic!(add, "an async function beside a plain one"),
    classic!(lazy, "calling an async function runs nothing of it"),
    classic!(await_is_a_call, "awaiting runs in the same task; spawning makes another"),
    classic!(kinds_of_awaitables, "what can be awaited"),
    classic!(sequential, "one after the other: the times add up"),
    classic!(basic_n, "one, two and three at once, each with its times"),
    classic!(in_turn, "two that differ, awaited in turn"),
    classic!(sleep_value, "what a sleep gives"),
    classic!(twice_in_turn, "the same function awaited twice"),
    classic!(run_until_complete, "a runtime that is kept, and runs several futures", Real, Exact, |stage| {
        run_until_complete::main(stage.builder())
    }),
];
