//! `thread::sleep` keeps the thread, and with it all tasks of that thread: on one thread they run one after the other.
//! `weftwork::sleep` waits, and lets the others run.

use crate::pace::seconds;
use std::thread;
use weftwork::{gather, sleep};

async fn blocks(name: &str) {
    println!("blocking {name} start");
    thread::sleep(seconds(1.0));
    println!("blocking {name} end");
}

async fn waits(name: &str) {
    println!("waiting {name} start");
    sleep(seconds(1.0)).await;
    println!("waiting {name} end");
}

pub async fn main() {
    gather(["A", "B"].map(blocks)).await;
    gather(["A", "B"].map(waits)).await;
}
