//! What tokio measures of its channels, permits and notifications (its benches sync_mpsc, sync_mpsc_oneshot, sync_semaphore,
//! sync_notify) and of threads for what blocks, timers and signals, written anew.

use super::messages::many_to_one;
use super::per_operation;
use crate::rows::peer::{Notifies, Offload, Oneshot, Peer, Permits, Signals, Timed};
use futures::future::join_all;
use futures::poll;
use rustix::process::{Signal, getpid, kill_process};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A channel of 100, made and dropped, 20 000 times.
pub(crate) async fn mpsc_create<P: Peer>() -> f64 {
    let start = Instant::now();
    for _ in 0..20_000 {
        drop(std::hint::black_box(P::channel(100)));
    }
    per_operation(start, 20_000)
}

/// 5 senders of 1 000 each; the channel is never full.
pub(crate) async fn mpsc_bounded<P: Peer>() -> f64 {
    many_to_one::<P>(5, 1_000, 1_000_000).await
}

/// 5 senders of 1 000 each; the channel of 100 is full most of the time.
pub(crate) async fn mpsc_bounded_full<P: Peer>() -> f64 {
    many_to_one::<P>(5, 1_000, 100).await
}

/// 5 000 sent, then received, by the same task.
pub(crate) async fn mpsc_uncontended<P: Peer>() -> f64 {
    let (to, mut from) = P::channel(5_000);
    let start = Instant::now();
    for n in 0..5_000 {
        P::send(&to, n).await;
    }
    for n in 0..5_000 {
        assert_eq!(P::receive(&mut from).await, Some(n));
    }
    per_operation(start, 5_000)
}

/// 1 000 questions over a channel of 10, each answered over a oneshot.
pub(crate) async fn mpsc_oneshot<P: Oneshot>() -> f64 {
    let (asker, mut asked) = P::questions(10);
    let answers = P::spawn(async move {
        while let Some(question) = P::asked(&mut asked).await {
            P::give(question, 1);
        }
    });
    let start = Instant::now();
    for _ in 0..1_000 {
        let (giver, taker) = P::oneshot();
        P::ask(&asker, giver).await;
        P::take(taker).await;
    }
    let ns = per_operation(start, 1_000);
    drop(asker);
    P::join(answers).await;
    ns
}

/// 6 tasks that each take a permit 2 000 times and yield while they hold it.
async fn semaphore<P: Permits>(permits: usize) -> f64 {
    let semaphore = Arc::new(P::semaphore(permits));
    let start = Instant::now();
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let semaphore = Arc::clone(&semaphore);
            P::spawn(async move {
                for _ in 0..2_000 {
                    P::with_permit(&semaphore, P::yield_now()).await;
                }
            })
        })
        .collect();
    for task in tasks {
        P::join(task).await;
    }
    per_operation(start, 12_000)
}

/// There is a permit for each.
pub(crate) async fn semaphore_free<P: Permits>() -> f64 {
    semaphore::<P>(10).await
}

/// There is one too few.
pub(crate) async fn semaphore_contended<P: Permits>() -> f64 {
    semaphore::<P>(5).await
}

/// 100 waiting tasks are notified until they have been woken 20 000 times; per wake-up.
async fn notify<P: Notifies>(notify: fn(&P::Notify)) -> f64 {
    const WAKE_UPS: u64 = 20_000;
    let on = Arc::new(P::notify());
    let woken = Arc::new(AtomicU64::new(0));
    let waiters: Vec<_> = (0..100)
        .map(|_| {
            let (on, woken) = (Arc::clone(&on), Arc::clone(&woken));
            P::spawn(async move {
                loop {
                    P::notified(&on).await;
                    woken.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let start = Instant::now();
    while woken.load(Ordering::Relaxed) < WAKE_UPS {
        notify(&on);
        P::yield_now().await;
    }
    let ns = per_operation(start, WAKE_UPS);
    for waiter in waiters {
        P::cancel(waiter).await;
    }
    ns
}

/// One at a time.
pub(crate) async fn notify_one<P: Notifies>() -> f64 {
    notify::<P>(P::notify_one).await
}

/// All at once.
pub(crate) async fn notify_waiters<P: Notifies>() -> f64 {
    notify::<P>(P::notify_waiters).await
}

/// So many tasks that each have 16 empty closures run on threads, 100 times.
async fn blocking<P: Offload>(tasks: u64) -> f64 {
    let start = Instant::now();
    let handles: Vec<_> = (0..tasks)
        .map(|_| {
            P::spawn(async {
                for _ in 0..100 {
                    join_all((0..16).map(|_| P::to_thread(|| ()))).await;
                }
            })
        })
        .collect();
    for handle in handles {
        P::join(handle).await;
    }
    per_operation(start, tasks * 1_600)
}

/// One task.
pub(crate) async fn blocking_1<P: Offload>() -> f64 {
    blocking::<P>(1).await
}

/// Eight.
pub(crate) async fn blocking_8<P: Offload>() -> f64 {
    blocking::<P>(8).await
}

/// A sleep of a second that is begun and dropped, 50 000 times.
pub(crate) async fn sleep_dropped<P: Timed>() -> f64 {
    let start = Instant::now();
    for _ in 0..50_000 {
        assert!(poll!(pin!(P::sleep(Duration::from_secs(1)))).is_pending(), "a second is long");
    }
    per_operation(start, 50_000)
}

/// A signal that 10 tasks wait for, 500 times; per signal.
pub(crate) async fn signal<P: Signals>() -> f64 {
    const TIMES: u64 = 500;
    let (done, mut is_done) = P::channel(10);
    for _ in 0..10 {
        let (mut signal, done) = (P::signal(), done.clone());
        P::detach(P::spawn(async move {
            for n in 0..TIMES {
                P::signalled(&mut signal).await;
                P::send(&done, n).await;
            }
        }));
    }
    let start = Instant::now();
    for n in 0..TIMES {
        kill_process(getpid(), Signal::USR1).expect("a process may send to itself");
        for _ in 0..10 {
            assert_eq!(P::receive(&mut is_done).await, Some(n));
        }
    }
    per_operation(start, TIMES)
}
