//! A handle is a future of its task's value, however long ago the task has ended.

use crate::pace::{Stopwatch, seconds};
use weftwork::{sleep, spawn};

async fn func(n: u32) -> String {
    sleep(seconds(f64::from(n))).await;
    format!("result of coro{n}")
}

pub async fn main() {
    let watch = Stopwatch::start();
    let tasks: Vec<_> = (1..=3).map(|n| spawn(func(n))).collect();
    for task in tasks {
        match task.await {
            Ok(value) => println!("{value}"),
            Err(error) => println!("no result: {error}"),
        }
    }
    println!("{} elapsed", watch.elapsed());
}
