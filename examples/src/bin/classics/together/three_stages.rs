//! Three requests of which each needs the answer before. With callbacks each would be a function inside of the one before,
//! with its own handling of errors; here they are three lines, and one place for all errors.

use crate::pace::seconds;
use weftwork::sleep;

async fn api_call(request: &str) -> Result<String, String> {
    sleep(seconds(1.0)).await;
    if request.contains("fire") { Err(format!("no answer to {request:?}")) } else { Ok(format!("{request}!")) }
}

async fn three_stages(request1: &str) -> Result<String, String> {
    let response1 = api_call(request1).await?;
    println!("stage 1: {response1}");
    let response2 = api_call(&format!("{response1} and water")).await?;
    println!("stage 2: {response2}");
    let response3 = api_call(&format!("{response2} and fire")).await?;
    Ok(response3)
}

pub async fn main() {
    match three_stages("earth").await {
        Ok(response) => println!("stage 3: {response}"),
        Err(error) => println!("it failed: {error}"),
    }
}
