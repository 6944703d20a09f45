#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! What weftwork gives to tests: drawn orders, sequences, cancelling everywhere, tasks that are left.

mod fixtures;

use fixtures::{Drops, Log, both_flavors, ms};
use std::collections::HashSet;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use weftwork::runtime::Builder;
use weftwork::scope::{cancellable, cleanup};
use weftwork::task::{self, yield_now};
use weftwork::testing::{Sequencer, Trial, cancel_at_every_await};
use weftwork::time::timeout;
use weftwork::{gather, sleep, spawn};

/// The order in which some tasks, each with three polls, one of them after a sleep, run under that seed.
fn order(seed: u64) -> Vec<u32> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let theirs = order.clone();
    let all = (0..6).map(move |n| {
        let order = theirs.clone();
        async move {
            order.lock().unwrap().push(n);
            yield_now().await;
            order.lock().unwrap().push(n);
            sleep(ms(10)).await;
            order.lock().unwrap().push(n);
        }
    });
    Builder::new_current_thread().virtual_clock().seed(seed).run(gather(all)).unwrap();
    order.lock().unwrap().clone()
}

#[test]
fn a_seed_gives_the_same_order_each_time() {
    for seed in 0..20 {
        assert_eq!(order(seed), order(seed), "seed {seed}");
    }
}

#[test]
fn seeds_give_many_orders() {
    let orders: HashSet<_> = (0..50).map(order).collect();
    assert!(orders.len() > 45, "{}", orders.len());
    let firsts: HashSet<_> = orders.iter().map(|order| order[0]).collect();
    assert_eq!(firsts.len(), 6, "each of them may be the first");
}

#[test]
fn without_a_seed_the_order_is_that_of_coming() {
    let order = Log::default();
    let theirs = order.clone();
    let all = (0..3).map(move |n: u32| {
        let order = theirs.clone();
        async move { order.put(n.to_string()) }
    });
    Builder::new_current_thread().run(gather(all)).unwrap();
    assert_eq!(order.all(), ["0", "1", "2"]);
}

#[test]
fn a_sequence_puts_points_of_several_tasks_in_order() {
    both_flavors(|builder| {
        builder
            .run(async {
                let (seq, log) = (Sequencer::new(), Log::default());
                let tasks = (0..3).map(|task| {
                    let (seq, log) = (seq.clone(), log.clone());
                    async move {
                        for turn in 0..3 {
                            let number = turn * 3 + (task + turn) % 3;
                            seq.at(number).await;
                            log.put(number.to_string());
                        }
                    }
                });
                gather(tasks).await;
                assert_eq!(log.all(), (0..9).map(|n| n.to_string()).collect::<Vec<_>>());
            })
            .unwrap();
    });
}

#[test]
fn a_sequence_breaks_loudly_when_a_point_of_it_is_cancelled() {
    both_flavors(|builder| {
        builder
            .run(async {
                let seq = Sequencer::new();
                let theirs = seq.clone();
                let behind = spawn(async move { theirs.at(2).await });
                assert!(timeout(ms(5), seq.at(1)).await.is_err());
                let panic = behind.await.unwrap_err().into_panic().unwrap();
                assert!(panic.message().unwrap().contains("whoever waited at 1 was cancelled"), "{panic:?}");
            })
            .unwrap();
    });
}

#[test]
fn a_point_of_a_sequence_is_awaited_once() {
    both_flavors(|builder| {
        builder
            .run(async {
                let seq = Sequencer::new();
                seq.at(0).await;
                let panic = spawn(async move { seq.at(0).await }).await.unwrap_err().into_panic().unwrap();
                assert!(panic.message().unwrap().contains("awaited twice"), "{panic:?}");
            })
            .unwrap();
    });
}

#[test]
fn a_future_is_cancelled_at_each_of_its_awaits_and_then_runs_to_its_end() {
    both_flavors(|builder| {
        builder
            .virtual_clock()
            .run(async {
                let (drops, ends) = (Drops::default(), Mutex::new(Vec::new()));
                let make = || async {
                    let _token = drops.token();
                    yield_now().await;
                    sleep(ms(10)).await;
                    sleep(ms(10)).await;
                    7
                };
                let awaits = cancel_at_every_await(make, async |ended| ends.lock().unwrap().push(ended.ok())).await;
                assert_eq!(awaits, 3);
                assert_eq!((drops.count(), ends.into_inner().unwrap()), (4, vec![None, None, None, Some(7)]));
            })
            .unwrap();
    });
}

#[test]
fn pads_run_where_a_future_is_cancelled_everywhere() {
    both_flavors(|builder| {
        builder
            .virtual_clock()
            .run(async {
                let log = Log::default();
                let make = || async {
                    if let Err(cancelled) = cancellable(sleep(ms(10))).await {
                        cleanup(ms(10), sleep(ms(1))).await.unwrap();
                        log.put("cleaned");
                        cancelled.propagate::<()>().await;
                    }
                };
                cancel_at_every_await(make, async |_| {}).await;
                assert_eq!(log.all(), ["cleaned"]);
            })
            .unwrap();
    });
}

/// The panic of a trial.
fn failure(trial: Trial, body: impl Future<Output = ()>) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| trial.run(body))).expect_err("it fails");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_task_that_is_left_fails_the_test_by_its_name_and_place() {
    both_flavors(|builder| {
        let text = failure(Trial::new(builder), async {
            task::Builder::new().name("the forgotten").spawn(pending::<()>()).unwrap().detach();
        });
        assert!(text.contains("tasks are left") && text.contains("`the forgotten`"), "{text}");
        assert!(text.contains(&format!("spawned at {}:", file!())), "{text}");
    });
}

#[test]
fn a_task_that_can_end_is_no_leak_and_one_that_is_allowed_none_either() {
    both_flavors(|builder| {
        Trial::new(builder)
            .run(async {
                spawn(async {
                    for _ in 0..100 {
                        yield_now().await;
                    }
                })
                .detach();
            })
            .unwrap();
    });
    both_flavors(|builder| {
        let trial = Trial::new(builder).allow_leaks();
        trial.run(async { spawn(pending::<()>()).detach() }).unwrap();
    });
}
