//! An await gives way only if it has to wait. What is ready is taken at once, and nobody else runs in between.

use weftwork::spawn;
use weftwork::task::yield_now;

pub async fn main() {
    let other = spawn(async { println!("another task runs") });
    let ready = async { 7 };
    println!("{}", ready.await);
    println!("nobody came in between");
    yield_now().await;
    println!("{:?}", other.await);
}
