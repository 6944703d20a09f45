//! What a sleeping task takes.

use crate::rows::peer::Timed;
use std::time::Duration;

/// Bytes of resident memory for each of 500 000 tasks that sleep for an hour.
///
/// It is measured once in a process: what an allocator keeps would hide in a second round.
pub(crate) async fn mem_idle<P: Timed>() -> f64 {
    const TASKS: u32 = 500_000;
    let mut tasks = Vec::with_capacity(TASKS as usize);
    // The table of handles is touched before, so that what is counted is the tasks.
    tasks.extend((0..TASKS).map(|_| None));
    let before = resident();
    for place in &mut tasks {
        *place = Some(P::spawn(P::sleep(Duration::from_secs(3_600))));
    }
    // Each has been polled once the runtime has gone round; ten sleeps see to that on any of them.
    for _ in 0..10 {
        P::sleep(Duration::from_millis(20)).await;
    }
    let after = resident();
    for task in tasks.into_iter().flatten() {
        P::detach(task);
    }
    (after - before) / f64::from(TASKS)
}

/// The resident set in bytes.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("proc is mounted");
    let pages: f64 = statm.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("statm has a second number");
    #[expect(clippy::cast_precision_loss, reason = "a page is small")]
    let page = rustix::param::page_size() as f64;
    pages * page
}
