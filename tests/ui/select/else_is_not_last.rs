async fn f() -> u8 {
    1
}

async fn g() {
    weftwork::select! {
        n = f() => drop(n),
        else => (),
        n = f() => drop(n),
    };
}

fn main() {}
