//! An animation while something slow is going on: a task that never ends, and is cancelled when the answer is there.
//! `spinner_thread` does it with a thread.

use crate::pace::seconds;
use weftwork::scope::cancellable;
use weftwork::{sleep, spawn};

/// Where the terminal shows it; it is not the same at every run.
async fn spin(message: &str) {
    for frame in r"|/-\".chars().cycle() {
        let status = format!("{frame} {message}");
        eprint!("{status}\r");
        if cancellable(sleep(seconds(0.1))).await.is_err() {
            eprint!("{}\r", " ".repeat(status.len()));
            break;
        }
    }
}

async fn slow_function() -> u32 {
    sleep(seconds(3.0)).await;
    42
}

pub async fn main() {
    let spinner = spawn(spin("thinking!"));
    eprintln!("spinner object: {spinner:?}");
    let answer = slow_function().await;
    spinner.cancel();
    println!("the spinner ended well: {}", spinner.await.is_ok());
    println!("Answer: {answer}");
}
