//! What little work costs: a runtime at rest, and one that is woken a thousand times a second.

use super::time::processor_time;
use crate::rows::peer::Timed;
use std::time::{Duration, Instant};

/// What the process has used up.
struct Used {
    processor: Duration,
    switches: u64,
}

impl Used {
    /// What was used up while `span` lasted. Looking at the threads is not part of it.
    async fn during(span: impl Future<Output = ()> + Send) -> Self {
        let switches_before = switches();
        let processor_before = processor_time();
        span.await;
        let processor = processor_time() - processor_before;
        Self { processor, switches: switches().saturating_sub(switches_before) }
    }
}

/// How often threads of this process have left a processor, of their own will or not.
fn switches() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("proc is mounted");
    let of = |thread: std::fs::DirEntry| {
        // A thread that has ended since is counted no more, then as before.
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let fields = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        fields.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum::<u64>()
    };
    threads.flatten().map(of).sum()
}

/// 1 000 tasks asleep, and nothing to do for a second; the task that looks has been awake at its beginning.
async fn at_rest<P: Timed>() -> Used {
    let sleepers: Vec<_> = (0..1_000).map(|_| P::spawn(P::sleep(Duration::from_secs(3_600)))).collect();
    P::sleep(Duration::from_millis(300)).await;
    let used = Used::during(P::sleep(Duration::from_secs(1))).await;
    for sleeper in sleepers {
        P::detach(sleeper);
    }
    used
}

/// Microseconds of processor in a second of rest.
pub(crate) async fn idle_cpu<P: Timed>() -> f64 {
    at_rest::<P>().await.processor.as_secs_f64() * 1e6
}

/// Context switches in a second of rest.
pub(crate) async fn idle_switches<P: Timed>() -> f64 {
    count(at_rest::<P>().await.switches)
}

/// A task that wakes up at every full millisecond, a thousand times.
async fn woken<P: Timed>() -> Used {
    P::sleep(Duration::from_millis(50)).await;
    Used::during(async {
        let start = Instant::now();
        for n in 1..=1_000 {
            let next = start + Duration::from_millis(n);
            P::sleep(next.saturating_duration_since(Instant::now())).await;
        }
    })
    .await
}

/// Microseconds of processor for each of 1 000 wake-ups in a second.
pub(crate) async fn wake_1000_cpu<P: Timed>() -> f64 {
    woken::<P>().await.processor.as_secs_f64() * 1e3
}

/// Context switches for each of 1 000 wake-ups in a second.
pub(crate) async fn wake_1000_switches<P: Timed>() -> f64 {
    count(woken::<P>().await.switches) / 1_000.0
}

fn count(of: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let count = of as f64;
    count
}
