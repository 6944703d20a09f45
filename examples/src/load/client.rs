//! A connection over TCP that asks and reads answers, for both protocols.

use super::dialogue::{LineAnswer, Until};
use super::driver::{Answered, Connector, Exchange};
use super::fault::{Fault, Kind};
use super::http::HttpAnswer;
use super::question::{Question, Search};
use crate::log::Quoted;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use weftwork::net::TcpStream;

/// Enough for a read to be worth its system call, little enough for thousands of connections.
const BUFFER_BYTES: usize = 16 * 1024;
/// An HTTP answer from here on says that it did not go well.
const FIRST_BAD_STATUS: u16 = 400;
/// How much of an unexpected answer is shown.
const SHOWN_BYTES: usize = 80;

/// How requests and answers look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// A line out, an answer back.
    Lines(Until),
    /// HTTP/1.1.
    Http,
}

/// What all connections of a load know.
#[derive(Debug)]
struct Script {
    address: SocketAddr,
    protocol: Protocol,
    /// Asked in turn; never empty.
    questions: Vec<Question>,
}

/// Makes connections to one address.
#[derive(Debug)]
pub struct Client(Arc<Script>);

impl Client {
    /// Asks these questions in turn.
    ///
    /// # Panics
    /// Without a question.
    pub fn new(address: SocketAddr, protocol: Protocol, questions: Vec<Question>) -> Self {
        assert!(!questions.is_empty(), "there has to be something to ask");
        Self(Arc::new(Script { address, protocol, questions }))
    }
}

impl Connector for Client {
    type Connection = Connection;

    async fn connect(&self) -> Result<Connection, Fault> {
        let stream = TcpStream::connect(self.0.address).await?;
        // A request is one write; it is not to wait for the answer's acknowledgement.
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream, script: self.0.clone(), buffer: vec![0; BUFFER_BYTES], read: 0 };
        if let Protocol::Lines(until @ Until::Prompt(_)) = &self.0.protocol {
            connection.read_lines(until, &mut Search::new(b"")).await?;
        }
        Ok(connection)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    script: Arc<Script>,
    buffer: Vec<u8>,
    /// How much of the buffer the last read filled.
    read: usize,
}

impl Exchange for Connection {
    async fn exchange(&mut self, number: u64) -> Result<Answered, Fault> {
        let script = self.script.clone();
        let question = &script.questions[(number % script.questions.len() as u64) as usize];
        let mut search = Search::new(&question.expected);
        self.stream.write_all(&question.bytes).await?;
        let mut answered = match &script.protocol {
            Protocol::Lines(until) => self.read_lines(until, &mut search).await?,
            Protocol::Http => self.read_http(&mut search).await?,
        };
        if answered.fault.is_none() && !search.found() {
            let expected = String::from_utf8_lossy(&question.expected);
            answered.fault = Some(Fault::new(Kind::BadAnswer, format!("{} is not in it", Quoted(&expected))));
        }
        Ok(answered)
    }

    fn is_open(&self) -> bool {
        matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Connection {
    async fn read_lines(&mut self, until: &Until, search: &mut Search<'_>) -> Result<Answered, Fault> {
        let mut answer = LineAnswer::new(until);
        let mut bytes = 0;
        loop {
            let piece = self.read().await?;
            if piece.is_empty() {
                return Err(self.closed_early(bytes > 0));
            }
            bytes += piece.len() as u64;
            search.add(piece);
            if answer.add(piece)? {
                return Ok(Answered { bytes, keep_alive: true, fault: None });
            }
        }
    }

    async fn read_http(&mut self, search: &mut Search<'_>) -> Result<Answered, Fault> {
        let mut answer = HttpAnswer::default();
        let mut bytes = 0;
        let finished = loop {
            let piece = self.read().await?;
            if piece.is_empty() {
                break answer.end()?;
            }
            bytes += piece.len() as u64;
            if let Some(finished) = answer.add(piece, &mut |body| search.add(body))? {
                break finished;
            }
        };
        let fault = (finished.status >= FIRST_BAD_STATUS)
            .then(|| Fault::new(Kind::BadStatus, format!("status {}", finished.status)));
        Ok(Answered { bytes, keep_alive: finished.keep_alive, fault })
    }

    async fn read(&mut self) -> Result<&[u8], Fault> {
        let read = self.stream.read(&mut self.buffer).await?;
        if read > 0 {
            self.read = read;
        }
        Ok(&self.buffer[..read])
    }

    /// The server ended the connection where an answer was due; what it said last may be why.
    fn closed_early(&self, said_something: bool) -> Fault {
        if !said_something {
            return Fault::new(Kind::ClosedEarly, "before the answer began");
        }
        let last = &self.buffer[self.read.saturating_sub(SHOWN_BYTES)..self.read];
        Fault::new(Kind::ClosedEarly, format!("within the answer, after {}", Quoted(&String::from_utf8_lossy(last))))
    }
}
