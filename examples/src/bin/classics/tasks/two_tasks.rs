//! `spawn` schedules a task at once; awaiting its handle only waits for it. So both run while the first is awaited.

use crate::pace::{Stopwatch, seconds};
use weftwork::{JoinError, sleep, spawn};

async fn func(name: &str) {
    println!("{name} start");
    sleep(seconds(5.0)).await;
    println!("{name} end");
}

async fn both() -> Result<(), JoinError> {
    let task1 = spawn(func("coro1"));
    let task2 = spawn(func("coro2"));
    task1.await?;
    task2.await
}

pub async fn main() {
    let watch = Stopwatch::start();
    println!("{:?}", both().await);
    println!("{} elapsed", watch.elapsed());
}
