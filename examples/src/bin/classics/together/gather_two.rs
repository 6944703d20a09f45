//! `in_turn` at once: it takes as long as the longer one. Two functions have two types, so they are boxed to be gathered
//! together; `futures::join!` would take them as they are, inside of this task.

use crate::pace::{Stopwatch, seconds};
use futures::future::FutureExt as _;
use weftwork::{gather, sleep};

async fn test_a(x: u32) -> u32 {
    println!("in test a");
    sleep(seconds(3.0)).await;
    println!("Resuming a");
    x
}

async fn test_b(x: u32) -> u32 {
    println!("in test b");
    sleep(seconds(1.0)).await;
    println!("Resuming b");
    x
}

pub async fn main() {
    let watch = Stopwatch::start();
    println!("{:?}", gather([test_a(1).boxed(), test_b(2).boxed()]).await);
    println!("{} elapsed", watch.elapsed());
}
