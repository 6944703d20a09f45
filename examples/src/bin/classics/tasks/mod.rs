//! Spawning, and when a task runs.

mod already_done;
mod detached;
mod no_switch;
mod one_thread_state;
mod one_three_two_four;
mod ping_pong;
mod set_after;
mod shared_future;
mod spawn_order;
mod task_states;
mod two_tasks;
mod wait_for_two;
mod when_done;
mod with_returns;

use crate::classic::{Classic, classic};

pub const CLASSICS: &[Classic] = &[
    classic!(two_tasks, "two tasks side by side: the times do not add up"),
    classic!(spawn_order, "who spawns goes on first"),
    classic!(with_returns, "the values of tasks, by their handles"),
    classic!(task_states, "asking a task whether it is done, and for its result"),
    classic!(wait_for_two, "two tasks, and a wait for both"),
    classic!(one_three_two_four, "two tasks that take turns"),
    classic!(no_switch, "tasks that never wait are never interrupted"),
    classic!(ping_pong, "tasks that give way at each step"),
    classic!(already_done, "awaiting what is done gives way to nobody"),
    classic!(set_after, "a value that another task sets later"),
    classic!(shared_future, "one future that several await"),
    classic!(when_done, "something to be done when a task has ended"),
    classic!(detached, "a task whose handle is gone runs on"),
    classic!(one_thread_state, "tasks of one thread share state without locks", Real, Exact, |_stage| {
        one_thread_state::main()
    }),
];
