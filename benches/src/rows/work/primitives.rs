//! Primitives of any library on any runtime: what a contended lock, a channel or a broadcast costs an operation.

use super::per_operation;
use crate::rows::libraries::{Batches, Bounded, Broadcast, Once, Permits, ReadWrite, Unbounded, Watch};
use crate::rows::peer::Peer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

async fn joined<P: Peer>(tasks: Vec<P::Task<()>>) {
    for task in tasks {
        P::join(task).await;
    }
}

/// 16 tasks that take the lock 2 000 times each: one time in 16 to write, else to read.
pub(crate) async fn rwlock<P: Peer, L: ReadWrite>() -> f64 {
    let lock = Arc::new(L::lock());
    let start = Instant::now();
    let tasks = (0..16_u64).map(|task| {
        let lock = Arc::clone(&lock);
        P::spawn(async move {
            for n in 0..2_000 {
                if (n + task) % 16 == 0 {
                    L::add_one(&lock).await;
                } else {
                    std::hint::black_box(L::read(&lock).await);
                }
            }
        })
    });
    joined::<P>(tasks.collect()).await;
    let ns = per_operation(start, 32_000);
    assert_eq!(L::read(&lock).await, 2_000);
    ns
}

/// One task that reads 50 000 times under a lock that nobody else has.
pub(crate) async fn rwlock_free<P: Peer, L: ReadWrite>() -> f64 {
    let lock = L::lock();
    let start = Instant::now();
    for _ in 0..50_000 {
        std::hint::black_box(L::read(&lock).await);
    }
    per_operation(start, 50_000)
}

/// 16 tasks that take one of 4 permits 2 000 times each.
pub(crate) async fn semaphore<P: Peer, L: Permits>() -> f64 {
    let permits = Arc::new(L::semaphore(4));
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks = (0..16).map(|_| {
        let (permits, done) = (Arc::clone(&permits), Arc::clone(&done));
        P::spawn(async move {
            for _ in 0..2_000 {
                L::with_permit(&permits, || {
                    done.fetch_add(1, Ordering::Relaxed);
                })
                .await;
            }
        })
    });
    joined::<P>(tasks.collect()).await;
    let ns = per_operation(start, 32_000);
    assert_eq!(done.load(Ordering::Relaxed), 32_000);
    ns
}

/// 10 000 values, each given in a task and taken in another.
pub(crate) async fn oneshot<P: Peer, L: Once>() -> f64 {
    const VALUES: u64 = 10_000;
    let start = Instant::now();
    let tasks: Vec<_> = (0..VALUES)
        .map(|n| {
            let (giver, taker) = L::once();
            (P::spawn(L::take(taker)), P::spawn(async move { L::give(giver, n) }))
        })
        .collect();
    let mut sum = 0;
    for (taken, given) in tasks {
        sum += P::join(taken).await;
        P::join(given).await;
    }
    assert_eq!(sum, VALUES * (VALUES - 1) / 2);
    per_operation(start, VALUES)
}

async fn bounded<P: Peer, L: Bounded>(senders: u64, each: u64) -> f64 {
    let (to, mut from) = L::bounded(256);
    let start = Instant::now();
    for _ in 0..senders {
        let to = to.clone();
        P::detach(P::spawn(async move {
            for n in 0..each {
                L::send(&to, n).await;
            }
        }));
    }
    drop(to);
    let mut sum = 0;
    while let Some(n) = L::receive(&mut from).await {
        sum += n;
    }
    assert_eq!(sum, senders * (each * (each - 1) / 2));
    per_operation(start, senders * each)
}

/// One sender, one receiver, capacity 256, 200 000 numbers.
pub(crate) async fn bounded_1_1<P: Peer, L: Bounded>() -> f64 {
    bounded::<P, L>(1, 200_000).await
}

/// Four senders of 50 000 each, one receiver, capacity 256.
pub(crate) async fn bounded_4_1<P: Peer, L: Bounded>() -> f64 {
    bounded::<P, L>(4, 50_000).await
}

