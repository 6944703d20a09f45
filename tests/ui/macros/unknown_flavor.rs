#[weftwork::main(flavor = "threaded")]
async fn main() {}
