//! weftwork beside tokio, smol, smolscale and Go, and its locks and channels beside those of libraries, row by row.
//!
//! The rows lie in this package's library (`rows/`): the work is written once over what it needs of a runtime, which each
//! peer fills in. Every figure comes from a process of its own, so that no runtime meets another's threads or another's heap; within a round
//! the peers take turns, and who begins changes from round to round, so that a drift of the machine favours nobody.
//!
//! | file | what it is about |
//! |---|---|
//! | `options.rs` | the command line |
//! | `go.rs` | the program in Go |
//! | `rounds.rs`, `progress.rs` | the rounds, interleaved; how far they are |
//! | `result.rs` | ratios, medians, what is met |
//! | `table.rs`, `json.rs`, `chart.rs`, `docs.rs` | how it is told |
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod chart;
mod docs;
mod go;
mod json;
mod options;
mod progress;
mod result;
mod rounds;
mod table;

use options::{Mode, Options};
use std::process::ExitCode;
use weftwork_benches::rows;

fn main() -> ExitCode {
    if let Some(code) = rows::asked_for() {
        return code;
    }
    let options = match options::read(std::env::args().skip(1)) {
        Ok(Mode::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Mode::Compare(options)) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    match compare(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<(), String> {
    if options.write_docs {
        docs::allow(options)?;
    }
    let go = go::build(&options.out);
    if let Err(why) = &go {
        println!("Go is missing from this table: {why}");
    }
    let last = json::read(&options.out);
    let results = rounds::run(options, go.ok().as_deref())?;
    table::print(&results, last.as_ref());
    json::write(&options.out, &results, last)?;
    chart::write(&options.out.join("chart.svg"), &results)?;
    if options.write_docs {
        docs::write(&results)?;
    }
    println!("{}", table::verdicts(&results));
    Ok(())
}
