//! Tasks come and go while the runtime is shut down at a random moment; every future is dropped exactly once.
//!
//! `show-churn [--rounds N] [--tasks N] [--seed N] [--small]`: 1 000 rounds of 100 000 tasks. In each round
//! half of the tasks are cancelled at random: from inside, from a plain thread, and from a task of another runtime; the rest
//! end, wait for each other, or wait for ever. `--small` is for memory checkers. Fails on a future that is dropped twice or
//! never, on a handle that does not resolve, on a shutdown that names what it should not have left, and on a hang.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use weftwork::runtime::{Builder, Runtime};
use weftwork::{Handle, JoinHandle};

/// A round that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every future carries: it counts itself and complains if it goes twice.
struct Canary {
    alive: bool,
    drops: Arc<Drops>,
}

#[derive(Default)]
struct Drops {
    made: AtomicU64,
    dropped: AtomicU64,
    twice: AtomicU64,
}

impl Canary {
    fn new(drops: &Arc<Drops>) -> Self {
        drops.made.fetch_add(1, Ordering::Relaxed);
        Self { alive: true, drops: drops.clone() }
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        if !std::mem::replace(&mut self.alive, false) {
            self.drops.twice.fetch_add(1, Ordering::Relaxed);
        }
        self.drops.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// splitmix64; a seed gives the same choices, though not the same interleaving.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let small = arguments.iter().any(|argument| argument == "--small");
    let rounds = number("--rounds", if small { 20 } else { 1_000 });
    let per_round = number("--tasks", if small { 100 } else { 100_000 });
    let seed = number("--seed", 1);
    let (start, drops, mut resolved) = (Instant::now(), Arc::new(Drops::default()), Outcomes::default());
    println!("{rounds} rounds of {per_round} tasks, seed {seed}");
    for round in 0..rounds {
        let (send, done) = channel();
        let theirs = drops.clone();
        // On a thread of its own, so that a hang is seen.
        std::thread::spawn(move || send.send(one_round(Random(seed ^ (round << 20)), per_round, &theirs)));
        match done.recv_timeout(PATIENCE) {
            Ok(Ok(outcomes)) => resolved.add(outcomes),
            Ok(Err(why)) => return fail(round, &why),
            Err(_) => return fail(round, "it hangs, or a thread of it panicked"),
        }
        let (made, dropped) = (drops.made.load(Ordering::Relaxed), drops.dropped.load(Ordering::Relaxed));
        if made != dropped || drops.twice.load(Ordering::Relaxed) != 0 {
            return fail(round, &format!("{made} futures were made, {dropped} dropped, some perhaps twice"));
        }
    }
    println!(
        "{} futures made and dropped once each; handles: {} values, {} cancelled; {:?}",
        drops.made.load(Ordering::Relaxed),
        resolved.values,
        resolved.cancelled,
        start.elapsed()
    );
    ExitCode::SUCCESS
}

fn fail(round: u64, why: &str) -> ExitCode {
    println!("round {round}: FAILED: {why}");
    ExitCode::FAILURE
}

#[derive(Default)]
struct Outcomes {
    values: u64,
    cancelled: u64,
}

impl Outcomes {
    fn add(&mut self, other: Self) {
        self.values += other.values;
        self.cancelled += other.cancelled;
    }
}

fn one_round(mut random: Random, tasks: u64, drops: &Arc<Drops>) -> Result<Outcomes, String> {
    let runtime = build()?;
    let other = build()?;
    let (early, late): (Vec<_>, Vec<_>) =
        (0..tasks).map(|_| start(runtime.handle(), &mut random, drops)).enumerate().partition(|(n, _)| n % 2 == 0);
    let early: Vec<_> = early.into_iter().map(|(_, handle)| handle).collect();
    let late: Vec<_> = late.into_iter().map(|(_, handle)| handle).collect();
    let (mut for_thread, mut for_other) = (random.clone(), Random(random.below(u64::MAX)));
    // Half of the tasks get their cancel from outside: from a plain thread, or from a task of another runtime.
    let outside = std::thread::spawn(move || {
        for handle in &early {
            if for_thread.below(2) == 0 {
                handle.cancel();
            }
        }
        early
    });
    let elsewhere = other.spawn(async move {
        for handle in &late {
            match for_other.below(4) {
                0 | 1 => drop(handle.cancel_with("from another runtime")),
                2 => weftwork::task::yield_now().await,
                _ => {}
            }
        }
        late
    });
    // And the runtime goes at a random moment meanwhile.
    for _ in 0..random.below(2 * tasks.min(10_000)) {
        std::hint::spin_loop();
        std::thread::yield_now();
    }
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
    let mut handles = outside.join().map_err(|_| "the cancelling thread panicked".to_owned())?;
    handles.extend(other.block_on(elsewhere).map_err(|error| error.to_string())?);
    let mut outcomes = Outcomes::default();
    for mut handle in handles {
        match handle.try_take() {
            Some(Ok(_)) => outcomes.values += 1,
            Some(Err(error)) if error.is_cancelled() => outcomes.cancelled += 1,
            Some(Err(error)) => return Err(format!("a task ended as no task should: {error}")),
            None => return Err(format!("{handle:?} did not resolve although its runtime is gone")),
        }
    }
    other.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
    Ok(outcomes)
}

fn build() -> Result<Runtime, String> {
    Builder::new_multi_thread().worker_threads(2).build().map_err(|error| error.to_string())
}

/// A task of a random kind.
fn start(on: &Handle, random: &mut Random, drops: &Arc<Drops>) -> JoinHandle<u64> {
    let canary = Canary::new(drops);
    let (kind, theirs) = (random.below(8), drops.clone());
    on.spawn(async move {
        let _canary = canary;
        match kind {
            0 => {}
            1 => {
                for _ in 0..5 {
                    weftwork::task::yield_now().await;
                }
            }
            2..=4 => std::future::pending::<()>().await,
            5 => weftwork::sleep(Duration::from_micros(300)).await,
            6 => {
                // Cancels its own child, and waits for it.
                let canary = Canary::new(&theirs);
                let child = weftwork::spawn(async move {
                    let _canary = canary;
                    std::future::pending::<()>().await;
                });
                child.cancel();
                let _ = child.await;
            }
            _ => {
                let canary = Canary::new(&theirs);
                let child = weftwork::spawn(async move {
                    let _canary = canary;
                    weftwork::task::yield_now().await;
                    1
                });
                let _ = child.await;
            }
        }
        kind
    })
}
