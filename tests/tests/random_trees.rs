#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Random trees of scopes, deadlines, pads, shields and tasks, cancelled at random: each unwinds whole.

mod fixtures;

use fixtures::{Drops, Numbers, ms, on_virtual_time, sleep};
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use weftwork::scope::{CancelScope, cancellable, cleanup, current_scope, shield};
use weftwork::spawn;
use weftwork::task::yield_now;
use weftwork::time::timeout;

/// What a random task does; times are milliseconds.
#[derive(Debug)]
enum Plan {
    Sleep(u64),
    Yield,
    /// What comes after it: the time that cleaning up takes, and whether it propagates.
    Pad(Box<Plan>, u64, bool),
    Shield(Box<Plan>),
    Timeout(u64, Box<Plan>),
    Scope(Box<Plan>),
    InTurn(Vec<Plan>),
    Together(Vec<Plan>),
    /// In a combinator that polls only what is woken.
    AsTheyCome(Vec<Plan>),
    Task(Box<Plan>),
    /// A task waited for by reference, for a time, and then for good.
    Kept(u64, Box<Plan>),
    CancelSelf,
}

impl Plan {
    fn random(numbers: &Numbers, depth: u64) -> Self {
        let inner = |numbers: &Numbers| Box::new(Self::random(numbers, depth - 1));
        let some =
            |numbers: &Numbers| (0..1 + numbers.below(3)).map(|_| Self::random(numbers, depth - 1)).collect::<Vec<_>>();
        match if depth == 0 { numbers.below(6) } else { numbers.below(24) } {
            0..4 => Self::Sleep(numbers.below(20)),
            4 => Self::Yield,
            5 if numbers.below(8) == 0 => Self::CancelSelf,
            5 => Self::Sleep(1),
            6..11 => Self::Pad(inner(numbers), numbers.below(5), numbers.below(2) == 0),
            11 => Self::Shield(Box::new(Self::random(numbers, depth / 2))),
            12..15 => Self::Timeout(numbers.below(15), inner(numbers)),
            15..17 => Self::Scope(inner(numbers)),
            17 => Self::InTurn(some(numbers)),
            18..20 => Self::Together(some(numbers)),
            20 => Self::AsTheyCome(some(numbers)),
            21..23 => Self::Task(inner(numbers)),
            _ => Self::Kept(numbers.below(15), inner(numbers)),
        }
    }
}

/// What the random tasks leave behind.
#[derive(Debug, Clone, Default)]
struct Traces {
    made: Arc<AtomicUsize>,
    drops: Drops,
    begun: Arc<AtomicUsize>,
    after: Arc<AtomicUsize>,
    scopes: Arc<Mutex<Vec<CancelScope>>>,
}

fn follow(plan: Plan, traces: Traces) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    traces.made.fetch_add(1, Ordering::Relaxed);
    let token = traces.drops.token();
    Box::pin(async move {
        let _token = token;
        let go = |plan| follow(plan, traces.clone());
        match plan {
            Plan::Sleep(of) => sleep(of).await,
            Plan::Yield => yield_now().await,
            Plan::Pad(inner, clean, propagates) => {
                let inner = go(*inner);
                traces.begun.fetch_add(1, Ordering::Relaxed);
                let ended = cancellable(inner).await;
                traces.after.fetch_add(1, Ordering::Relaxed);
                if let Err(cancelled) = ended {
                    let _ = cleanup(ms(3), sleep(clean)).await;
                    if propagates {
                        cancelled.propagate::<()>().await;
                    }
                }
            }
            Plan::Shield(inner) => shield(go(*inner)).await,
            Plan::Timeout(after, inner) => drop(timeout(ms(after), go(*inner)).await),
            Plan::Scope(inner) => {
                let scope = CancelScope::new();
                traces.scopes.lock().unwrap().push(scope.clone());
                let _ = scope.run(go(*inner)).await;
            }
            Plan::InTurn(all) => {
                for plan in all {
                    go(plan).await;
                }
            }
            Plan::Together(all) => drop(join_all(all.into_iter().map(go)).await),
            Plan::AsTheyCome(all) => {
                let mut all: FuturesUnordered<_> = all.into_iter().map(go).collect();
                while all.next().await.is_some() {}
            }
            Plan::Task(inner) => drop(spawn(go(*inner)).await),
            Plan::Kept(after, inner) => {
                let mut task = spawn(go(*inner));
                if timeout(ms(after), &mut task).await.is_err() {
                    let _ = task.await;
                }
            }
            Plan::CancelSelf => drop(current_scope().cancel()),
        }
    })
}

#[test]
fn random_trees_unwind_whole() {
    const BATCHES: u64 = 100;
    const TREES: u64 = 100;
    on_virtual_time(|clock| async move {
        for batch in 0..BATCHES {
            let began = clock.ms();
            let traces = Traces::default();
            let numbers = Numbers::new(batch);
            let mut tasks: Vec<_> =
                (0..TREES).map(|_| spawn(follow(Plan::random(&numbers, 5), traces.clone()))).collect();
            for _ in 0..numbers.below(30) {
                sleep(numbers.below(3)).await;
                for _ in 0..numbers.below(8) {
                    tasks[numbers.below(TREES) as usize].cancel();
                }
                let scopes = traces.scopes.lock().unwrap().clone();
                for _ in 0..numbers.below(8).min(scopes.len() as u64) {
                    scopes[numbers.below(scopes.len() as u64) as usize].cancel();
                }
            }
            for task in &mut tasks {
                let _ = task.await;
            }
            // Nothing had to be given up after a second.
            assert!(clock.ms() - began < 1_000, "batch {batch} took {} ms", clock.ms() - began);
            drop(tasks);
            traces.scopes.lock().unwrap().clear();
            // Those that were detached end by themselves.
            sleep(1_000).await;
            let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
            assert_eq!(traces.drops.count(), count(&traces.made), "batch {batch}: futures");
            assert_eq!(count(&traces.begun), count(&traces.after), "batch {batch}: pads");
            assert_eq!(fixtures::armed_timers(), 0, "batch {batch}: timers");
        }
    });
}
