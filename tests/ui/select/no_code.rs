async fn f() -> u8 {
    1
}

async fn g() {
    weftwork::select! {
        n = f(),
    };
}

fn main() {}
