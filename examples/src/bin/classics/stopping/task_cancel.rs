//! A cancellation takes effect where the task waits. It may end there; clean up first, and then end; or answer with a value,
//! and then it was not cancelled.

use crate::pace::seconds;
use weftwork::scope::{cancellable, cleanup};
use weftwork::{JoinHandle, sleep, spawn};

async fn plain() -> &'static str {
    sleep(seconds(60.0)).await;
    "never"
}

async fn cleans_up() -> &'static str {
    match cancellable(plain()).await {
        Ok(value) => value,
        Err(cancelled) => {
            println!("cleaning up");
            // Without it the next wait would end the task: it is cancelled, and stays so.
            let _ = cleanup(seconds(5.0), sleep(seconds(1.0))).await;
            println!("cleaned up");
            cancelled.propagate().await
        }
    }
}

async fn answers() -> &'static str {
    match cancellable(plain()).await {
        Ok(value) => value,
        Err(_cancelled) => "an answer in spite of it",
    }
}

async fn cancel_after_a_second(task: JoinHandle<&'static str>) {
    sleep(seconds(1.0)).await;
    println!("cancel(): {}, again: {}", task.cancel(), task.cancel());
    match task.await {
        Ok(value) => println!("-> {value}"),
        Err(error) => println!("-> cancelled: {}", error.is_cancelled()),
    }
}

pub async fn main() {
    cancel_after_a_second(spawn(plain())).await;
    cancel_after_a_second(spawn(cleans_up())).await;
    cancel_after_a_second(spawn(answers())).await;
}
