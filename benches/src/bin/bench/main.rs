//! weftwork beside tokio, smol, smolscale and Go, row by row.
//!
//! The work is written once (`work/`) over what it needs of a runtime (`peer.rs`), which each peer fills in (`peers/`).
//! Every figure comes from a process of its own, so that no runtime meets another's threads or another's heap; within a round
//! the peers take turns, and who begins changes from round to round, so that a drift of the machine favours nobody.
//!
//! | file | what it is about |
//! |---|---|
//! | `peer.rs`, `peers/`, `work/` | what is measured |
//! | `rows.rs` | the table of rows, and what is asked of each |
//! | `options.rs` | the command line |
//! | `process.rs`, `go.rs` | one figure from a process; the program in Go |
//! | `rounds.rs` | the rounds, interleaved |
//! | `result.rs` | ratios, medians, what is met |
//! | `table.rs`, `json.rs`, `chart.rs` | how it is told |
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod chart;
mod go;
mod json;
mod options;
mod peer;
mod peers;
mod process;
mod result;
mod rounds;
mod rows;
mod table;
mod work;

use options::{Mode, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match options::read(std::env::args().skip(1)) {
        Ok(Mode::Measure(row, who)) => {
            println!("{}", row.measure(who));
            return ExitCode::SUCCESS;
        }
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
    let go = go::build(&options.out);
    if let Err(why) = &go {
        println!("Go is missing from this table: {why}");
    }
    let last = json::read(&options.out);
    let results = rounds::run(options, go.ok().as_deref())?;
    table::print(&results, last.as_ref());
    json::write(&options.out, &results)?;
    chart::write(&options.out, &results)?;
    println!("{}", table::verdict(&results));
    Ok(())
}
