#[weftwork::main]
async fn main<T>() {}
