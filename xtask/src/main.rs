//! The tasks of this workspace, as one program: `cargo xtask test | loom | shuttle | count | icount | show | examples | rules | bench | deps | houserules | help`.
//!
//! It stands on std alone, so that it builds in seconds on any machine, before anything else does.
//!
//! | file | holds |
//! |---|---|
//! | `arguments.rs` | flags and values of a command line |
//! | `steps.rs` | running steps one after the other, with their times and a summary |
//! | `workspace.rs` | where things lie, and cargo as it was started |
//! | `everything.rs` | `test`: what has to hold before a change goes in |
//! | `models.rs`, `figures.rs` | `loom`: building and running the models; the lines they print, and the table |
//! | `schedules.rs` | `shuttle`: the scenarios under drawn schedules |
//! | `icount.rs` | `icount`: instructions per operation, beside what they were |
//! | `writes.rs` | `count`: the tests of the counting world |
//! | `rules.rs` | `rules`: the tests of the contract, again and again |
//! | `programs.rs` | `show`: the programs that print figures |
//! | `classics.rs` | `examples`: the asyncio classics, and what they should print |
//! | `beside_peers.rs` | `bench`: the figures beside those of the peers |
//! | `browser.rs` | `show browser`: charfinder's page in a real browser |
//! | `arrows.rs` | `deps`: which crate may depend on which |
//! | `house_rules.rs`, `source.rs` | `houserules`: what no lint checks; Rust source without its comments and strings |
//! | `citations.rs` | the tests and models that our pages name exist |
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a program beside the runtime: no model ever runs it"
)]

mod arguments;
mod arrows;
mod beside_peers;
mod browser;
mod citations;
mod classics;
mod everything;
mod figures;
mod house_rules;
mod icount;
mod models;
mod programs;
mod rules;
mod schedules;
mod source;
mod steps;
mod workspace;
mod writes;

use std::process::ExitCode;

use arguments::Arguments;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND

  test [--no-loom] [--no-icount] [--keep-going]
        Everything that has to hold before a change goes in: house rules, arrows between crates, fmt, clippy, unit and
        integration tests, doc tests, the examples' build, the counts of atomic operations and (on Linux) of instructions,
        the quick set of models. Stops at the
        first step that fails, or with --keep-going runs all and then says which failed.

  loom [--full] [--only NAME] [--bound N] [--jobs N]
        Builds the models (--cfg weftwork_loom, profile loom, in a target directory of their own), runs them, and prints
        models, bounds, executions and time. --full searches each as far as it is meant to go; --only takes the files
        whose name contains NAME; --bound overrides every model's preemption bound (0 lifts it); --jobs is how many
        files run at once, by default one per core.

  shuttle [--schedules N] [--scenario S] [--seed N] [--replay SCHEDULE]
        Builds the scenarios (--cfg weftwork_shuttle, profile loom, in a target directory of their own) and runs each with N
        schedules (1 000) drawn at random and as many drawn by priorities. --scenario takes those whose name contains S; --seed
        draws the same again; --replay runs the one that was printed of a failure.

  count
        Runs the tests of the counting world (--cfg weftwork_count), in which each atomic operation is written down: how many
        read-modify-writes, fences and stores each operation takes, and which cache lines several workers write.

  icount [--bless]
        Counts the instructions of each operation under valgrind's callgrind, and fails if one takes over 2 % more than
        benches/counts/icount.txt says, on the compiler that it names; with another compiler it only reports. --bless
        writes that file.

  show [NAME [ARGUMENT...]]
        Runs one of the programs that print figures and fail by exit code; without a name, lists them.

  examples [NAME]
        Runs the asyncio classics (examples/src/bin/classics), or one, on both flavours, and fails if one prints something
        else than stands beside it. The tests of the examples do the same.

  rules [--rounds N] [--only NAME]
        The tests of the contract of cancellation and groups, each 1 000 times (or N) on each flavour, on virtual time where they
        need time, with that many orders drawn on one thread; prints runs and time of each. They are built in a profile of their
        own. --only takes the files whose name contains NAME, and groups_under_stress, which is left out otherwise: a round of it
        takes a second. A failure prints its seed, which WEFTWORK_SEED runs again.

  bench [--rows a,b] [--peers a,b] [--rounds N] [--quick] [--out FOLDER] [--write-docs]
        weftwork beside tokio, smol, smolscale and Go (where there is a `go`), row by row, with ratios and what is asked of
        each; writes last.json and chart.svg into target/bench and compares with the last run there. --rows target and
        --rows wider stand for the rows of which something is asked, and for the others; --write-docs puts tables and
        chart into docs/benchmarks.md.

  deps  Fails if one of our crates depends on one above it.

  houserules
        Fails where the source breaks a rule of the house that no lint knows (CONTRIBUTING.md lists them).

  help  This text.
";

/// What a command says about itself when it is over: it failed, and why.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    match run(&mut arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("xtask: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &mut Arguments) -> Outcome {
    let workspace = Workspace::find()?;
    let command = arguments.word();
    match command.as_deref() {
        Some("test") => everything::run(&workspace, everything::Choice::read(arguments)?),
        Some("loom") => models::run(&workspace, &models::Choice::read(arguments)?),
        Some("shuttle") => schedules::run(&workspace, arguments),
        Some("count") => arguments.end().and_then(|()| writes::run(&workspace)),
        Some("icount") => {
            let bless = arguments.flag("--bless");
            arguments.end().and_then(|()| icount::run(&workspace, bless))
        }
        Some("show") => programs::run(&workspace, arguments),
        Some("examples") => classics::run(&workspace, arguments),
        Some("rules") => rules::run(&workspace, arguments),
        Some("bench") => beside_peers::run(&workspace, arguments),
        Some("deps") => arguments.end().and_then(|()| arrows::run(&workspace)),
        Some("houserules") => arguments.end().and_then(|()| house_rules::run(&workspace)),
        Some("help" | "--help" | "-h") | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(unknown) => Err(format!("no command is called `{unknown}`; `cargo xtask help` lists them")),
    }
}
