//! `.await` is a call: what is awaited runs here and now, in the same task. Only `spawn` makes another task, and that
//! begins when this one waits.

use weftwork::{JoinError, spawn};

async fn step(name: &str) {
    println!("{name} runs");
}

pub async fn main() {
    step("awaited").await;
    println!("after the await");

    let task = spawn(step("spawned"));
    println!("after the spawn");
    let ended: Result<(), JoinError> = task.await;
    println!("{ended:?}");
}
