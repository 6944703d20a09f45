use std::rc::Rc;

fn main() {
    weftwork::run(async {
        let here = Rc::new(5);
        weftwork::spawn(async move {
            weftwork::task::yield_now().await;
            *here
        });
    });
}
