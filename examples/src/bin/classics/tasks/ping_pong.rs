//! `yield_now` goes to the back of the queue, as `asyncio.sleep(0)` does: two tasks that do so take turns.

use weftwork::gather;
use weftwork::task::yield_now;

async fn count(name: &str) {
    for n in 0..3 {
        println!("{name} {n}");
        yield_now().await;
    }
}

pub async fn main() {
    println!("{:?}", gather(["A", "B"].map(count)).await);
}
