//! The program with which many tutorials begin: the second task runs while the first sleeps.

use crate::pace::{Stopwatch, seconds};
use weftwork::{gather, sleep};

async fn func(first: u32, second: u32) {
    println!("{first}");
    sleep(seconds(2.0)).await;
    println!("{second}");
}

pub async fn main() {
    let watch = Stopwatch::start();
    gather([func(1, 2), func(3, 4)]).await;
    println!("{} elapsed", watch.elapsed());
}
