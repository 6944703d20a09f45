fn main() {
    weftwork::run(async {
        let _ = weftwork::group(async |group| {
            let words = String::from("borrowed");
            let child = group.spawn(async { words.len() });
            child.await.unwrap()
        })
        .await;
    });
}
