//! Scenarios of weftwork under drawn schedules, by shuttle: `cargo xtask shuttle`.
//!
//! Loom visits every order of a few operations; here whole programs run, with many tasks, each time in another order. Half of the schedules
//! are drawn at random, half by priorities that change three times (PCT). What is watched is what a scenario asserts, that nobody waits
//! for ever, and that nothing goes on without end.
//!
//! | file | holds |
//! |---|---|
//! | `search.rs` | drawing schedules, and the line that each scenario prints |
//! | `list.rs` | the scenarios by name |
//! | `impatience.rs` | a future that is given up after some polls |
//! | `locks.rs`, `channels.rs` | the primitives of weftwork-sync, on threads |
//! | `scheduler.rs` | S1, S8: workers that ship, with queues, stealing and sleep; their end at any moment |
//! | `pool.rs` | S4: the blocking pool |
//! | `tasks.rs` | S3, S5, S6, S9: tasks, groups, scopes, timers and panics, on the scheduler of models |

#[cfg(weftwork_shuttle)]
mod channels;
#[cfg(weftwork_shuttle)]
mod impatience;
#[cfg(weftwork_shuttle)]
mod list;
#[cfg(weftwork_shuttle)]
mod locks;
#[cfg(weftwork_shuttle)]
mod pool;
#[cfg(weftwork_shuttle)]
mod scheduler;
#[cfg(weftwork_shuttle)]
mod search;
#[cfg(not(weftwork_shuttle))]
#[path = "elsewhere.rs"]
mod search;
#[cfg(weftwork_shuttle)]
mod tasks;

fn main() -> std::process::ExitCode {
    search::run()
}
