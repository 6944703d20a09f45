//! Futures become tasks, begin in the order of the arguments, and give their values in that order, whoever ends first.

use crate::pace::{Stopwatch, seconds};
use weftwork::{gather, sleep};

async fn func(n: u32) -> u32 {
    println!("coro{n} start");
    sleep(seconds(f64::from(6 - n))).await;
    println!("coro{n} end");
    n * n
}

pub async fn main() {
    let watch = Stopwatch::start();
    println!("{:?}", gather((1..=3).map(func)).await);
    println!("{} elapsed", watch.elapsed());
}
