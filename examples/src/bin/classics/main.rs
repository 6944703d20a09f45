//! The asyncio classics: the small programs from which people learn asyncio, each as it reads in Rust on weftwork.
//!
//! `classics gather` runs one, `classics list` says which there are, and `classics check` runs all of them on both flavours
//! and compares what they print with the file beside each. One binary holds them all, because each of fifty would be
//! linked for a second or two; each program is a file that reads from top to bottom without the others.
//!
//! | folder | its programs are about |
//! |---|---|
//! | `first_steps/` | what `async` and `.await` do, before there is a second task |
//! | `tasks/` | spawning, and when a task runs |
//! | `together/` | several at once: gather, groups, wait, semaphores |
//! | `stopping/` | cancellation, timeouts, cleaning up |
//! | `threads/` | code that blocks |
//! | `network/` | sockets |
//!
//! `classic.rs` is what is known about each, `stage.rs` the runtime and the clock they run on, `pace.rs` how long their
//! seconds are, `check.rs` the comparison.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "programs use what users of weftwork use; some show what blocks a thread"
)]

mod check;
mod classic;
mod first_steps;
mod network;
mod pace;
mod stage;
mod stopping;
mod tasks;
mod threads;
mod together;

use classic::Classic;
use examples::arguments::{Arguments, UsageError};
use stage::{Flavor, Stage};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

const HELP: &str = "\
The asyncio classics on weftwork.

Usage: classics NAME [flags]      runs one
       classics list              says which there are
       classics check [NAME]      runs all, or one, on both flavours, and compares what they print

  --flavor FLAVOR   multi_thread or current_thread (current_thread, on which the order is asyncio's)
  --scale NUMBER    how long a second lasts, as 0.01 (1, or what CLASSICS_SCALE says)
  --virtual-time    jump over every wait: nothing takes time, and the times shown are exact
  --help            this text

What is the same at every run is on stdout, the rest on stderr.
";

/// The conventional code for a command line that cannot be understood.
const USAGE: u8 = 2;

enum Request {
    Help,
    List,
    Check(Option<&'static Classic>),
    Run(&'static Classic, Stage, f64),
}

fn main() -> ExitCode {
    let done = match parse(std::env::args_os().skip(1), std::env::var_os("CLASSICS_SCALE")) {
        // A reader that has gone away wants no more of either.
        Ok(Request::Help) => io::stdout().write_all(HELP.as_bytes()).or(Ok(())),
        Ok(Request::List) => io::stdout().write_all(list().as_bytes()).or(Ok(())),
        Ok(Request::Check(one)) => check::run(one),
        Ok(Request::Run(classic, stage, scale)) => {
            pace::set(scale);
            (classic.run)(&stage).map_err(io::Error::from)
        }
        Err(error) => {
            eprintln!("classics: {error}\nTry `classics --help`.");
            return ExitCode::from(USAGE);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("classics: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(given: impl IntoIterator<Item = OsString>, scale: Option<OsString>) -> Result<Request, UsageError> {
    let mut given = Arguments::new(given)?;
    if given.flag(&["--help", "-h"]) {
        return Ok(Request::Help);
    }
    let virtual_time = given.flag(&["--virtual-time"]);
    let flavor = given
        .value_with("--flavor", "multi_thread or current_thread", |text| match text {
            "multi_thread" => Some(Flavor::MultiThread),
            "current_thread" => Some(Flavor::CurrentThread),
            _ => None,
        })?
        .unwrap_or(Flavor::CurrentThread);
    let from_environment = match scale {
        Some(text) => Some(
            text.to_str()
                .and_then(positive)
                .ok_or_else(|| UsageError::new(format!("CLASSICS_SCALE cannot be {text:?}: it has to be {SCALE}")))?,
        ),
        None => None,
    };
    let scale = given.value_with("--scale", SCALE, positive)?.or(from_environment).unwrap_or(1.0);
    let word = given.word();
    let request = match word.as_deref() {
        None => Request::Help,
        Some("list") => Request::List,
        Some("check") => Request::Check(given.word().map(|name| find(&name)).transpose()?),
        Some(name) => Request::Run(find(name)?, Stage { flavor, virtual_time }, scale),
    };
    given.end()?;
    Ok(request)
}

const SCALE: &str = "a number of seconds, as 1 or 0.01";

fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|scale| (0.000_001..=1000.0).contains(scale))
}

fn find(name: &str) -> Result<&'static Classic, UsageError> {
    classic::all()
        .find(|classic| classic.name == name)
        .ok_or_else(|| UsageError::new(format!("no classic is called {name:?}; `classics list` says which there are")))
}

fn list() -> String {
    classic::all().map(|Classic { name, about, .. }| format!("{name:<20}{about}\n")).collect()
}
