fn main() {
    let runtime = weftwork::Runtime::new().unwrap();
    runtime.shutdown().unwrap();
    runtime.block_on(async {});
}
