//! Calls on other threads.

use super::per_operation;
use crate::rows::peer::Offload;
use std::time::Instant;

/// One empty closure at a time, 5 000 times.
pub(crate) async fn to_thread_one<P: Offload>() -> f64 {
    P::to_thread(|| ()).await;
    let start = Instant::now();
    for _ in 0..5_000 {
        P::to_thread(|| ()).await;
    }
    per_operation(start, 5_000)
}

/// 20 000 tasks with one empty closure each.
pub(crate) async fn to_thread_many<P: Offload>() -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..20_000).map(|_| P::spawn(P::to_thread(|| ()))).collect();
    for task in tasks {
        P::join(task).await;
    }
    per_operation(start, 20_000)
}
