#[weftwork::main(flavor = "threaded", workers = 2)]
fn main(arguments: u32) {}
