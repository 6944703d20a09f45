//! What can be said to `load` on its command line.

use super::client::Protocol;
use super::dialogue::Until;
use super::plan::{Pace, Plan};
use super::question::{Question, lines_of};
use super::target::{LINE, Target};
use crate::arguments::{Arguments, UsageError};
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

/// What was said on the command line.
#[derive(Debug)]
pub struct Options {
    /// What is loaded.
    pub target: Target,
    /// How.
    pub plan: Plan,
    /// What requests and answers look like.
    pub protocol: Protocol,
    /// What is asked, in turn.
    pub questions: Vec<Question>,
    /// The result is written as JSON.
    pub json: bool,
    /// The progress is shown wherever stderr goes; without this, on a terminal.
    pub progress: bool,
    /// Errors are no failure.
    pub allow_errors: bool,
    /// Threads that run tasks, if said.
    pub workers: Option<usize>,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Request {
    /// The text of [`HELP`].
    Help,
    /// A load.
    Load(Options),
}

const MOST_CONNECTIONS: usize = 1_000_000;
const MOST_WORKERS: usize = 1024;
const MOST_PER_SECOND: f64 = 1e9;
const SECONDS: &str = "a number of seconds, as 5 or 0.5";
const PROMPT: &str = "?> ";

/// The help.
pub const HELP: &str = "\
Asks a server over many connections, and says how many answers came, how late, and what went wrong.

Usage: load TARGET [flags]

  TARGET is HOST:PORT for lines over TCP, or http://HOST[:PORT]/PATH for HTTP/1.1; in brackets if it is an IPv6 address.

What is asked
  --line TEXT, --query TEXT   send this line; several are sent in turn
  --lines FILE                send the lines of a file in turn
                              In a URL a line stands where {line} is, escaped: 'http://127.0.0.1:8888/?query={line}'
  --until END                 how the end of an answer to a line is known (prompt):
                              prompt: the server's prompt at the head of a line; it also begins the session
                              line, lines=N: so many lines      bytes=N: so many bytes
  --prompt TEXT               the prompt ('?> ')
  --expect TEXT               an answer without this text is bad; {line} in it is the line that was sent

How much
  --connections N             connections at the same time (10)
  --rate R                    open loop: R requests a second over all connections together, on a fixed schedule;
                              latency counts from when a request was due. Without it, closed loop: a connection asks
                              again when it has its answer
  --duration SECONDS          how long (10, unless --requests says when to stop)
  --requests N                stop after so many requests
  --warmup SECONDS            go on for so long before anything is measured (0)
  --timeout SECONDS           give a request up, and its connection, after so long (10)
  --workers N                 threads that run tasks (one per core, or what WEFTWORK_WORKERS says)

What is said
  --json                      the result as JSON on stdout
  --progress                  the line of progress on stderr also where that is no terminal
  --allow-errors              exit with 0 in spite of errors
  --help                      this text

Exit code: 0 if all went well, 1 if there were errors or no answer, 2 if the command line cannot be understood. Ctrl-C
ends the load and shows what it has measured; a second one ends the program at once.
";

/// Reads a command line, without the program's name. Reads the file of lines, if there is one.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(given: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let mut given = Arguments::new(given)?;
    if given.flag(&["--help", "-h"]) {
        return Ok(Request::Help);
    }
    let plan = plan(&mut given)?;
    let workers = given.value_with("--workers", "a number from 1 to 1024", |text| count(text, MOST_WORKERS))?;
    let lines = lines(&mut given)?;
    let until = given.value_with("--until", "prompt, line, lines=N or bytes=N", until)?;
    let prompt = given.value_with("--prompt", "a text", |text| (!text.is_empty()).then(|| text.to_owned()))?;
    let expected = given.value::<String>("--expect", "a text")?.unwrap_or_default();
    let (json, progress) = (given.flag(&["--json"]), given.flag(&["--progress"]));
    let allow_errors = given.flag(&["--allow-errors"]);
    let target = given.word();
    given.end()?;

