//! Ten pictures, twenty seconds each. One after the other that is 200 seconds, of which the program waits for 200.

use crate::pace::{Stopwatch, seconds};
use weftwork::{gather, sleep};

/// A server far away: all of it is waiting.
async fn download(picture: u32) -> u32 {
    sleep(seconds(20.0)).await;
    picture
}

pub async fn main() {
    let watch = Stopwatch::start();
    for picture in 1..=10 {
        download(picture).await;
    }
    println!("in turn: {}", watch.elapsed());

    let watch = Stopwatch::start();
    let pictures = gather((1..=10).map(download)).await;
    println!("at once: {} for {} pictures", watch.elapsed(), pictures.len());
}
