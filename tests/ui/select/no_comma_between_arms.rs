async fn f() -> u8 {
    1
}

async fn g() {
    weftwork::select! {
        n = f() => drop(n)
        n = f() => drop(n)
    };
}

fn main() {}
