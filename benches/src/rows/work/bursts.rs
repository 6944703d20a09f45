//! Many at once: bursts of wake-ups, fanning out and in, a storm of timeouts, and a task that blocks among others.

use super::per_operation;
use crate::rows::peer::{Groups, Oneshot, Peer, Timed};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn share(mut of: Vec<Duration>, share: f64) -> f64 {
    of.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into thousands"
    )]
    let at = ((of.len() - 1) as f64 * share) as usize;
    of[at].as_secs_f64() * 1e6
}

/// A task wakes 200 idle ones, 150 times: how long after its wake-up each runs, in microseconds.
async fn burst<P: Timed>(of: f64) -> f64 {
    const TASKS: usize = 200;
    let base = Instant::now();
    let since = move || u64::try_from(base.elapsed().as_nanos()).expect("a short run");
    let (done, mut is_done) = P::channel(TASKS);
    let (wakers, tasks): (Vec<_>, Vec<_>) = (0..TASKS)
        .map(|_| {
            let (wake, mut woken) = P::channel(1);
            let done = done.clone();
            let task = P::spawn(async move {
                let mut late = Vec::with_capacity(150);
                while let Some(then) = P::receive(&mut woken).await {
                    late.push(Duration::from_nanos(since() - then));
                    P::send(&done, 1).await;
                }
                late
            });
            (wake, task)
        })
        .unzip();
    for _ in 0..150 {
        // The runtime has nothing to do when the burst comes.
        P::sleep(Duration::from_millis(2)).await;
        for wake in &wakers {
            P::send(wake, since()).await;
        }
        for _ in 0..TASKS {
            P::receive(&mut is_done).await;
        }
    }
    drop(wakers);
    let mut all = Vec::new();
    for task in tasks {
        all.extend(P::join(task).await);
    }
    share(all, of)
}

pub(crate) async fn burst_p50<P: Timed>() -> f64 {
    burst::<P>(0.5).await
}

pub(crate) async fn burst_p999<P: Timed>() -> f64 {
    burst::<P>(0.999).await
}

/// A task gives one job to each of 64 others and collects their answers, 500 times; per job.
pub(crate) async fn fan_out<P: Peer>() -> f64 {
    const TASKS: usize = 64;
    const TIMES: u64 = 500;
    let (answer, mut answers) = P::channel(TASKS);
    let jobs: Vec<_> = (0..TASKS)
        .map(|_| {
            let (job, mut jobs) = P::channel(1);
            let answer = answer.clone();
            P::detach(P::spawn(async move {
                while let Some(n) = P::receive(&mut jobs).await {
                    P::send(&answer, n + 1).await;
                }
            }));
            job
        })
        .collect();
    let start = Instant::now();
    for n in 0..TIMES {
        for job in &jobs {
            P::send(job, n).await;
        }
        for _ in &jobs {
            assert_eq!(P::receive(&mut answers).await, Some(n + 1));
        }
    }
    per_operation(start, TIMES * 64)
}

/// 20 000 tasks wait under a timeout of 20 to 60 s, all at once; then what each waits for comes. Per task, its spawn, its
/// timer's arming and its cancelling included.
pub(crate) async fn timer_storm<P: Timed + Oneshot>() -> f64 {
    const TASKS: u64 = 20_000;
    let waiting = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut givers = Vec::with_capacity(20_000);
    let mut tasks = Vec::with_capacity(20_000);
    for n in 0..TASKS {
        let (giver, taker) = P::oneshot();
        let waiting = Arc::clone(&waiting);
        givers.push(giver);
        tasks.push(P::spawn(P::timeout(Duration::from_millis(20_000 + n * 2), async move {
            waiting.fetch_add(1, Ordering::Relaxed);
            P::take(taker).await
        })));
    }
    // Each timer is armed in the poll that counts its task.
    while waiting.load(Ordering::Relaxed) < TASKS {
        P::yield_now().await;
    }
    for giver in givers {
        P::give(giver, 1);
    }
    for task in tasks {
        assert_eq!(P::join(task).await, Some(1));
    }
    per_operation(start, TASKS)
}

/// 100 tasks that sleep for 5 ms while another blocks its worker for 50 of every 70 ms: the 99th percentile of their
/// lateness in microseconds.
pub(crate) async fn poison_p99<P: Timed>() -> f64 {
    const NAP: Duration = Duration::from_millis(5);
    let poison = P::spawn(async {
        loop {
            std::thread::sleep(Duration::from_millis(50));
            P::sleep(Duration::from_millis(20)).await;
        }
    });
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            P::spawn(async {
                let mut late = Vec::with_capacity(100);
                for _ in 0..100 {
                    let start = Instant::now();
                    P::sleep(NAP).await;
                    late.push(start.elapsed().saturating_sub(NAP));
                }
                late
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(P::join(task).await);
    }
    P::cancel(poison).await;
    share(all, 0.99)
}

/// 200 times a hundred tasks that yield once, each joined by its handle: what a group has to be measured by.
pub(crate) async fn bare_100<P: Peer>() -> f64 {
    let start = Instant::now();
    for _ in 0..200 {
        let tasks: Vec<_> = (0..100)
            .map(|n| {
                P::spawn(async move {
                    P::yield_now().await;
                    n
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += P::join(task).await;
        }
        assert_eq!(sum, 4950);
    }
    per_operation(start, 20_000)
}

/// The same in a group each: weftwork's own, tokio's `JoinSet`.
pub(crate) async fn group_100<P: Groups>() -> f64 {
    let start = Instant::now();
    for _ in 0..200 {
        assert_eq!(P::group_of_100().await, 4950);
    }
    per_operation(start, 20_000)
}
