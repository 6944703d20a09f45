//! A call that blocks goes to a thread, and the tasks run on meanwhile. In Python that helps calls that wait; here also
//! those that compute.

use std::sync::mpsc;
use weftwork::task::yield_now;
use weftwork::{spawn, to_thread};

pub async fn main() {
    let (ticks, ticked) = mpsc::channel();
    let ticker = spawn(async move {
        // Until nobody wants them any more.
        while ticks.send(()).is_ok() {
            yield_now().await;
        }
    });
    let blocked = to_thread(move || {
        println!("blocking");
        // For as long as it takes the task to come by a thousand times: were it blocked too, for ever.
        let seen = ticked.iter().take(1000).count();
        println!("blocked no more");
        seen
    });
    println!("{:?} ticks meanwhile", blocked.await.ok());
    println!("{:?}", ticker.await);
}
