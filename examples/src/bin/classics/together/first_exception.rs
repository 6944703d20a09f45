//! Both divide by zero, one after three seconds and one after one. The wait ends with the first, raises nothing, and leaves
//! the other as it is.

use crate::pace::{Stopwatch, seconds};
use std::hint::black_box;
use weftwork::group::{ReturnWhen, wait};
use weftwork::{JoinSet, sleep};

async fn test(after: u32) -> u32 {
    sleep(seconds(f64::from(after))).await;
    // Hidden from the compiler, which would refuse it.
    1 / black_box(0)
}

pub async fn main() {
    let watch = Stopwatch::start();
    let mut tasks = JoinSet::new();
    tasks.spawn(test(3));
    tasks.spawn(test(1));
    for (_, result) in wait(&mut tasks, ReturnWhen::FirstException, None).await {
        match result {
            Ok(value) => println!("done: {value}"),
            Err(error) => println!("done: {error}"),
        }
    }
    println!("pending: {}", tasks.len());
    println!("{} elapsed", watch.elapsed());
    tasks.cancel_all().await;
}
