#[weftwork::main]
struct Main;

fn main() {}
