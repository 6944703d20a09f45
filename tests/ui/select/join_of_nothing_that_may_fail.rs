async fn f() -> u8 {
    1
}

async fn g() {
    let _ = weftwork::try_join!();
}

fn main() {}
