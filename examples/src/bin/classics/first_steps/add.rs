//! An async function is called like a plain one, and awaited for its value. It can be awaited in async code only: elsewhere
//! `.await` does not compile.

fn add2(x: u32) -> u32 {
    println!("in fun add");
    x + 2
}

async fn add3(x: u32) -> u32 {
    println!("in async fun add");
    x + 3
}

pub async fn main() {
    println!("{}", add2(2));
    println!("{}", add3(2).await);
}
