//! Asking as one should, on a plain thread: a newcomer on lines and on the page, and the whole answers it has to get.

use examples::load::dialogue::Until;
use examples::load::question::Question;
use examples::load::report::brief;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use weftwork::time::Instant;
use weftwork_benches::charfinder::Charfinder;

pub(crate) const PROMPT: &[u8] = b"?> ";
/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const QUERIES: [&str; 4] = ["snowman", "chess black", "roman numeral", "no such name"];
const TARGET: &str = "/?query=chess%20black";

pub(crate) fn until() -> Until {
    Until::Prompt(PROMPT.to_vec())
}

/// What a newcomer was told.
pub(crate) struct Newcomer {
    answers: Vec<Vec<u8>>,
    pub(crate) page_request: Vec<u8>,
    /// Without its head, which has a date.
    pub(crate) page_answer: Vec<u8>,
}

impl Newcomer {
    /// Asks everything, each over a connection of its own.
    pub(crate) fn comes(server: &Charfinder) -> Result<Self, String> {
        let told = |error: io::Error| format!("a newcomer is not served: {error}");
        let answers = QUERIES.iter().map(|query| ask(server.lines, query)).collect::<io::Result<_>>().map_err(told)?;
        let page_request = get(TARGET);
        let page_answer = ask_page(server.page, TARGET).map_err(told)?;
        Ok(Self { answers, page_request, page_answer })
    }

    /// Asks the same again, and says how long that took; fails if anything is different.
    pub(crate) fn comes_again(&self, server: &Charfinder) -> Result<(), String> {
        let start = Instant::now();
        let again = Self::comes(server)?;
        let each = start.elapsed() / (QUERIES.len() as u32 + 1);
        println!("  a newcomer afterwards: {} for connecting, asking and the answer", brief(each));
        if again.answers != self.answers || again.page_answer != self.page_answer {
            return Err("a newcomer gets other answers than before".into());
        }
        Ok(())
    }

    /// Questions over lines whose answers have to be the same to the byte.
    pub(crate) fn questions(&self) -> Vec<Question> {
        let question = |(query, answer): (&&str, &Vec<u8>)| {
            let bytes = format!("{query}\n").into_bytes();
            Question { bytes, expected: answer.clone() }
        };
        QUERIES.iter().zip(&self.answers).map(question).collect()
    }
}

/// The whole answer, prompt and all, over a connection of its own.
pub(crate) fn ask(server: SocketAddr, query: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect(server)?;
    read_to_prompt(&mut stream)?;
    stream.write_all(format!("{query}\n").as_bytes())?;
    read_to_prompt(&mut stream)
}

/// A request for the page, over a connection that stays open.
pub(crate) fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// The body of the answer, over a connection of its own.
pub(crate) fn ask_page(page: SocketAddr, target: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect(page)?;
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n").map(|head| answer.split_off(head + 4));
    match body {
        Some(body) if answer.starts_with(b"HTTP/1.1 200 ") => Ok(body),
        _ => Err(io::Error::other(format!("the page said {:?}", String::from_utf8_lossy(&answer)))),
    }
}

fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn read_to_prompt(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while bytes != PROMPT && !bytes.ends_with(b"\n?> ") {
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
    Ok(bytes)
}
