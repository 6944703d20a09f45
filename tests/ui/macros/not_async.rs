#[weftwork::main]
fn main() {}
