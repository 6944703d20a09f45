//! A group is a block that ends when its tasks have. They begin at the body's first wait, not at its end.

use crate::pace::{Stopwatch, seconds};
use weftwork::{group, sleep};

async fn func(name: &str) -> String {
    println!("{name} start");
    sleep(seconds(5.0)).await;
    println!("{name} end");
    format!("result of {name}")
}

pub async fn main() {
    let watch = Stopwatch::start();
    let ended = group(async |group| {
        let first = group.spawn(func("coro1"));
        group.spawn(func("coro2")).detach();
        println!("both are spawned");
        sleep(seconds(1.0)).await;
        println!("the body goes on");
        first.await
    });
    match ended.await {
        Ok(first) => println!("{first:?}"),
        Err(cause) => println!("the group was {cause}"),
    }
    println!("{} elapsed", watch.elapsed());
}
