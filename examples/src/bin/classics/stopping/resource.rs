//! A resource whose opening and closing take time: Python's `async with`. A destructor cannot wait, so what has to is said
//! by `finally`, which also runs when the task is cancelled in between.

use crate::pace::{Stopwatch, seconds};
use weftwork::scope::finally;
use weftwork::{sleep, timeout};

struct Connection {
    number: u32,
}

impl Connection {
    async fn open() -> Self {
        sleep(seconds(1.0)).await;
        println!("open");
        Self { number: 1 }
    }

    async fn close(&self) {
        sleep(seconds(1.0)).await;
        println!("closed");
    }
}

async fn used(for_so_long: f64) -> u32 {
    let connection = Connection::open().await;
    let body = async {
        sleep(seconds(for_so_long)).await;
        connection.number
    };
    finally(body, seconds(5.0), async || connection.close().await).await
}

pub async fn main() {
    let watch = Stopwatch::start();
    println!("{}", used(0.0).await);
    println!("{} elapsed", watch.elapsed());

    let late = timeout(seconds(2.0), used(60.0)).await.is_err();
    println!("late: {late}, {} elapsed", watch.elapsed());
}
