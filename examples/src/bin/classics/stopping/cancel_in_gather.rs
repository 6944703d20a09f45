//! Tasks that are gathered by their handles: one is cancelled, and the others go on.

use crate::pace::{Stopwatch, seconds};
use weftwork::group::{Outcome, gather_outcomes};
use weftwork::{sleep, spawn};

async fn func(n: u32) -> u32 {
    sleep(seconds(f64::from(n))).await;
    println!("coro{n} end");
    n
}

pub async fn main() {
    let watch = Stopwatch::start();
    let tasks: Vec<_> = (1..=3).map(|n| spawn(func(n))).collect();
    tasks[1].cancel();
    for outcome in gather_outcomes(tasks).await {
        match outcome {
            Outcome::Ok(value) => println!("{value}"),
            Outcome::Err(error) => println!("cancelled: {}", error.is_cancelled()),
            other => println!("{other:?}"),
        }
    }
    println!("{} elapsed", watch.elapsed());
}
