use weftwork::group::Started;

async fn child(started: Started<u16>) {
    started.set(80);
    started.set(81);
}

fn main() {}
