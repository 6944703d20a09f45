//! Channels and locks.

use super::per_operation;
use crate::rows::peer::Peer;
use std::sync::Arc;
use std::time::Instant;

async fn pair<P: Peer>(round_trips: u64) {
    let (ping, mut pinged) = P::channel(1);
    let (pong, mut ponged) = P::channel(1);
    let other = P::spawn(async move {
        while let Some(n) = P::receive(&mut pinged).await {
            P::send(&pong, n + 1).await;
        }
    });
    for n in 0..round_trips {
        P::send(&ping, n).await;
        assert_eq!(P::receive(&mut ponged).await, Some(n + 1));
    }
    drop(ping);
    P::join(other).await;
}

/// 1 000 pairs at once, 20 round trips each over two channels of capacity 1.
pub(crate) async fn ping_pong<P: Peer>() -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..1_000).map(|_| P::spawn(pair::<P>(20))).collect();
    for task in tasks {
        P::join(task).await;
    }
    per_operation(start, 20_000)
}

/// One such pair alone, 5 000 round trips.
pub(crate) async fn ping_pong_one<P: Peer>() -> f64 {
    let start = Instant::now();
    pair::<P>(5_000).await;
    per_operation(start, 5_000)
}

/// So many senders, one receiver.
pub(super) async fn many_to_one<P: Peer>(senders: u64, each: u64, capacity: usize) -> f64 {
    let (to, mut from) = P::channel(capacity);
    let start = Instant::now();
    for _ in 0..senders {
        let to = to.clone();
        P::detach(P::spawn(async move {
            for n in 0..each {
                P::send(&to, n).await;
            }
        }));
    }
    drop(to);
    let mut sum = 0;
    while let Some(n) = P::receive(&mut from).await {
        sum += n;
    }
    assert_eq!(sum, senders * (each * (each - 1) / 2));
    per_operation(start, senders * each)
}

/// One sender, one receiver, capacity 256, 200 000 numbers.
pub(crate) async fn channel_1_1<P: Peer>() -> f64 {
    many_to_one::<P>(1, 200_000, 256).await
}

/// Four senders of 50 000 each, one receiver, capacity 256.
pub(crate) async fn channel_4_1<P: Peer>() -> f64 {
    many_to_one::<P>(4, 50_000, 256).await
}

/// 16 tasks that lock, add and unlock 2 000 times each.
pub(crate) async fn mutex<P: Peer>() -> f64 {
    let mutex = Arc::new(P::mutex());
    let start = Instant::now();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let mutex = Arc::clone(&mutex);
            P::spawn(async move {
                for _ in 0..2_000 {
                    P::add_one(&mutex).await;
                }
            })
        })
        .collect();
    for task in tasks {
        P::join(task).await;
    }
    let ns = per_operation(start, 32_000);
    assert_eq!(P::add_one(&mutex).await, 32_001);
    ns
}
