use weftwork::scope::Cancelled;

async fn after_a_pad(cancelled: Cancelled) {
    let again = cancelled.propagate::<()>();
    cancelled.propagate::<()>().await;
    again.await;
}

fn main() {}
