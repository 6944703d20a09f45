//! Tasks of one thread share what is not made for threads: between two awaits nobody else runs. `spawn_local` starts them, on
//! a current-thread runtime; what `spawn` takes may move to another thread, and needs locks.

use std::cell::Cell;
use std::rc::Rc;
use weftwork::runtime::{Builder, RunError};
use weftwork::spawn_local;
use weftwork::task::yield_now;

pub fn main() -> Result<(), RunError> {
    Builder::new_current_thread().run(count())
}

async fn count() {
    let counter = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let counter = counter.clone();
            spawn_local(async move {
                for _ in 0..100 {
                    counter.set(counter.get() + 1);
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it neither panics nor is cancelled");
    }
    println!("{}", counter.get());
}
