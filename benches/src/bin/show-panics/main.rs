//! A panic stays where it happens, and a thread that cannot be had is a typed error.
//!
//! Panics are planted wherever the runtime calls code that is not its own: tasks, destructors, wakers, blocking closures,
//! hooks. Each on both flavors, in a runtime of its own, which afterwards runs a round of everything and is shut down.
//! Then thread starts fail: the n-th one, by a fault point; and for real, in a process of a user without privileges that
//! may have so many threads and no more.
//!
//! Fails if anything gets out, hangs, is not reported with its task and place, or is not the error that it should be.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod blocking;
mod faults;
mod places;
mod planted;
mod reports;
mod round;
mod unprivileged;
mod wakers;

use reports::Reports;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;
use weftwork::Runtime;
use weftwork::runtime::Builder;

/// Nothing below may take longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a scene is: it plants one panic and says what is wrong with what became of it.
type Scene = fn(Reports) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
/// A change to the runtime that a scene needs.
type Setting = fn(Builder) -> Builder;
/// A builder as every scene gets it.
type Flavor = fn() -> Builder;
/// What is shown beside the scenes.
type Other = fn() -> Result<(), String>;

const FLAVORS: [(&str, Flavor); 2] = [
    ("multi-thread", || Builder::new_multi_thread().worker_threads(2)),
    ("current-thread", Builder::new_current_thread),
];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("--threads") => return ended(unprivileged::inside()),
        Some("--full-stderr") => return ended(places::with_stderr_full()),
        _ => planted::keep_quiet(),
    }
    let mut failed = false;
    println!("planted panics: what was reported, and whether the runtime goes on");
    let scenes = places::SCENES.iter().chain(wakers::SCENES).chain(blocking::SCENES);
    for &(title, setting, scene) in scenes {
        for (flavor, builder) in FLAVORS {
            let reports = Reports::default();
            let outcome = within_patience({
                let reports = reports.clone();
                move || one(setting(builder()), &reports, scene)
            });
            let verdict = if outcome.is_ok() { "contained" } else { "FAILED" };
            println!("  {title:<58} {flavor:<14} {verdict}");
            for report in reports.all() {
                println!("      {report}");
            }
            failed |= ended(outcome) != ExitCode::SUCCESS;
        }
    }
    let others: [(&str, Other); 3] = [
        ("the hook for reports panics, and stderr is full", places::stderr_full),
        ("thread starts that fail by fault point", faults::scene),
        ("thread starts that fail for real, as a user without privileges", unprivileged::scene),
    ];
    for (title, scene) in others {
        println!("\n{title}");
        failed |= ended(within_patience(scene)) != ExitCode::SUCCESS;
    }
    for panic in planted::strangers() {
        println!("  FAILED: a panic that nobody planted: {panic}");
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("      FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `f` on a thread of its own, so that a hang and a panic that gets out are seen.
fn within_patience(f: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let (send, done) = channel();
    std::thread::spawn(move || send.send(f()));
    done.recv_timeout(PATIENCE * 2).unwrap_or_else(|_| Err("it hangs, or a panic got out".into()))
}

/// Plants, waits, runs a round, ends.
fn one(builder: Builder, reports: &Reports, scene: Scene) -> Result<(), String> {
    let runtime = builder.on_unhandled(reports.hook()).build().map_err(|error| error.to_string())?;
    let outcome = runtime.block_on(within(scene(reports.clone())));
    let after = runtime.block_on(within(round::everything()));
    let end = end(runtime, reports);
    outcome?;
    after.map_err(|why| format!("afterwards {why}"))?;
    end
}

fn end(runtime: Runtime, reports: &Reports) -> Result<(), String> {
    let handle = runtime.handle().clone();
    runtime.shutdown_timeout(PATIENCE).map_err(|error| error.to_string())?;
    match handle.metrics().live_tasks {
        0 => reports.after_shutdown(),
        left => Err(format!("{left} tasks are left after shutdown")),
    }
}

async fn within(future: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    weftwork::timeout(PATIENCE, future).await.unwrap_or_else(|_| Err(format!("nothing came in {PATIENCE:?}")))
}
