//! Timers.

use super::per_operation;
use crate::rows::peer::Timed;
use std::future::ready;
use std::time::{Duration, Instant};

/// A timeout of 30 s around what is ready, 200 000 times.
pub(crate) async fn timeout_ready<P: Timed>() -> f64 {
    let start = Instant::now();
    for n in 0..200_000_u32 {
        assert_eq!(P::timeout(Duration::from_secs(30), ready(n)).await, Some(n));
    }
    per_operation(start, 200_000)
}

/// 4 tasks, each 20 000 timeouts of 5 to 55 s around one yield.
pub(crate) async fn timeout_pending<P: Timed>() -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            P::spawn(async {
                for i in 0..20_000 {
                    assert!(P::timeout(Duration::from_secs(5 + i % 50), P::yield_now()).await.is_some());
                }
            })
        })
        .collect();
    for task in tasks {
        P::join(task).await;
    }
    per_operation(start, 80_000)
}

/// 200 000 tasks that sleep 0.2 to 1.2 s: the processor's time for each, its spawn included.
pub(crate) async fn timers_fire<P: Timed>() -> f64 {
    const TASKS: u64 = 200_000;
    let start = processor_time();
    let tasks: Vec<_> = (0..TASKS)
        .map(|n| {
            // A multiplicative hash spreads them without a generator of random numbers.
            let spread = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            P::spawn(P::sleep(Duration::from_micros(200_000 + spread % 1_000_000)))
        })
        .collect();
    for task in tasks {
        P::join(task).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of processor time in nanoseconds are below 2^52")]
    let spent = (processor_time() - start).as_nanos() as f64;
    #[expect(clippy::cast_precision_loss, reason = "the constant is small")]
    let tasks = TASKS as f64;
    spent / tasks
}

/// How late a sleep of 1 to 3 ms ends when nothing else runs: the median in microseconds.
pub(crate) async fn sleep_late<P: Timed>() -> f64 {
    let mut late = Vec::with_capacity(200);
    for n in 0..200_u64 {
        let wanted = Duration::from_micros(1_000 + n * 10);
        let start = Instant::now();
        P::sleep(wanted).await;
        late.push(start.elapsed().saturating_sub(wanted));
    }
    late.sort();
    late[100].as_secs_f64() * 1e6
}

/// What the process has used of all processors.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a clock of processor time counts up from zero")
}
