//! `rules`: the tests of the contract again and again, each on both flavours, on virtual time: one thread draws the order of its
//! tasks from as many seeds, several race for real.

use std::time::Instant;

use crate::arguments::Arguments;
use crate::steps::seconds;
use crate::workspace::{Workspace, announce, finish};

/// The files whose tests run on virtual time.
const FILES: [&str; 8] =
    ["scopes", "deadlines", "regions", "groups", "combinators", "select", "conformance", "conformance_sync"];

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> crate::Outcome {
    let rounds: u64 = arguments.value("--rounds")?.unwrap_or(1_000);
    let only: Option<String> = arguments.value("--only")?;
    arguments.end()?;
    let began = Instant::now();
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "weftwork-tests", "--no-fail-fast"]);
    for file in FILES.iter().filter(|file| only.as_deref().is_none_or(|only| file.contains(only))) {
        cargo.args(["--test", file]);
    }
    cargo.args(["--", "--nocapture"]).env("WEFTWORK_ROUNDS", rounds.to_string()).env("RUST_BACKTRACE", "0");
    announce(&cargo);
    let ended = finish(&mut cargo);
    println!("{rounds} rounds on each flavor in {}", seconds(began.elapsed()));
    ended.map_err(|fault| format!("{fault}; what the test printed says with which seed to run it again"))
}
