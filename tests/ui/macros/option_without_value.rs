#[weftwork::main(flavor)]
async fn main() {}
