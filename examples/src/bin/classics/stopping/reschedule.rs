//! A timeout without a deadline, which its body sets when it knows one. The clock is the runtime's and no wall clock.

use crate::pace::{Stopwatch, seconds};
use weftwork::sleep;
use weftwork::time::{Instant, timeout_with};

pub async fn main() {
    let watch = Stopwatch::start();
    let ended = timeout_with(None, async |limit| {
        println!("a deadline: {}", limit.when().is_some());
        sleep(seconds(1.0)).await;
        limit.reschedule(Some(Instant::now() + seconds(3.0))).expect("it has not passed");
        println!("a deadline: {}", limit.when().is_some());
        sleep(seconds(60.0)).await;
    });
    println!("the time was up: {}", ended.await.is_err());
    println!("{} elapsed", watch.elapsed());
}
