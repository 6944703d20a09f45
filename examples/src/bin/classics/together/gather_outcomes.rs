//! asyncio's `gather(return_exceptions=True)`: all run to their end, and each says what it came to.

use crate::pace::{Stopwatch, seconds};
use weftwork::group::{Outcome, gather_outcomes};
use weftwork::sleep;

async fn divide(x: u32, by: u32) -> Result<u32, String> {
    sleep(seconds(f64::from(by + 1))).await;
    if x == 13 {
        panic!("bad luck");
    }
    x.checked_div(by).ok_or(format!("{x} / {by}: division by zero"))
}

pub async fn main() {
    let watch = Stopwatch::start();
    for outcome in gather_outcomes([divide(6, 3), divide(1, 0), divide(13, 1)]).await {
        match outcome {
            Outcome::Ok(value) => println!("a value: {value}"),
            Outcome::Err(error) => println!("an error: {error}"),
            Outcome::Panicked(panic) => println!("a panic: {:?}", panic.message()),
            other => println!("{other:?}"),
        }
    }
    println!("{} elapsed", watch.elapsed());
}
