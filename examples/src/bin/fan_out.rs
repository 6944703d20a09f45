//! Asks several servers at once: `fan_out 127.0.0.1:7001 127.0.0.1:2323 --question 'black snowman' --deadline 0.5`.

use examples::arguments::{Arguments, UsageError, asked};
use examples::fan_out::{Answer, ask_all};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
Asks several servers a question at once, and prints the answers that come in time.

Usage: fan_out HOST:PORT... [flags]

  --question TEXT      the line that each is sent (hello)
  --deadline SECONDS   wait for so long (2)
  --at-once N          ask so many at a time (100)
  --help               this text

Exits with 0 if all answered, with 1 if one did not.
";

struct Options {
    addresses: Vec<String>,
    question: String,
    deadline: Duration,
    at_once: usize,
}

#[weftwork::main]
async fn main() -> ExitCode {
    let options = match asked("fan_out", HELP, parse) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let Options { addresses, question, deadline, at_once } = options;
    let answers = ask_all(&addresses, &question, deadline, at_once).await;
    for (address, answer) in addresses.iter().zip(&answers) {
        println!("{address}\t{answer}");
    }
    let all = answers.iter().all(|answer| matches!(answer, Answer::Came(_)));
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `None` asks for the help.
fn parse(given: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, UsageError> {
    let mut given = Arguments::new(given)?;
    if given.flag(&["--help", "-h"]) {
        return Ok(None);
    }
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let options = Options {
        question: given.value("--question", "a line")?.unwrap_or_else(|| "hello".into()),
        deadline: given
            .value_with("--deadline", "a number of seconds, as 5 or 0.5", seconds)?
            .unwrap_or(Duration::from_secs(2)),
        at_once: given
            .value_with("--at-once", "a number from 1 on", |text| text.parse().ok().filter(|&n| n > 0))?
            .unwrap_or(100),
        addresses: std::iter::from_fn(|| given.word()).collect(),
    };
    given.end()?;
    if options.addresses.is_empty() {
        return Err(UsageError::new("whom to ask? HOST:PORT"));
    }
    Ok(Some(options))
}
