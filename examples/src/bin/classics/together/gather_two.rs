//! `in_turn` at once: it takes as long as the longer one. Two functions have two types, so `join!` takes them, with a value of
//! each; it runs them inside of this task, where `gather` makes tasks of many that are alike.

use crate::pace::{Stopwatch, seconds};
use weftwork::{join, sleep};

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
    println!("{:?}", join!(test_a(1), test_b(2)));
    println!("{} elapsed", watch.elapsed());
}
