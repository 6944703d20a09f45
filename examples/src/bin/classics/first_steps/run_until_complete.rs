//! A runtime that is kept: `block_on` runs a future to its end and gives its value, as `run_until_complete` does. Tasks
//! spawned before it wait until somebody drives the runtime; the runtime ends when it is dropped.

use weftwork::runtime::{Builder, RunError};

async fn add3(x: u32) -> u32 {
    println!("in async fun add");
    x + 3
}

pub fn main(builder: Builder) -> Result<(), RunError> {
    let runtime = builder.build()?;
    println!("{}", runtime.block_on(add3(2)));

    let early = runtime.spawn(add3(3));
    println!("{}", runtime.block_on(early).expect("it neither panics nor is cancelled"));

    // One runtime inside of another would block a worker of the outer one; the panic says what to do instead.
    let nested = runtime.spawn(async { weftwork::run(add3(4)) });
    println!("run inside of a task panics: {}", runtime.block_on(nested).is_err_and(|error| error.is_panic()));
    Ok(())
}
