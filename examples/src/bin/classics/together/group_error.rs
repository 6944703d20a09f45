//! The first error of a group cancels the other tasks and its body. What fails on the way out is collected too: nothing is
//! lost, and nothing runs on.

use crate::pace::{Stopwatch, seconds};
use weftwork::scope::{cancellable, cleanup};
use weftwork::{sleep, try_group};

async fn fails() -> Result<(), &'static str> {
    sleep(seconds(1.0)).await;
    Err("it failed")
}

async fn fails_while_it_cleans_up() -> Result<(), &'static str> {
    match cancellable(sleep(seconds(60.0))).await {
        Ok(()) => Ok(()),
        Err(_cancelled) => {
            let _ = cleanup(seconds(5.0), sleep(seconds(1.0))).await;
            Err("so did the clean-up of another")
        }
    }
}

pub async fn main() {
    let watch = Stopwatch::start();
    let ended = try_group(async |group| {
        group.spawn(fails_while_it_cleans_up()).detach();
        group.spawn(fails()).detach();
        sleep(seconds(60.0)).await;
        println!("the body never comes here");
        Ok(())
    });
    if let Err(error) = ended.await {
        for error in error.iter() {
            println!("{error}");
        }
    }
    println!("{} elapsed", watch.elapsed());
}
