async fn f() -> u8 {
    1
}

async fn g() {
    weftwork::select! {};
}

fn main() {}
