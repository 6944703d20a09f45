//! Spawning, yielding and cancelling.

use super::per_operation;
use crate::rows::peer::Peer;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Spawns 10 000 empty tasks into a `Vec` and awaits them in order.
pub(crate) async fn spawn_join<P: Peer>() -> f64 {
    let start = Instant::now();
    let mut tasks = Vec::with_capacity(10_000);
    for _ in 0..10_000 {
        tasks.push(P::spawn(async {}));
    }
    for task in tasks {
        P::join(task).await;
    }
    per_operation(start, 10_000)
}

/// Spawns one empty task and awaits it, 20 000 times.
pub(crate) async fn spawn_join_one<P: Peer>() -> f64 {
    let start = Instant::now();
    for _ in 0..20_000 {
        P::join(P::spawn(async {})).await;
    }
    per_operation(start, 20_000)
}

/// Spawns 10 000 that count down; the last one signals.
pub(crate) async fn spawn_detached<P: Peer>() -> f64 {
    let left = Arc::new(AtomicU64::new(10_000));
    let (done, mut all_done) = P::channel(1);
    let start = Instant::now();
    for _ in 0..10_000 {
        let (left, done) = (Arc::clone(&left), done.clone());
        P::detach(P::spawn(async move {
            if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                P::send(&done, 1).await;
            }
        }));
    }
    P::receive(&mut all_done).await;
    per_operation(start, 10_000)
}

/// 200 tasks that yield 1 000 times each.
pub(crate) async fn yields<P: Peer>() -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            P::spawn(async {
                for _ in 0..1_000 {
                    P::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        P::join(task).await;
    }
    per_operation(start, 200_000)
}

/// Each of 10 000 tasks spawns the next and ends.
pub(crate) async fn chain<P: Peer>() -> f64 {
    fn link<P: Peer>(left: u64, done: P::Sender) -> Boxed<()> {
        Box::pin(async move {
            if left == 0 {
                P::send(&done, 1).await;
            } else {
                P::detach(P::spawn(link::<P>(left - 1, done)));
            }
        })
    }
    let (done, mut all_done) = P::channel(1);
    let start = Instant::now();
    P::detach(P::spawn(link::<P>(10_000, done)));
    P::receive(&mut all_done).await;
    per_operation(start, 10_000)
}

/// Each task spawns two and awaits both, in the shape of fib(20).
pub(crate) async fn tree<P: Peer>() -> f64 {
    fn node<P: Peer>(n: u64) -> Boxed<u64> {
        Box::pin(async move {
            if n < 2 {
                return n;
            }
            let (left, right) = (P::spawn(node::<P>(n - 1)), P::spawn(node::<P>(n - 2)));
            P::join(left).await + P::join(right).await
        })
    }
    let start = Instant::now();
    assert_eq!(P::join(P::spawn(node::<P>(20))).await, 6_765);
    // fib(20) makes 2 x fib(21) - 1 calls.
    per_operation(start, 21_891)
}

/// A million leaves under nodes of ten, summed.
pub(crate) async fn skynet<P: Peer>() -> f64 {
    fn node<P: Peer>(number: u64, size: u64) -> Boxed<u64> {
        Box::pin(async move {
            if size == 1 {
                return number;
            }
            let part = size / 10;
            let mut children = Vec::with_capacity(10);
            for child in 0..10 {
                children.push(P::spawn(node::<P>(number + child * part, part)));
            }
            let mut sum = 0;
            for child in children {
                sum += P::join(child).await;
            }
            sum
        })
    }
    let start = Instant::now();
    assert_eq!(P::join(P::spawn(node::<P>(0, 1_000_000))).await, 499_999_500_000);
    per_operation(start, 1_111_111)
}

/// Spawns a task that waits for ever, cancels it and waits until it is gone, 20 000 times.
pub(crate) async fn cancel<P: Peer>() -> f64 {
    let start = Instant::now();
    for _ in 0..20_000 {
        P::cancel(P::spawn(pending::<()>())).await;
    }
    per_operation(start, 20_000)
}

/// A task wakes two that compute for a millisecond each; microseconds until both are done.
pub(crate) async fn two_busy<P: Peer>() -> f64 {
    const ROUNDS: u64 = 200;
    let (done, mut both_done) = P::channel(2);
    let starts: Vec<_> = (0..2)
        .map(|_| {
            let (go, mut gone) = P::channel(1);
            let done = done.clone();
            P::detach(P::spawn(async move {
                while P::receive(&mut gone).await.is_some() {
                    let start = Instant::now();
                    while start.elapsed().as_micros() < 1_000 {
                        std::hint::spin_loop();
                    }
                    P::send(&done, 1).await;
                }
            }));
            go
        })
        .collect();
    let start = Instant::now();
    for round in 0..ROUNDS {
        for go in &starts {
            P::send(go, round).await;
        }
        P::receive(&mut both_done).await;
        P::receive(&mut both_done).await;
    }
    per_operation(start, ROUNDS) / 1_000.0
}
