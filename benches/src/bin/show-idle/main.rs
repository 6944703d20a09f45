//! What a runtime on its defaults costs while nothing happens, and how long it takes to begin.
//!
//! `show-idle [--connections N] [--timers N] [--seconds N]`: 10 000 open connections, whose other ends are a second process,
//! each with a task that reads; 10 000 tasks that sleep for an hour and more. Over 20 s the process may use less than 0.1 %
//! of a processor and its threads may wake up less than twice a second. A runtime is built in less than 300 us, as the
//! median of 200.
//!
//! | file | holds |
//! |---|---|
//! | `crowd.rs` | the second process |
//! | `look.rs` | the process's threads and its time, by /proc |
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod crowd;
mod look;

use look::Threads;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use weftwork::Runtime;
use weftwork::net::TcpListener;

const MOST_PROCESSOR: f64 = 0.001;
const MOST_WAKE_UPS: f64 = 2.0;
const LONGEST_BUILD: Duration = Duration::from_micros(300);
const BUILDS: usize = 200;
/// What the runtime still does for what has just happened is over by then.
const SETTLE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("--crowd") => crowd::be(&arguments[1..]).map(|()| true),
        _ => show(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

fn show(arguments: &[String]) -> Result<bool, String> {
    let number = |name: &str, usual: usize| match arguments.iter().position(|given| given == name) {
        None => Ok(usual),
        Some(at) => {
            let value = arguments.get(at + 1).and_then(|text| text.parse().ok());
            value.ok_or_else(|| format!("{name} wants a number"))
        }
    };
    let (connections, timers) = (number("--connections", 10_000)?, number("--timers", 10_000)?);
    let seconds = number("--seconds", 20)?.max(1);
    let builds_are_short = beginning()?;
    let is_quiet = rest(connections, timers, Duration::from_secs(seconds as u64))?;
    Ok(builds_are_short && is_quiet)
}

/// How long it takes to build a runtime, and to shut it down.
fn beginning() -> Result<bool, String> {
    let (mut builds, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..BUILDS {
        let start = Instant::now();
        let runtime = Runtime::new().map_err(|e| e.to_string())?;
        builds.push(start.elapsed());
        let start = Instant::now();
        drop(runtime);
        ends.push(start.elapsed());
    }
    builds.sort();
    ends.sort();
    let [build, end] = [builds[BUILDS / 2], ends[BUILDS / 2]];
    let is_met = build < LONGEST_BUILD;
    println!(
        "Runtime::new takes {build:.0?} (median of {BUILDS}, {:.0?} to {:.0?}); its shutdown {end:.0?}: {} {LONGEST_BUILD:?}",
        builds[0],
        builds[BUILDS - 1],
        if is_met { "below" } else { "NOT below" },
    );
    Ok(is_met)
}

/// What it uses while nothing happens.
fn rest(connections: usize, timers: usize, time: Duration) -> Result<bool, String> {
    let connections = crowd::allow_descriptors(connections);
    let runtime = Runtime::new().map_err(|e| e.to_string())?;
    let (ready, sleeping) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let counted = Arc::clone(&ready);
    runtime
        .spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let ready = Arc::clone(&counted);
                weftwork::spawn(async move {
                    ready.fetch_add(1, Ordering::Relaxed);
                    let mut buffer = [0; 64];
                    // The other end says nothing until it goes.
                    while let Ok(1..) = stream.read(&mut buffer).await {}
                })
                .detach();
            }
        })
        .detach();
    for n in 0..timers {
        let sleeping = Arc::clone(&sleeping);
        runtime
            .spawn(async move {
                sleeping.fetch_add(1, Ordering::Relaxed);
                weftwork::sleep(Duration::from_secs(3_600 + n as u64)).await;
            })
            .detach();
    }
    let crowd = crowd::Crowd::start(address, connections)?;
    let start = Instant::now();
    while ready.load(Ordering::Relaxed) < connections || sleeping.load(Ordering::Relaxed) < timers {
        if start.elapsed() > PATIENCE {
            return Err(format!("only {} of {connections} connections came", ready.load(Ordering::Relaxed)));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(SETTLE);

    let before = Threads::now()?;
    let (start, processor) = (Instant::now(), look::processor_time());
    std::thread::sleep(time);
    let (used, took) = (look::processor_time() - processor, start.elapsed());
    let woken = Threads::now()?.woken_since(&before);
    drop(crowd);

    let share = used.as_secs_f64() / took.as_secs_f64();
    let wake_ups = woken.iter().map(|(_, count)| count).sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let per_second = wake_ups as f64 / took.as_secs_f64();
    println!("at rest for {took:.1?} with {connections} connections and {timers} timers:");
    let word = |is_met: bool| if is_met { "below" } else { "NOT below" };
    let (cpu_is_met, wakes_are_met) = (share < MOST_PROCESSOR, per_second < MOST_WAKE_UPS);
    let (shown, most) = (share * 100.0, MOST_PROCESSOR * 100.0);
    println!("  processor: {used:.1?}, {shown:.4} %: {} {most} %", word(cpu_is_met));
    println!("  wake-ups: {wake_ups}, {per_second:.2} a second: {} {MOST_WAKE_UPS}", word(wakes_are_met));
    for (name, count) in woken {
        println!("    {count:>6} of {name}");
    }
    Ok(cpu_is_met && wakes_are_met)
}
