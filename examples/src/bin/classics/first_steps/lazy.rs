//! Calling an async function makes a future and runs nothing. One that is never awaited never runs: Python warns about it
//! when it is collected, Rust when it is compiled, unless one says `let _unused`.

async fn func() {
    println!("func runs");
}

pub async fn main() {
    let future = func();
    println!("made");
    future.await;

    let _unused = func();
    println!("that was all");
}
