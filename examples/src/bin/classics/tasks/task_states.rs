//! A handle can be asked. Asking for a result too early is no error here: there is none yet.

use crate::pace::seconds;
use weftwork::{sleep, task};

async fn test_a(x: u32) -> u32 {
    println!("in test a");
    sleep(seconds(3.0)).await;
    println!("Resuming a");
    x
}

pub async fn main() {
    let mut task = task::Builder::new().name("test a").spawn(test_a(1)).expect("a runtime is here");
    // With its number and the line that spawned it, which are not the same for ever.
    eprintln!("{task:?}");
    println!("{:?}", task.name());
    println!("finished: {}, result: {:?}", task.is_finished(), task.try_take());

    sleep(seconds(1.0)).await;
    println!("finished: {}", task.is_finished());
    sleep(seconds(3.0)).await;
    println!("finished: {}, result: {:?}", task.is_finished(), task.try_take());
}
