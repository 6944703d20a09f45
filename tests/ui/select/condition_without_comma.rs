async fn f() -> u8 {
    1
}

async fn g() {
    weftwork::select! {
        n = f() if true => drop(n),
    };
}

fn main() {}
