//! What can be awaited: the future of an async function, an async block, a plain function that returns a future, the handle
//! of a task, and whatever says how it becomes a future, which is what Python's `__await__` says.

use std::future::{IntoFuture, Ready, ready};
use weftwork::spawn;

async fn function() -> &'static str {
    "an async function"
}

/// Whoever awaits it cannot tell it from an async function.
fn plain() -> impl Future<Output = &'static str> {
    println!("a plain function runs when it is called");
    async { "a plain function that returns a future" }
}

struct Request {
    path: &'static str,
}

impl IntoFuture for Request {
    type Output = &'static str;
    type IntoFuture = Ready<&'static str>;

    fn into_future(self) -> Self::IntoFuture {
        ready(self.path)
    }
}

pub async fn main() {
    let future = plain();
    println!("{}", function().await);
    println!("{}", async { "an async block" }.await);
    println!("{}", future.await);
    println!("{}", spawn(async { "a task" }).await.expect("it neither panics nor is cancelled"));
    println!("{}", Request { path: "whatever is IntoFuture" }.await);
}
