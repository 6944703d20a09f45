//! The same function once, twice and three times at the same time: each round lasts five seconds.

use crate::pace::{Stopwatch, seconds};
use weftwork::{gather, sleep};

async fn func(name: String) {
    let watch = Stopwatch::start();
    println!("{name} start...");
    sleep(seconds(5.0)).await;
    println!("{name} end... --- {} elapsed", watch.elapsed());
}

pub async fn main() {
    for n in 1..=3 {
        let watch = Stopwatch::start();
        gather((1..=n).map(|i| func(format!("coro{i} of {n}")))).await;
        println!("{n} at once: {} elapsed", watch.elapsed());
    }
}
