//! Prime factors on all cores: `factor 1000036000099 2305843009213693951`. Ctrl-C stops the search.

use examples::arguments::{Arguments, UsageError, asked};
use examples::factor::Search;
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::pin::pin;
use std::process::ExitCode;
use weftwork::select;
use weftwork::signal::ctrl_c;

const HELP: &str = "\
Prints the prime factors of numbers.

Usage: factor NUMBER... [flags]

  --threads N   search on so many threads (one per core)
  --help        this text
";

/// What a shell reports of a program that Ctrl-C ended.
const ENDED_BY_INTERRUPT: u8 = 130;

struct Options {
    numbers: Vec<NonZeroU64>,
    threads: usize,
}

#[weftwork::main]
async fn main() -> ExitCode {
    let options = match asked("factor", HELP, parse) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let search = Search::new(options.threads);
    let mut interrupted = pin!(ctrl_c());
    for number in options.numbers {
        let factors = select! {
            factors = search.factors(number) => factors,
            // The search is dropped, and so ends.
            _ = &mut interrupted => return ExitCode::from(ENDED_BY_INTERRUPT),
        };
        let factors: Vec<_> = factors.iter().map(u64::to_string).collect();
        println!("{number}: {}", factors.join(" "));
    }
    ExitCode::SUCCESS
}

/// `None` asks for the help.
fn parse(given: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, UsageError> {
    let mut given = Arguments::new(given)?;
    if given.flag(&["--help", "-h"]) {
        return Ok(None);
    }
    let threads = given.value_with("--threads", "a number from 1 to 1024", |text| {
        text.parse().ok().filter(|threads| (1..=1024).contains(threads))
    })?;
    let mut numbers = Vec::new();
    while let Some(word) = given.word() {
        let number = word.parse();
        numbers.push(number.map_err(|_| UsageError::new(format!("{word:?} is no number from 1 to {}", u64::MAX)))?);
    }
    given.end()?;
    if numbers.is_empty() {
        return Err(UsageError::new("which number?"));
    }
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    Ok(Some(Options { numbers, threads }))
}
