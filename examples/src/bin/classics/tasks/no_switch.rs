//! A task runs until it waits. These never wait, so on one thread each runs to its end before the other begins.

use weftwork::gather;

async fn count(name: &str) {
    for n in 0..3 {
        println!("{name} {n}");
    }
}

pub async fn main() {
    println!("{:?}", gather(["A", "B"].map(count)).await);
}
