//! What asyncio does with `add_done_callback`: whatever shall happen when a task has ended awaits it, in a task of its own.

use crate::pace::seconds;
use weftwork::{JoinHandle, sleep, spawn};

async fn work() -> u32 {
    sleep(seconds(1.0)).await;
    println!("work is done");
    42
}

fn when_done(task: JoinHandle<u32>, callback: impl FnOnce(Option<u32>) + Send + 'static) -> JoinHandle<()> {
    spawn(async move { callback(task.await.ok()) })
}

pub async fn main() {
    let told = when_done(spawn(work()), |result| println!("the callback has {result:?}"));
    println!("waiting");
    println!("{:?}", told.await);
}
