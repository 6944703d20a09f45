//! A spawned task does not begin inside of `spawn`: its spawner goes on up to its next wait. On one thread tasks then begin
//! in the order of spawning; on several, another thread may begin one at once.

use weftwork::spawn;

async fn child(name: &str) {
    println!("{name} runs");
}

pub async fn main() {
    let first = spawn(child("first"));
    let second = spawn(child("second"));
    println!("both are spawned");
    println!("{:?} {:?}", first.await, second.await);
}
