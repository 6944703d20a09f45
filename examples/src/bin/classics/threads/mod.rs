//! Code that blocks: where it does harm, and where it belongs.

mod blocking_sleep;
mod bypass_block;
mod executor;
mod executor_order;
mod spinner_thread;

use crate::classic::{Classic, classic};

pub const CLASSICS: &[Classic] = &[
    classic!(blocking_sleep, "a sleep that blocks, and one that waits", Real, Exact),
    classic!(bypass_block, "a blocking call on a thread of its own, while others run", Real, Exact),
    classic!(executor, "a pool of one's own, awaited and waited for", Real, Exact),
    classic!(executor_order, "ten calls for one thread", Real, Exact),
    classic!(spinner_thread, "the spinner by a thread", Real, Exact, |_stage| {
        spinner_thread::main();
        Ok(())
    }),
];
