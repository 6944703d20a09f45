//! Five tasks, three permits: the last two begin when the first have ended.

use crate::pace::{Stopwatch, seconds};
use std::sync::Arc;
use weftwork::sync::Semaphore;
use weftwork::{gather, sleep};

async fn greet(semaphore: Arc<Semaphore>) {
    // Given back when it is dropped, however this ends.
    let _permit = semaphore.acquire().await.expect("nobody closes it");
    println!("hello");
    sleep(seconds(1.0)).await;
    println!("world");
}

pub async fn main() {
    let watch = Stopwatch::start();
    let semaphore = Arc::new(Semaphore::new(3));
    println!("{:?}", gather((0..5).map(|_| greet(semaphore.clone()))).await);
    println!("{} elapsed", watch.elapsed());
}
