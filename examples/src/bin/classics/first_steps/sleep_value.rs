//! A sleep gives nothing. Python's takes a value to give back; an async block says that without a parameter.

use crate::pace::seconds;
use weftwork::sleep;

pub async fn main() {
    println!("1");
    let response = sleep(seconds(2.0)).await;
    println!("2 {response:?}");

    let delayed = async {
        sleep(seconds(1.0)).await;
        "three"
    };
    println!("3 {}", delayed.await);
}
