//! Three seconds and then one. `gather_two` does the same at once.

use crate::pace::{Stopwatch, seconds};
use weftwork::sleep;

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
    let a = test_a(1).await;
    let b = test_b(2).await;
    println!("{a}\n{b}");
    println!("{} elapsed", watch.elapsed());
}
