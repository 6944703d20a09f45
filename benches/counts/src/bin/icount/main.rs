//! What `cargo xtask icount` runs under callgrind: each operation many times, on one worker that this thread is.
//!
//! There is no watchdog and no peer, the clock stands still, the blocking pool's one thread is kept busy and memory costs
//! the same each time, so two runs take the same instructions. An operation is a function of `operations.rs` that is never inlined; callgrind says how many
//! instructions were spent in it and in what it called, between the beginning and the end of [`counted_rounds`]. The loop
//! inside of it is counted with it, a handful of instructions.
//!
//! Afterwards one line for each operation goes to stdout: its name and how often it was done while it was counted.

mod allocator;
mod operations;
mod rig;

use operations::{BATCH, OPERATIONS};
use rig::Rig;

#[global_allocator]
static ALLOCATOR: allocator::Lists = allocator::Lists::new();

/// Rounds until caches are filled, queues have their size and every path was taken once.
const WARM_UP: usize = 40;
/// Rounds that are counted: enough for what happens every 64 steps to weigh the same in each run.
const ROUNDS: usize = 200;

fn main() {
    rig::run(|rig| {
        for _ in 0..WARM_UP {
            operations::round(rig);
        }
        counted_rounds(rig);
    });
    for (name, each) in OPERATIONS {
        println!("operation {name} {}", each * BATCH * ROUNDS);
    }
}

/// callgrind collects while this runs (`--toggle-collect`).
#[inline(never)]
fn counted_rounds(rig: &Rig<'_>) {
    for _ in 0..ROUNDS {
        operations::round(rig);
    }
}
