//! Two awaits, one after the other: the second begins when the first has ended, and five seconds become ten.

use crate::pace::{Stopwatch, seconds};
use weftwork::sleep;

async fn func(name: &str) {
    println!("{name} start");
    sleep(seconds(5.0)).await;
    println!("{name} end");
}

pub async fn main() {
    let watch = Stopwatch::start();
    func("coro1").await;
    func("coro2").await;
    println!("{} elapsed", watch.elapsed());
}
