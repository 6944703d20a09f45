//! Two tasks, and a wait for both. `main` has nothing else to do, so it says that it has ended before they have begun.

use crate::pace::{Stopwatch, seconds};
use weftwork::group::{ReturnWhen, wait};
use weftwork::{JoinSet, sleep};

async fn func() -> u32 {
    println!("1");
    sleep(seconds(2.0)).await;
    println!("2");
    3
}

pub async fn main() {
    let watch = Stopwatch::start();
    println!("start main");
    let mut tasks = JoinSet::new();
    tasks.spawn(func());
    tasks.spawn(func());
    println!("end main");
    let done = wait(&mut tasks, ReturnWhen::AllCompleted, None).await;
    let results: Vec<_> = done.into_iter().map(|(_, result)| result).collect();
    println!("{results:?}, {} are left", tasks.len());
    println!("{} elapsed", watch.elapsed());
}
