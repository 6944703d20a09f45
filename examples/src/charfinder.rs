//! The dialogue of `charfinder`: a prompt, a query a line, the characters whose names have all its words.
//!
//! ```text
//! ?> chess black
//! U+265A  ♚  BLACK CHESS KING        (fields are divided by tabs, lines end with CRLF)
//! ...
//! 6 matches for 'chess black'
//! ?>
//! ```
//!
//! A control character at the head of a line ends it, and so does the end of the client's side; a last query without a
//! line end is answered before. What is wrong with a line is said in a line, and the dialogue goes on.

use crate::connection::{Connection, End};
use crate::index::Index;
use crate::lines::{Line, Lines};
use crate::log::{Log, Quoted};
use crate::names::name;
use crate::server::Service;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use weftwork::task::yield_now;
use weftwork::time::Instant;

/// The longest query, in bytes without its line end.
pub const LINE_LIMIT_BYTES: usize = 64 * 1024;

const PROMPT: &str = "?> ";
/// An answer is sent in pieces of about this size: one can have a hundred thousand lines, and there are many clients.
const PIECE_BYTES: usize = 16 * 1024;

/// Builds an index, on a thread made for what takes its time.
///
/// It is never freed: giving back its quarter of a million words takes long enough to hold up a worker, and the end of the
/// process does it for nothing.
///
/// # Errors
/// There is no thread to be had.
pub async fn new_index(log: &Log) -> io::Result<&'static Index> {
    let begun = Instant::now();
    let build = || &*Box::leak(Box::new(Index::build()));
    let index = weftwork::to_thread(build).await.map_err(io::Error::other)?;
    let (names, words, took) = (index.names(), index.words(), begun.elapsed().as_millis());
    log.line(format_args!("Indexed {names} names under {words} words in {took} ms."));
    Ok(index)
}

/// Finds characters by the words of their names.
#[derive(Debug)]
pub struct Charfinder {
    index: &'static Index,
    log: Log,
}

impl Charfinder {
    /// Answers from an index.
    pub fn new(index: &'static Index, log: Log) -> Self {
        Self { index, log }
    }

    async fn converse(&self, client: &Connection) -> Result<Infallible, End> {
        let mut lines = Lines::new(LINE_LIMIT_BYTES);
        let mut piece = [0; 4096];
        client.send(PROMPT.as_bytes()).await?;
        // For a whole line: one that trickles in byte by byte is idle too.
        let mut deadline = client.deadline();
        loop {
            // A line that was begun may be finished while the server closes; a new one is not waited for.
            let read = if lines.is_inside_a_line() {
                client.read(&mut piece, deadline).await?
            } else {
                client.read_new(&mut piece, deadline).await?
            };
            if read == 0 {
                if let Some(query) = lines.last() {
                    self.answer(client, query).await?;
                }
                return Err(End::Left);
            }
            lines.add(&piece[..read]);
            while let Some(line) = lines.next() {
                match line {
                    Line::Text(query) => self.answer(client, query).await?,
                    Line::TooLong => self.refuse(client, "A query has 64 KiB at most").await?,
                    Line::Control => return Err(End::Quit),
                }
                deadline = client.deadline();
            }
        }
    }

    async fn answer(&self, client: &Connection, query: &[u8]) -> Result<(), End> {
        let Ok(query) = str::from_utf8(query) else {
            return self.refuse(client, "A query has to be in UTF-8").await;
        };
        let query = query.trim();
        if query.is_empty() {
            return client.send(PROMPT.as_bytes()).await;
        }
        self.log.line(format_args!("Received from {}: {}", client.peer(), Quoted(query)));
        // A millisecond and less from one match to the next: no need to leave the worker for it.
        let (mut found, mut text) = (0_usize, String::new());
        for character in self.index.find(query) {
            found += 1;
            if let Some(name) = name(character) {
                // Writing to a String does not fail.
                let _ = write!(text, "U+{:04X}\t{character}\t{name}\r\n", u32::from(character));
            }
            if text.len() >= PIECE_BYTES {
                client.send(text.as_bytes()).await?;
                text.clear();
                // As long as the socket has room, sending does not wait: others would, for megabytes.
                yield_now().await;
            }
        }
        let _ = match found {
            0 => write!(text, "No match"),
            1 => write!(text, "1 match"),
            count => write!(text, "{count} matches"),
        };
        let _ = write!(text, " for {}\r\n{PROMPT}", Quoted(query));
        client.send(text.as_bytes()).await?;
        self.log.line(format_args!("Sent {found} results to {}", client.peer()));
        Ok(())
    }

    async fn refuse(&self, client: &Connection, why: &str) -> Result<(), End> {
        self.log.line(format_args!("Refused a line from {}: {why}", client.peer()));
        client.send(format!("{why}.\r\n{PROMPT}").as_bytes()).await
    }
}

impl Service for Charfinder {
    const FULL: &'static str = "Too many connections. Try again later.\r\n";

    async fn serve(&self, client: &Connection) -> End {
        let Err(end) = self.converse(client).await;
        match &end {
            End::Idle => client.send_parting("\r\nIdle for too long.\r\n"),
            End::Closing => client.send_parting("\r\nThe server shuts down.\r\n"),
            _ => {}
        }
        end
    }
}
