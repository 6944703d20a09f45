//! A value that another task sets later. asyncio has `loop.create_future()` for it; here it has two ends, so that only one
//! side can set it, and only once.

use crate::pace::{Stopwatch, seconds};
use weftwork::sync::oneshot;
use weftwork::{sleep, spawn};

async fn set_after(setter: oneshot::Sender<&'static str>) {
    sleep(seconds(2.0)).await;
    // Nobody may be waiting any more; that is for whoever sets it to know.
    let _ = setter.send("2");
}

pub async fn main() {
    let watch = Stopwatch::start();
    let (setter, future) = oneshot::channel();
    spawn(set_after(setter)).detach();
    println!("{:?}", future.await);

    // A setter that is gone tells those who wait, who would wait for ever otherwise.
    let (setter, future) = oneshot::channel::<&str>();
    drop(setter);
    println!("{}", if future.await.is_err() { "nobody will set it" } else { "it was set" });
    println!("{} elapsed", watch.elapsed());
}
