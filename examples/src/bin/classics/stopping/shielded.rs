//! Two things that asyncio's `shield` is used for. A step that must not be torn: the cancellation waits for it, here. A task
//! that shall live on: who only borrows its handle does not take it along.

use crate::pace::{Stopwatch, seconds};
use weftwork::scope::shield;
use weftwork::{sleep, spawn, timeout};

async fn pay() -> &'static str {
    sleep(seconds(3.0)).await;
    println!("paid");
    "receipt"
}

pub async fn main() {
    let watch = Stopwatch::start();
    let paid = timeout(seconds(1.0), async {
        shield(pay()).await;
        println!("a shield hides the deadline, and does not lift it");
        sleep(seconds(60.0)).await;
    });
    println!("{} after {}", if paid.await.is_err() { "late" } else { "in time" }, watch.elapsed());

    let mut task = spawn(pay());
    let waited = timeout(seconds(1.0), &mut task).await;
    println!("{} after {}", if waited.is_err() { "late" } else { "in time" }, watch.elapsed());
    println!("{:?}, for it lived on", task.await);
}
