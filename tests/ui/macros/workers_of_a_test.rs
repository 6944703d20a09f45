// A test is of the current-thread flavour unless it says otherwise.
#[weftwork::test(worker_threads = 2)]
async fn works() {}

fn main() {}