/// Four senders of 50 000 each and one that receives up to 64 at once, capacity 256.
pub(crate) async fn recv_many<P: Peer, L: Batches>() -> f64 {
    let (to, mut from) = L::bounded(256);
    let start = Instant::now();
    for _ in 0..4 {
        let to = to.clone();
        P::detach(P::spawn(async move {
            for n in 0..50_000 {
                L::send(&to, n).await;
            }
        }));
    }
    drop(to);
    let (mut sum, mut batch) = (0, Vec::with_capacity(64));
    while L::receive_many(&mut from, &mut batch, 64).await != 0 {
        sum += batch.drain(..).sum::<u64>();
    }
    assert_eq!(sum, 4 * (50_000 * 49_999 / 2));
    per_operation(start, 200_000)
}

async fn unbounded<P: Peer, L: Unbounded>(senders: u64, each: u64) -> f64 {
    let (to, mut from) = L::unbounded();
    let start = Instant::now();
    for _ in 0..senders {
        let to = to.clone();
        P::detach(P::spawn(async move {
            for n in 0..each {
                L::post(&to, n);
                if n % 128 == 127 {
                    P::yield_now().await;
                }
            }
        }));
    }
    drop(to);
    let mut sum = 0;
    while let Some(n) = L::collect(&mut from).await {
        sum += n;
    }
    assert_eq!(sum, senders * (each * (each - 1) / 2));
    per_operation(start, senders * each)
}

/// One sender that yields after 128 values, one receiver, 200 000 numbers.
pub(crate) async fn unbounded_1_1<P: Peer, L: Unbounded>() -> f64 {
    unbounded::<P, L>(1, 200_000).await
}

/// Four such senders of 50 000 each.
pub(crate) async fn unbounded_4_1<P: Peer, L: Unbounded>() -> f64 {
    unbounded::<P, L>(4, 50_000).await
}

/// To so many receivers, per value and receiver. The sender waits for the slowest before there are more than 512 on the way.
async fn broadcast<P: Peer, L: Broadcast>(receivers: u64, values: u64) -> f64 {
    let to = L::broadcast(1_024);
    let tasks = (0..receivers).map(|_| {
        let mut from = L::subscribe(&to);
        P::spawn(async move {
            let mut sum = 0;
            while let Some(n) = L::next(&mut from).await {
                sum += n;
            }
            assert_eq!(sum, values * (values - 1) / 2);
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let start = Instant::now();
    for n in 0..values {
        while n % 64 == 0 && L::behind(&to) > 448 {
            P::yield_now().await;
        }
        L::publish(&to, n);
    }
    drop(to);
    joined::<P>(tasks).await;
    per_operation(start, receivers * values)
}

/// 50 000 values to one receiver.
pub(crate) async fn broadcast_1<P: Peer, L: Broadcast>() -> f64 {
    broadcast::<P, L>(1, 50_000).await
}

/// 10 000 values to ten.
pub(crate) async fn broadcast_10<P: Peer, L: Broadcast>() -> f64 {
    broadcast::<P, L>(10, 10_000).await
}

/// 2 000 values to a hundred.
pub(crate) async fn broadcast_100<P: Peer, L: Broadcast>() -> f64 {
    broadcast::<P, L>(100, 2_000).await
}

/// 2 000 values that ten watch; the next is set when all ten have seen the last. Per value and watcher.
pub(crate) async fn watch<P: Peer, L: Watch>() -> f64 {
    const VALUES: u64 = 2_000;
    const WATCHERS: u64 = 10;
    let (setter, watcher) = L::watch();
    let seen = Arc::new(AtomicU64::new(0));
    let tasks = (0..WATCHERS).map(|_| {
        let (mut watcher, seen) = (watcher.clone(), Arc::clone(&seen));
        P::spawn(async move {
            let mut last = 0;
            while let Some(value) = L::changed(&mut watcher).await {
                assert_eq!(value, last + 1, "the setter waits");
                last = value;
                seen.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let start = Instant::now();
    for n in 1..=VALUES {
        L::set(&setter, n);
        while seen.load(Ordering::Relaxed) < n * WATCHERS {
            P::yield_now().await;
        }
    }
    let ns = per_operation(start, VALUES * WATCHERS);
    drop(setter);
    joined::<P>(tasks).await;
    ns
}
