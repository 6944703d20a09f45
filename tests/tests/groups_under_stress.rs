#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Ten thousand tasks in nested groups that are cancelled at random places for a minute of virtual time: nothing is orphaned,
//! everything cleans up once, everybody who waits is told.

mod fixtures;

use fixtures::{Drops, Numbers, ms, on_virtual_time_seeded, sleep};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use weftwork::scope::{cancellable, cleanup};
use weftwork::time::timeout;
use weftwork::{Handle, TaskGroup, group, spawn};

/// Tasks in all.
const TASKS: usize = 10_000;
/// Children of each group.
const WIDTH: usize = 10;
/// Milliseconds for which it lasts.
const LASTS: u64 = 60_000;

/// What the tasks leave behind.
#[derive(Debug, Clone)]
struct Storm {
    numbers: Numbers,
    /// Tasks that may still be spawned.
    left: Arc<AtomicUsize>,
    made: Arc<AtomicUsize>,
    drops: Drops,
    begun: Arc<AtomicUsize>,
    cleaned: Arc<AtomicUsize>,
    groups: Arc<Mutex<Vec<TaskGroup>>>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        Self {
            numbers: Numbers::new(seed),
            left: Arc::new(AtomicUsize::new(TASKS)),
            made: Arc::default(),
            drops: Drops::default(),
            begun: Arc::default(),
            cleaned: Arc::default(),
            groups: Arc::default(),
        }
    }

    fn may_spawn(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// Waits until it is cancelled or its time is over, and then cleans up; it counts both.
async fn leaf(storm: Storm) {
    storm.begun.fetch_add(1, Ordering::Relaxed);
    let ended = cancellable(sleep(storm.numbers.below(LASTS))).await;
    let _ = cleanup(ms(50), sleep(storm.numbers.below(5))).await;
    storm.cleaned.fetch_add(1, Ordering::Relaxed);
    if let Err(cancelled) = ended {
        cancelled.propagate::<()>().await;
    }
}

/// A group whose children are groups, down to `depth`, and then leaves.
fn branch(storm: Storm, depth: u32) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    storm.made.fetch_add(1, Ordering::Relaxed);
    let token = storm.drops.token();
    Box::pin(async move {
        let _token = token;
        if depth == 0 {
            return leaf(storm).await;
        }
        let limit = LASTS / 4 + storm.numbers.below(LASTS);
        let _ = timeout(
            ms(limit),
            group(async move |group: TaskGroup| {
                storm.groups.lock().unwrap().push(group.clone());
                for _ in 0..WIDTH {
                    if storm.may_spawn() {
                        group.spawn(branch(storm.clone(), depth - 1)).detach();
                    }
                    sleep(storm.numbers.below(3)).await;
                }
            }),
        )
        .await;
    })
}

#[test]
fn nothing_is_orphaned_where_nested_groups_are_cancelled_at_random() {
    on_virtual_time_seeded(|seed, clock| async move {
        let storm = Storm::new(seed);
        let mut tasks: Vec<_> = (0..WIDTH).map(|_| spawn(branch(storm.clone(), 3))).collect();
        while clock.ms() < LASTS {
            sleep(1 + storm.numbers.below(500)).await;
            let groups = storm.groups.lock().unwrap().clone();
            if !groups.is_empty() {
                groups[storm.numbers.below(groups.len() as u64) as usize].cancel();
            }
            if storm.numbers.below(40) == 0 {
                tasks[storm.numbers.below(WIDTH as u64) as usize].cancel();
            }
        }
        for task in &tasks {
            task.cancel();
        }
        for task in &mut tasks {
            let _ = task.await;
        }
        storm.groups.lock().unwrap().clear();
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        assert!(count(&storm.begun) > 1_000, "{}", count(&storm.begun));
        assert_eq!(count(&storm.begun), count(&storm.cleaned), "each that began cleaned up");
        assert_eq!(storm.drops.count(), count(&storm.made), "each future was dropped once");
        assert_eq!(Handle::current().metrics().live_tasks, 2, "this and the main task");
        assert_eq!(fixtures::armed_timers(), 0);
    });
}
