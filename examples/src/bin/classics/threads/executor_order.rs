//! Ten calls for a pool with one thread: the first runs, the rest waits its turn, and they end in order.

use crate::pace::seconds;
use std::sync::mpsc;
use std::thread;
use weftwork::ThreadPool;

fn func(n: u32) -> u32 {
    thread::sleep(seconds(0.1));
    println!("{n}");
    n
}

pub async fn main() {
    let pool = ThreadPool::new(1);
    let (go, gate) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let first = pool.submit(move || {
        // Held up here until the states have been shown. Whoever waits for either is gone if the other is.
        let _ = begun.send(());
        let _ = gate.recv();
        func(0)
    });
    let _ = has_begun.recv();
    let rest: Vec<_> = (1..10).map(|n| pool.submit(move || func(n))).collect();
    println!("running: {}, queued: {}", pool.metrics().running(), pool.metrics().queued());
    println!("finished: {}", rest.iter().filter(|job| job.is_finished()).count());

    let _ = go.send(());
    let mut results = vec![first.await];
    for job in rest {
        results.push(job.await);
    }
    println!("{:?}", results.into_iter().filter_map(Result::ok).collect::<Vec<_>>());
}
