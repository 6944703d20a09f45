//! `rules`: the tests of the contract again and again, each on both flavours, on virtual time: one thread draws the order of its
//! tasks from as many seeds, several race for real.

use std::time::Instant;

use crate::arguments::Arguments;
use crate::steps::seconds;
use crate::workspace::{Workspace, announce, finish};

/// The files whose tests hold the rules and the cases.
const FILES: &[&str] = &[
    "scopes",
    "deadlines",
    "regions",
    "groups",
    "group_edges",
    "combinators",
    "select",
    "conformance",
    "conformance_sync",
    "start",
    "soft_cancel",
    "task_locals",
    "end_of_run",
    "introspection",
];

/// Files each of whose rounds takes long; only where one is asked for by its name.
const LONG: &[&str] = &["groups_under_stress"];

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> crate::Outcome {
    let rounds: u64 = arguments.value("--rounds")?.unwrap_or(1_000);
    let only: Option<String> = arguments.value("--only")?;
    arguments.end()?;
    let chosen = chosen(only.as_deref())?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--profile", "rules", "--package", "weftwork-tests"]);
    for file in chosen {
        cargo.args(["--test", file]);
    }
    // Building is no part of the time that the rounds take.
    let mut build = workspace.cargo();
    build.args(cargo.get_args()).arg("--no-run");
    announce(&build);
    finish(&mut build)?;
    let began = Instant::now();
    cargo.arg("--no-fail-fast");
    cargo.env("WEFTWORK_ROUNDS", rounds.to_string()).env("RUST_BACKTRACE", "0");
    announce(&cargo);
    let ended = finish(&mut cargo);
    println!("{rounds} rounds on each flavor in {}", seconds(began.elapsed()));
    ended.map_err(|fault| format!("{fault}; what the test printed says with which seed to run it again"))
}

/// The files that are asked for.
fn chosen(only: Option<&str>) -> Result<Vec<&'static str>, String> {
    let Some(only) = only else { return Ok(FILES.to_vec()) };
    let long = LONG.iter().filter(|file| **file == only);
    let chosen: Vec<_> = FILES.iter().filter(|file| file.contains(only)).chain(long).copied().collect();
    if chosen.is_empty() {
        let all = [FILES, LONG].concat().join(", ");
        return Err(format!("no file of rules has `{only}` in its name: there are {all}"));
    }
    Ok(chosen)
}
