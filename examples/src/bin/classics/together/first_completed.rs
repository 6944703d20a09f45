//! `wait` takes what has ended, and cancels nobody: the rest stays in the set and runs on.

use crate::pace::{Stopwatch, seconds};
use weftwork::group::{ReturnWhen, wait};
use weftwork::time::Instant;
use weftwork::{JoinSet, sleep};

async fn func(n: u32) -> u32 {
    sleep(seconds(f64::from(n))).await;
    n
}

pub async fn main() {
    let watch = Stopwatch::start();
    let mut tasks = JoinSet::new();
    for n in [4, 1, 2, 3] {
        tasks.spawn(func(n));
    }
    let rounds = [
        ("the first", ReturnWhen::FirstCompleted, None),
        ("a second and a half", ReturnWhen::AllCompleted, Some(Instant::now() + seconds(2.5))),
        ("all", ReturnWhen::AllCompleted, None),
    ];
    for (what, when, deadline) in rounds {
        let done = wait(&mut tasks, when, deadline).await;
        let values: Vec<_> = done.into_iter().filter_map(|(_, result)| result.ok()).collect();
        println!("{what}: {values:?} at {}, {} pending", watch.elapsed(), tasks.len());
    }
}
