//! A crew that works off a list: numbers come from a thread that blocks, tasks of a group share them out, and a deadline ends it all.

use weftwork::OffloadError;
use weftwork::sync::{Mutex, channel};
use weftwork::time::{Duration, Elapsed, timeout};

/// Has so many tasks add up what `source`, which may block, gives; at most for `limit`.
///
/// # Errors
/// The time was up first; every task has ended by then.
pub async fn add_up(
    tasks: usize,
    limit: Duration,
    source: impl FnOnce(&mut dyn FnMut(u32)) + Send + 'static,
) -> Result<Result<u32, OffloadError>, Elapsed> {
    timeout(limit, async {
        let (numbers, inbox) = channel::bounded(1);
        let total = std::sync::Arc::new(Mutex::new(0));
        let read = weftwork::to_thread(move || {
            source(&mut |number| {
                // Nobody is left to add where the time was up.
                let _ = numbers.blocking_send(number);
            });
        });
        let sum = total.clone();
        let read = weftwork::group(async |crew| {
            for _ in 0..tasks {
                let (inbox, total) = (inbox.clone(), sum.clone());
                crew.spawn(async move {
                    while let Ok(number) = inbox.recv().await {
                        *total.lock().await += number;
                    }
                })
                .detach();
            }
            drop(inbox);
            read.await
        })
        .await;
        let total = *total.lock().await;
        read.expect("nobody in the crew panics").map(|()| total)
    })
    .await
}
