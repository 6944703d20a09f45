//! The spinner by a thread, to compare: a thread cannot be cancelled, so it has to be told, and to look.

use crate::pace::seconds;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

/// Where the terminal shows it; it is not the same at every run.
fn spin(message: &str, done: &Receiver<()>) {
    for frame in r"|/-\".chars().cycle() {
        let status = format!("{frame} {message}");
        eprint!("{status}\r");
        if done.recv_timeout(seconds(0.1)) != Err(RecvTimeoutError::Timeout) {
            eprint!("{}\r", " ".repeat(status.len()));
            break;
        }
    }
}

fn slow_function() -> u32 {
    thread::sleep(seconds(3.0));
    42
}

pub fn main() {
    let (done, is_done) = mpsc::channel();
    let spinner = thread::spawn(move || spin("thinking!", &is_done));
    eprintln!("spinner object: {:?}", spinner.thread());
    let answer = slow_function();
    let _ = done.send(());
    println!("the spinner ended well: {}", spinner.join().is_ok());
    println!("Answer: {answer}");
}
