//! An async function that awaits another one, twice.

use crate::pace::{Stopwatch, seconds};
use weftwork::sleep;

async fn others() -> &'static str {
    println!("start");
    sleep(seconds(2.0)).await;
    println!("end");
    "result"
}

async fn func() {
    println!("start func");
    let response1 = others().await;
    println!("func, response1 = {response1}");
    let response2 = others().await;
    println!("end func, response2 = {response2}");
}

pub async fn main() {
    let watch = Stopwatch::start();
    func().await;
    println!("{} elapsed", watch.elapsed());
}
