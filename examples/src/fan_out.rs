//! One question to many servers, so much time and no more, and whatever answers came until then.
//!
//! All are asked at once, or so many at a time. At the deadline those who have not answered are told that nobody waits for
//! their answer any more: that is their clean-up, and it has happened when [`ask_all`] returns.

use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use std::fmt;
use std::io;
use std::time::Duration;
use weftwork::group::{Outcome, gather_outcomes};
use weftwork::net::TcpStream;
use weftwork::scope::on_cancel;

/// The longest answer that is read.
const ANSWER_LIMIT_BYTES: u64 = 64 * 1024;

/// How long it may take to tell a server that nobody waits any more.
const GOODBYE: Duration = Duration::from_millis(250);

/// What came of asking one server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Its line.
    Came(String),
    /// It could not be asked, or hung up.
    Failed(io::Error),
    /// The time was up.
    Late,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Came(line) => f.write_str(line),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Late => f.write_str("late"),
        }
    }
}

/// Asks every server, `at_once` of them at a time, and gives what there is when all have answered or the time is up, in the
/// order of the addresses.
pub async fn ask_all(addresses: &[String], question: &str, deadline: Duration, at_once: usize) -> Vec<Answer> {
    let questions = addresses.iter().map(|address| ask(address.clone(), format!("{question}\r\n")));
    let outcomes = gather_outcomes(questions).limit(at_once).deadline(deadline).await;
    let answers = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Ok(line) => Answer::Came(line),
        Outcome::Err(error) => Answer::Failed(error),
        Outcome::Panicked(panic) => panic.resume(),
        // At the deadline; nobody else cancels them.
        _ => Answer::Late,
    });
    answers.collect()
}

async fn ask(address: String, question: String) -> io::Result<String> {
    let stream = TcpStream::connect(address.as_str()).await?;
    let dialogue = async {
        stream.write_all(question.as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(&stream).take(ANSWER_LIMIT_BYTES).read_line(&mut line).await?;
        if line.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line.trim_end().to_owned()) }
    };
    on_cancel(dialogue, GOODBYE, async |_cause| {
        // A server that does not even take this has heard that the connection ends.
        let _ = stream.write_all(b"never mind\r\n").await;
    })
    .await
}
