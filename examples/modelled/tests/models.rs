//! The models of this library. Each prints how far it was searched, and the wrong types are found or not found as their world can.

#![allow(clippy::disallowed_types, reason = "the user's own, as in any program of a user")]

use modelled::crew::add_up;
use modelled::gate::{Gate, HastyGate};
use modelled::handover::{Handover, LooseHandover};
use std::future::Future;
use std::sync::Arc;
use weftwork::model::{Builder, Failure, Report};
use weftwork::task::yield_now;
use weftwork::time::Duration;

#[cfg(weftwork_loom)]
#[path = "worlds/loom.rs"]
mod world;
#[cfg(weftwork_shuttle)]
#[path = "worlds/shuttle.rs"]
mod world;
#[cfg(not(any(weftwork_loom, weftwork_shuttle)))]
#[path = "worlds/plain.rs"]
mod world;

/// Searches with so many preemptions and prints the line that `cargo xtask loom` gathers.
fn search<F: Future<Output = ()> + 'static>(
    name: &str,
    preemptions: usize,
    body: impl Fn() -> F + Send + Sync + 'static,
) -> Result<Report, Failure> {
    let searched = Builder::new().preemptions(preemptions).check(body);
    if let Ok(report) = &searched {
        let (executions, tasks, ms) = (report.executions(), report.tasks(), report.took().as_millis());
        let bound = world::bound(preemptions);
        println!("model modelled/{name} bound={bound} executions={executions} ms={ms} tasks={tasks}");
    }
    searched
}

async fn two_wait_and_one_opens() {
    let gate = Arc::new(Gate::new());
    let waits = || {
        let gate = gate.clone();
        weftwork::spawn(async move { gate.wait().await })
    };
    let (one, other) = (waits(), waits());
    let opens = weftwork::spawn(async move { gate.open() });
    one.await.unwrap();
    other.await.unwrap();
    opens.await.unwrap();
}

async fn one_waits_and_one_opens_in_haste() {
    let gate = Arc::new(HastyGate::new());
    let theirs = gate.clone();
    let waits = weftwork::spawn(async move { theirs.wait().await });
    let opens = weftwork::spawn(async move { gate.open() });
    waits.await.unwrap();
    opens.await.unwrap();
}

#[test]
fn everybody_comes_through_the_gate() {
    search("gate", 2, two_wait_and_one_opens).unwrap();
}

#[test]
fn who_looks_at_the_hasty_gate_a_moment_too_early_is_lost() {
    let searched = search("hasty_gate", 2, one_waits_and_one_opens_in_haste);
    assert_eq!(searched.is_err(), world::FINDS_LOST_WAKES);
    if let Err(failure) = searched {
        assert!(failure.message().starts_with("nothing can run any more"), "{failure}");
        println!("found, as it should be: {failure}");
    }
}

/// The receiver gives up after two looks.
macro_rules! one_puts_and_one_looks {
    ($handover:ident) => {
        || async {
            let place = Arc::new($handover::new());
            let theirs = place.clone();
            // SAFETY: once.
            let puts = weftwork::spawn(async move { unsafe { theirs.put("value") } });
            let looks = weftwork::spawn(async move {
                for _ in 0..2 {
                    // SAFETY: this task alone.
                    if let Some(value) = unsafe { place.take() } {
                        assert_eq!(value, "value");
                        break;
                    }
                    yield_now().await;
                }
            });
            puts.await.unwrap();
            looks.await.unwrap();
        }
    };
}

#[test]
fn a_value_is_handed_over() {
    search("handover", 2, one_puts_and_one_looks!(Handover)).unwrap();
}

#[test]
fn a_flag_that_orders_nothing_hands_nothing_over() {
    let searched = search("loose_handover", 2, one_puts_and_one_looks!(LooseHandover));
    assert_eq!(searched.is_err(), world::FINDS_LOOSE_ORDERINGS);
    if let Err(failure) = searched {
        println!("found, as it should be: {failure}");
    }
}

#[test]
fn a_crew_adds_up_what_a_thread_gives_it() {
    search("crew", 1, || async {
        let sum = add_up(2, Duration::from_secs(1), |give| (1..=2).for_each(give)).await;
        assert_eq!(sum.unwrap().unwrap(), 3);
    })
    .unwrap();
}

#[test]
fn a_crew_that_waits_for_nobody_ends_with_its_time() {
    search("crew_out_of_time", 2, || async {
        let (give, given) = weftwork::sync::oneshot::channel::<u32>();
        let began = weftwork::time::Instant::now();
        let sum = weftwork::timeout(
            Duration::from_secs(5),
            weftwork::group(async |crew| {
                crew.spawn(async move { given.await.is_ok() }).detach();
                crew.spawn(weftwork::sleep(Duration::from_secs(9))).detach();
                std::future::pending::<()>().await;
            }),
        )
        .await;
        assert!(sum.is_err());
        assert_eq!(began.elapsed(), Duration::from_secs(5));
        drop(give);
    })
    .unwrap();
}
