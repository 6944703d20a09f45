//! A timeout cancels what it bounds, and says so to the code around it, in one `Result`.

use crate::pace::{Stopwatch, seconds};
use weftwork::scope::cancellable;
use weftwork::{sleep, timeout};

async fn long_running() -> &'static str {
    match cancellable(sleep(seconds(10.0))).await {
        Ok(()) => "done",
        Err(cancelled) => {
            println!("inside: cancelled");
            cancelled.propagate().await
        }
    }
}

pub async fn main() {
    for patience in [3.0, 20.0] {
        let watch = Stopwatch::start();
        match timeout(seconds(patience), long_running()).await {
            Ok(value) => println!("outside: {value}"),
            Err(_elapsed) => println!("outside: the time was up"),
        }
        println!("{} elapsed", watch.elapsed());
    }
}
