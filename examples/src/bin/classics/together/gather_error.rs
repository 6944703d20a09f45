//! When one fails, asyncio's `gather` raises, and the others run on behind its back. Here they are cancelled, and have
//! cleaned up before the error is given.

use crate::pace::{Stopwatch, seconds};
use weftwork::{sleep, try_gather};

async fn divide(x: u32, by: u32) -> Result<u32, String> {
    println!("{x} / {by}: start");
    sleep(seconds(f64::from(by + 1))).await;
    let quotient = x.checked_div(by).ok_or(format!("{x} / {by}: division by zero"))?;
    println!("{x} / {by}: end");
    Ok(quotient)
}

pub async fn main() {
    let watch = Stopwatch::start();
    let quotients = try_gather([divide(6, 3), divide(1, 0), divide(6, 2)]).await;
    match quotients {
        Ok(quotients) => println!("{quotients:?}"),
        Err(error) => println!("the first error: {:?}", error.first()),
    }
    println!("{} elapsed", watch.elapsed());
    sleep(seconds(9.0)).await;
    println!("and nobody ran on");
}
