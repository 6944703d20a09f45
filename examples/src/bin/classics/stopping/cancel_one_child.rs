//! A group ends its tasks when one *fails*. One that is cancelled by its handle concerns nobody else.

use crate::pace::{Stopwatch, seconds};
use weftwork::{group, sleep};

async fn func(n: u32) {
    sleep(seconds(f64::from(n))).await;
    println!("coro{n} end");
}

pub async fn main() {
    let watch = Stopwatch::start();
    let ended = group(async |group| {
        let tasks: Vec<_> = (1..=3).map(|n| group.spawn(func(n))).collect();
        sleep(seconds(0.5)).await;
        println!("cancel(): {}", tasks[1].cancel());
    });
    println!("{:?}", ended.await);
    println!("{} elapsed", watch.elapsed());
}