    let target = target.ok_or_else(|| UsageError::new("say what to load: HOST:PORT or http://HOST[:PORT]/PATH"))?;
    let target = Target::parse(&target).map_err(UsageError::new)?;
    let (protocol, questions) = match &target {
        Target::Lines(_) => {
            if lines.is_empty() {
                return Err(UsageError::new("say what to ask: --line TEXT or --lines FILE"));
            }
            let by_prompt = matches!(until, None | Some(UntilFlag::Prompt));
            if prompt.is_some() && !by_prompt {
                return Err(UsageError::new("--prompt goes with --until prompt"));
            }
            let until = match until.unwrap_or(UntilFlag::Prompt) {
                UntilFlag::Prompt => Until::Prompt(prompt.unwrap_or_else(|| PROMPT.to_owned()).into_bytes()),
                UntilFlag::Lines(count) => Until::Lines(count),
                UntilFlag::Bytes(count) => Until::Bytes(count),
            };
            (Protocol::Lines(until), lines.iter().map(|line| Question::line(line, &expected)).collect())
        }
        Target::Http(url) => {
            if until.is_some() || prompt.is_some() {
                return Err(UsageError::new(
                    "--until and --prompt are for lines; HTTP says itself where an answer ends",
                ));
            }
            let questions: Vec<_> = match (url.path_and_query.contains(LINE), lines.is_empty()) {
                (false, true) => vec![Question::get(url, "", &expected)],
                (true, false) => lines.iter().map(|line| Question::get(url, line, &expected)).collect(),
                (true, true) => {
                    return Err(UsageError::new("the URL has {line} in it: say --line TEXT or --lines FILE"));
                }
                (false, false) => return Err(UsageError::new("say where in the URL the lines go, by {line}")),
            };
            (Protocol::Http, questions)
        }
    };
    Ok(Request::Load(Options { target, plan, protocol, questions, json, progress, allow_errors, workers }))
}

fn plan(given: &mut Arguments) -> Result<Plan, UsageError> {
    let default = Plan::DEFAULT;
    let pace = given.value_with("--rate", "a number of requests a second, as 1000 or 0.5", rate)?;
    let requests = given.value::<NonZeroU64>("--requests", "a number from 1 on")?;
    let duration = given.value_with("--duration", SECONDS, |text| seconds(text).filter(|said| !said.is_zero()))?;
    Ok(Plan {
        connections: given
            .value_with("--connections", "a number from 1 to 1000000", |text| count(text, MOST_CONNECTIONS))?
            .unwrap_or(default.connections),
        pace: pace.map_or(default.pace, |per_second| Pace::Open { per_second }),
        warmup: given.value_with("--warmup", SECONDS, seconds)?.unwrap_or(default.warmup),
        duration: if requests.is_some() { duration } else { duration.or(default.duration) },
        requests,
        timeout: given
            .value_with("--timeout", SECONDS, |text| seconds(text).filter(|said| !said.is_zero()))?
            .unwrap_or(default.timeout),
    })
}

fn lines(given: &mut Arguments) -> Result<Vec<String>, UsageError> {
    let mut lines = Vec::new();
    for name in ["--line", "--query"] {
        let is_line = |text: &str| (!text.contains(['\r', '\n'])).then(|| text.to_owned());
        while let Some(line) = given.value_with(name, "one line", is_line)? {
            lines.push(line);
        }
    }
    while let Some(file) = given.value::<PathBuf>("--lines", "a file")? {
        let more = lines_of(&file).map_err(|error| UsageError::new(format!("--lines {}: {error}", file.display())))?;
        lines.extend(more);
    }
    Ok(lines)
}

#[derive(Debug, Clone, Copy)]
enum UntilFlag {
    Prompt,
    Lines(u64),
    Bytes(u64),
}

fn until(text: &str) -> Option<UntilFlag> {
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
    match text.split_once('=') {
        None if text == "prompt" => Some(UntilFlag::Prompt),
        None if text == "line" => Some(UntilFlag::Lines(1)),
        Some(("lines", count)) => number(count).map(UntilFlag::Lines),
        Some(("bytes", count)) => number(count).map(UntilFlag::Bytes),
        _ => None,
    }
}

