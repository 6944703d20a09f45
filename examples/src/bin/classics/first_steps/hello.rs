//! The first program of every tutorial. A program with a binary of its own has `#[weftwork::main]` over its `main`; that
//! is `weftwork::run(main())`, and `asyncio.run(main())` in Python.

async fn test() -> u32 {
    0
}

pub async fn main() {
    println!("hello");
    let result = test().await;
    println!("{result}");
}
