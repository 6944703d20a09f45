async fn f() -> u8 {
    1
}

async fn g() {
    weftwork::select! {
        biased,
        n = f() => drop(n),
    };
}

fn main() {}