fn rate(text: &str) -> Option<f64> {
    text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= MOST_PER_SECOND)
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn count(text: &str, most: usize) -> Option<usize> {
    text.parse().ok().filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Request, String> {
        parse(words.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn options(words: &[&str]) -> Options {
        match parsed(words) {
            Ok(Request::Load(options)) => options,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn without_flags_the_defaults_hold() {
        let options = options(&["http://a/"]);
        assert_eq!((options.plan, options.protocol), (Plan::DEFAULT, Protocol::Http));
        assert!(!options.json && !options.progress && !options.allow_errors);
        assert_eq!(options.questions.len(), 1);
    }

    #[test]
    fn every_flag_is_heard() {
        let options = options(&[
            "--connections",
            "2000",
            "--rate=5000.5",
            "--duration",
            "60",
            "--warmup",
            "2",
            "--timeout",
            "0.5",
            "--workers",
            "1",
            "--line",
            "chess black",
            "--query",
            "cat",
            "--line",
            "dog",
            "--until",
            "prompt",
            "--prompt",
            "$ ",
            "--expect",
            "for '{line}'",
            "--json",
            "--progress",
            "--allow-errors",
            "--requests",
            "7",
            "[::1]:2323",
        ]);
        let expected = Plan {
            connections: 2000,
            pace: Pace::Open { per_second: 5000.5 },
            warmup: Duration::from_secs(2),
            duration: Some(Duration::from_secs(60)),
            requests: NonZeroU64::new(7),
            timeout: Duration::from_millis(500),
        };
        assert_eq!((options.plan, options.workers), (expected, Some(1)));
        assert_eq!(options.protocol, Protocol::Lines(Until::Prompt(b"$ ".to_vec())));
        assert_eq!(options.target, Target::Lines("[::1]:2323".into()));
        let asked = ["chess black", "dog", "cat"].map(|line| Question::line(line, "for '{line}'"));
        assert_eq!(options.questions, asked);
        assert!(options.json && options.progress && options.allow_errors);
    }

    #[test]
    fn the_end_of_an_answer_is_told_in_four_ways() {
        let until = |words: &[&str]| options(&[&["a:1", "--line", "x"], words].concat()).protocol;
        assert_eq!(until(&[]), Protocol::Lines(Until::Prompt(b"?> ".to_vec())));
        assert_eq!(until(&["--until", "line"]), Protocol::Lines(Until::Lines(1)));
        assert_eq!(until(&["--until", "lines=3"]), Protocol::Lines(Until::Lines(3)));
        assert_eq!(until(&["--until=bytes=5"]), Protocol::Lines(Until::Bytes(5)));
    }

    #[test]
    fn a_number_of_requests_takes_the_place_of_the_duration() {
        assert_eq!(options(&["http://a/", "--requests", "5"]).plan.duration, None);
    }

    #[test]
    fn mistakes_are_told_with_the_way_out() {
        for (words, told) in [
            (&[][..], "say what to load"),
            (&["a:1"], "say what to ask"),
            (&["a"], "has no port"),
            (&["a:1", "b:1", "--line", "x"], "\"b:1\" is not a flag"),
            (&["http://a/{line}"], "has {line} in it"),
            (&["http://a/", "--line", "x"], "where in the URL"),
            (&["http://a/", "--until", "line"], "for lines"),
            (&["a:1", "--line", "x", "--until", "line", "--prompt", "$"], "goes with --until prompt"),
            (&["a:1", "--line", "x\ny"], "it has to be one line"),
            (&["a:1", "--lines", "/no/such/file"], "--lines /no/such/file: "),
            (&["a:1", "--line", "x", "--until", "lines=0"], "--until cannot be \"lines=0\""),
            (&["http://a/", "--rate", "0"], "--rate cannot be \"0\""),
            (&["http://a/", "--rate", "inf"], "--rate cannot be"),
            (&["http://a/", "--rate", "nan"], "--rate cannot be"),
            (&["http://a/", "--connections", "0"], "--connections cannot be"),
            (&["http://a/", "--duration", "0"], "--duration cannot be"),
            (&["http://a/", "--timeout", "-1"], "--timeout cannot be"),
            (&["http://a/", "--requests", "0"], "--requests cannot be"),
            (&["http://a/", "--verbose"], "\"--verbose\" is not a flag"),
        ] {
            let error = parsed(words).unwrap_err();
            assert!(error.contains(told), "{words:?}: {error}");
        }
    }

    #[test]
    fn help_names_every_flag() {
        assert!(matches!(parsed(&["--help"]), Ok(Request::Help)));
        for flag in [
            "line",
            "query",
            "lines",
            "until",
            "prompt",
            "expect",
            "connections",
            "rate",
            "duration",
            "requests",
            "warmup",
            "timeout",
            "workers",
            "json",
            "progress",
            "allow-errors",
        ] {
            assert!(HELP.contains(&format!("--{flag} ")), "{flag}");
        }
    }
}
