//! The runtime's pool, and one of one's own. A pool knows no runtime: what is submitted can be awaited in a task, and a plain
//! thread can wait for it.

use crate::pace::seconds;
use std::thread;
use weftwork::{ThreadPool, run_in_executor, to_thread};

fn func(result: &'static str) -> &'static str {
    thread::sleep(seconds(1.0));
    result
}

pub async fn main() {
    println!("{:?}", to_thread(|| func("default thread pool result")).await);

    let pool = ThreadPool::new(2);
    println!("{:?}", run_in_executor(&pool, || func("custom thread pool result")).await);

    let submitted = pool.submit(|| func("awaited"));
    println!("{:?}", submitted.await);
    let waiter = thread::spawn(move || pool.submit(|| func("waited for")).wait());
    println!("{:?}", waiter.join().expect("it does not panic"));
}
