//! A future is awaited once: a second await does not compile, where Python says "cannot reuse already awaited coroutine"
//! at run time. One that several shall await is made so.

use crate::pace::{Stopwatch, seconds};
use futures::future::FutureExt as _;
use weftwork::{gather, sleep};

async fn expensive() -> u32 {
    println!("computing");
    sleep(seconds(1.0)).await;
    42
}

pub async fn main() {
    let watch = Stopwatch::start();
    let answer = expensive().shared();
    println!("{:?}", gather((0..3).map(|_| answer.clone())).await);
    println!("{}", answer.await);
    println!("{} elapsed", watch.elapsed());
}
