//! The measured work: every function gives the figure of one round. Most run inside a task; those of `outside` run on the
//! thread that blocks on the runtime.

pub(crate) mod bursts;
pub(crate) mod http;
pub(crate) mod memory;
pub(crate) mod messages;
pub(crate) mod offload;
pub(crate) mod outside;
pub(crate) mod primitives;
pub(crate) mod quiet;
pub(crate) mod sockets;
pub(crate) mod spawning;
pub(crate) mod synchronising;
pub(crate) mod time;

use std::time::Instant;

/// Nanoseconds per operation since `start`.
pub(crate) fn per_operation(start: Instant, operations: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
    let operations = operations as f64;
    start.elapsed().as_secs_f64() * 1e9 / operations
}
