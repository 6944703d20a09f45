fn main() {
    weftwork::run(async {
        let task = weftwork::spawn(async { 1 });
        task.await.unwrap();
        task.await.unwrap();
    });
}
