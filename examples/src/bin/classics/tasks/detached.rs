//! The runtime owns its tasks. In asyncio a task that nobody refers to may vanish, because the loop refers to it weakly; here
//! letting go of a handle only says that nobody will read the result.

use crate::pace::seconds;
use weftwork::{sleep, spawn};

pub async fn main() {
    spawn(async {
        sleep(seconds(1.0)).await;
        println!("still here");
    })
    .detach();
    sleep(seconds(2.0)).await;
    println!("main ends");
}
