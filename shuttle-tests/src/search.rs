//! Drawing schedules, and the line that each scenario prints.
//!
//! ```text
//! model S5/channels bound=random executions=10000 ms=4211
//! ```
//!
//! The command line: `--schedules N` for each scenario and way of drawing, `--scenario S` for those whose name contains S, `--seed N`, and
//! `--replay SCHEDULE`, what shuttle printed of a failure.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "it stands outside of the schedules")]

use crate::list::{SCENARIOS, Scenario};
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, Runner};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// Bytes of a thread's stack.
const STACK: usize = 1 << 18;
/// How often priorities change in one schedule of PCT.
const DEPTH: usize = 3;

struct Choice {
    schedules: usize,
    scenario: String,
    seed: u64,
    replay: Option<String>,
}

pub(crate) fn run() -> ExitCode {
    let choice = match read(std::env::args().skip(1)) {
        Ok(choice) => choice,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::FAILURE;
        }
    };
    let chosen: Vec<&Scenario> = SCENARIOS.iter().filter(|(name, _)| name.contains(&choice.scenario)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = SCENARIOS.iter().map(|(name, _)| *name).collect();
        eprintln!("no scenario has `{}` in its name; there are: {}", choice.scenario, names.join(", "));
        return ExitCode::FAILURE;
    }
    let failed: Vec<_> = chosen.iter().filter(|scenario| !holds(scenario, &choice)).map(|(name, _)| *name).collect();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "failed: {}. With --seed {} the same schedules are drawn again; --scenario NAME --replay 'SCHEDULE', with what stands above, is \
         the one that failed",
        failed.join(", "),
        choice.seed
    );
    ExitCode::FAILURE
}

fn read(mut given: impl Iterator<Item = String>) -> Result<Choice, String> {
    let seed = RandomState::new().build_hasher().finish();
    let mut choice = Choice { schedules: 1_000, scenario: String::new(), seed, replay: None };
    while let Some(flag) = given.next() {
        let value = given.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{flag} does not take `{value}`"));
        match flag.as_str() {
            "--schedules" => choice.schedules = usize::try_from(number()?).unwrap_or(usize::MAX).max(1),
            "--scenario" => choice.scenario = value,
            "--seed" => choice.seed = number()?,
            "--replay" => choice.replay = Some(value),
            _ => return Err(format!("`{flag}` means nothing here")),
        }
    }
    Ok(choice)
}

/// Draws, and prints a line for each way; `false` once a schedule has failed.
fn holds((name, body): &Scenario, choice: &Choice) -> bool {
    if let Some(schedule) = &choice.replay {
        return drawn(name, "replay", Box::new(ReplayScheduler::new_from_encoded(schedule)), *body);
    }
    let random = RandomScheduler::new_from_seed(choice.seed, choice.schedules);
    let priorities = PctScheduler::new_from_seed(choice.seed, DEPTH, choice.schedules);
    drawn(name, "random", Box::new(random), *body) && drawn(name, "pct", Box::new(priorities), *body)
}

fn drawn(name: &str, way: &str, scheduler: Box<dyn Scheduler + Send>, body: fn()) -> bool {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    let began = Instant::now();
    let ran = catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, config).run(body)));
    let ms = began.elapsed().as_millis();
    match ran {
        Ok(executions) => println!("model {name} bound={way} executions={executions} ms={ms}"),
        Err(_) => println!("{name} FAILED ({way}, after {ms} ms)"),
    }
    ran.is_ok()
}
