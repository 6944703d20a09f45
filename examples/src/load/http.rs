//! Where an HTTP/1.1 answer to a GET ends: bytes go in as they come, a verdict comes out. No I/O.
//!
//! ```text
//!           a whole head that says
//!   Head ----- content-length ----------> Sized ------------------------------------> Whole
//!    ^  |----- chunked -----------------> ChunkSize <--> Chunk, ChunkEnd              ^
//!    |  |                                     |---------> Trailer --------------------|
//!    |  |----- neither -----------------> UntilClose ---- the connection ends --------|
//!    |  |----- 204, 304 --------------------------------------------------------------|
//!    |  |----- 1xx: the answer comes later
//!    |__|
//! ```
//!
//! Strict where leniency would let two readers disagree about where an answer ends (RFC 9112, section 6.3): both lengths at
//! once, two lengths, a coding that is not plain `chunked`, and bytes behind the end are faults.

use super::fault::{Fault, Kind};

/// The longest head, and the longest trailer.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
const MOST_HEADERS: usize = 128;
/// The longest line with a chunk's size; extensions are allowed and not read.
const SIZE_LINE_LIMIT_BYTES: usize = 4096;

/// An answer that has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// What it says about how it went.
    pub status: u16,
    /// Whether the connection takes another request.
    pub keep_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Sized { left: u64 },
    ChunkSize,
    Chunk { left: u64 },
    ChunkEnd,
    Trailer,
    UntilClose,
    Whole,
}

/// An answer that is coming.
#[derive(Debug)]
pub struct HttpAnswer {
    state: State,
    /// What was begun and cannot be read before more of it has come: a head, a line with a size, a trailer.
    begun: Vec<u8>,
    finished: Finished,
}

impl Default for HttpAnswer {
    fn default() -> Self {
        let finished = Finished { status: 0, keep_alive: false };
        Self { state: State::Head, begun: Vec::new(), finished }
    }
}

impl HttpAnswer {
    /// Takes the next bytes and hands on what of them is body; gives the verdict when the answer is whole.
    ///
    /// # Errors
    /// It breaks the protocol.
    pub fn add(&mut self, mut bytes: &[u8], body: &mut impl FnMut(&[u8])) -> Result<Option<Finished>, Fault> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Head => self.add_to_head(bytes)?,
                State::Sized { left } => {
                    let (piece, rest) = split_at_most(bytes, left);
                    body(piece);
                    self.state = State::sized(left - piece.len() as u64);
                    rest
                }
                State::ChunkSize => self.add_to_size(bytes)?,
                State::Chunk { left } => {
                    let (piece, rest) = split_at_most(bytes, left);
                    body(piece);
                    let left = left - piece.len() as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk { left } };
                    rest
                }
                State::ChunkEnd => self.add_to_chunk_end(bytes)?,
                State::Trailer => self.add_to_trailer(bytes)?,
                State::UntilClose => {
                    body(bytes);
                    &[]
                }
                State::Whole => return Err(bad("there is more behind the answer")),
            };
        }
        Ok((self.state == State::Whole).then_some(self.finished))
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// The answer had not.
    pub fn end(&self) -> Result<Finished, Fault> {
        match self.state {
            State::UntilClose | State::Whole => Ok(self.finished),
            State::Head if self.begun.is_empty() => Err(Fault::new(Kind::ClosedEarly, "before the answer began")),
            _ => Err(Fault::new(Kind::ClosedEarly, "within the answer")),
        }
    }

    fn add_to_head<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        let before = self.begun.len();
        self.begun.extend_from_slice(bytes);
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        match head.parse(&self.begun) {
            Err(error) => Err(bad(format!("its head: {error}"))),
            Ok(httparse::Status::Partial) if self.begun.len() > HEAD_LIMIT_BYTES => Err(bad("its head is too long")),
            Ok(httparse::Status::Partial) => Ok(&[]),
            Ok(httparse::Status::Complete(length)) => {
                let status = head.code.ok_or_else(|| bad("its head has no status"))?;
                let keep_alive = keeps_alive(head.version, head.headers);
                self.state = framing(status, head.headers)?;
                self.finished = Finished { status, keep_alive: keep_alive && self.state != State::UntilClose };
                self.begun.clear();
                // A head that was whole before would have been read before.
                Ok(&bytes[length - before..])
            }
        }
    }

    fn add_to_size<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        let before = self.begun.len();
        self.begun.extend_from_slice(&bytes[..bytes.len().min(SIZE_LINE_LIMIT_BYTES)]);
        match httparse::parse_chunk_size(&self.begun) {
            Err(_) => Err(bad("the size of a chunk is no number")),
            Ok(httparse::Status::Partial) if self.begun.len() >= SIZE_LINE_LIMIT_BYTES => {
                Err(bad("the size of a chunk is too long"))
            }
            Ok(httparse::Status::Partial) => Ok(&[]),
            Ok(httparse::Status::Complete((length, size))) => {
                self.state = if size == 0 { State::Trailer } else { State::Chunk { left: size } };
                self.begun.clear();
                Ok(&bytes[length - before..])
            }
        }
    }

    fn add_to_chunk_end<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        let (first, rest) = (&bytes[..1], &bytes[1..]);
        self.begun.extend_from_slice(first);
        match self.begun.as_slice() {
            b"\r" => Ok(rest),
            b"\r\n" => {
                self.begun.clear();
                self.state = State::ChunkSize;
                Ok(rest)
            }
            _ => Err(bad("a chunk is longer than it says")),
        }
    }

    fn add_to_trailer<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        // Only its end matters: an empty line, at once or behind its fields.
        for (at, byte) in bytes.iter().enumerate() {
            self.begun.push(*byte);
            if self.begun == b"\r\n" || self.begun.ends_with(b"\r\n\r\n") {
                self.begun.clear();
                self.state = State::Whole;
                return Ok(&bytes[at + 1..]);
            }
            if self.begun.len() > HEAD_LIMIT_BYTES {
                return Err(bad("its trailer is too long"));
            }
        }
        Ok(&[])
    }
}

impl State {
    fn sized(left: u64) -> Self {
        if left == 0 { Self::Whole } else { Self::Sized { left } }
    }
}

/// How the end of the body is known; [`State::Head`] if another head comes.
fn framing(status: u16, headers: &[httparse::Header<'_>]) -> Result<State, Fault> {
    match status {
        101 => return Err(bad("it switches protocols, and nobody asked for that")),
        100..=199 => return Ok(State::Head),
        204 | 304 => return Ok(State::Whole),
        _ => {}
    }
    let mut length = None;
    let mut chunked = false;
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            let said = number(header.value).ok_or_else(|| bad("its length is no number"))?;
            if length.is_some_and(|length| length != said) {
                return Err(bad("it has two lengths"));
            }
            length = Some(said);
        }
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || !header.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(bad("its transfer coding is not plain chunked"));
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(bad("it is chunked and has a length")),
        (Some(length), false) => Ok(State::sized(length)),
        (None, true) => Ok(State::ChunkSize),
        (None, false) => Ok(State::UntilClose),
    }
}

fn keeps_alive(version: Option<u8>, headers: &[httparse::Header<'_>]) -> bool {
    let options = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("connection"));
    let mut options = options.flat_map(|header| header.value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    match version {
        Some(1) => !options.any(|option| option.eq_ignore_ascii_case(b"close")),
        _ => options.any(|option| option.eq_ignore_ascii_case(b"keep-alive")),
    }
}

/// Digits and nothing else: no sign, which `parse` would take.
fn number(digits: &[u8]) -> Option<u64> {
    let digits = digits.trim_ascii();
    digits.iter().all(u8::is_ascii_digit).then(|| str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

fn split_at_most(bytes: &[u8], most: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(most).map_or(bytes.len(), |most| most.min(bytes.len())))
}

fn bad(what: impl Into<String>) -> Fault {
    Fault::new(Kind::BadAnswer, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Read {
        finished: Option<Finished>,
        body: String,
    }

    fn read(stream: &[u8], pieces: impl IntoIterator<Item = usize>) -> Result<Read, Fault> {
        let mut answer = HttpAnswer::default();
        let (mut body, mut finished, mut rest) = (Vec::new(), None, stream);
        for size in pieces {
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            rest = behind;
            finished = answer.add(piece, &mut |bytes| body.extend_from_slice(bytes))?.or(finished);
        }
        assert!(rest.is_empty());
        Ok(Read { finished, body: String::from_utf8(body).unwrap() })
    }

    fn whole(status: u16, keep_alive: bool, body: &str) -> Result<Read, Fault> {
        Ok(Read { finished: Some(Finished { status, keep_alive }), body: body.to_owned() })
    }

    /// In one piece, byte by byte, and cut at each place.
    fn read_in_every_way(stream: &str) -> Result<Read, Fault> {
        let stream = stream.as_bytes();
        let at_once = read(stream, [stream.len()]);
        assert_eq!(read(stream, (0..stream.len()).map(|_| 1)), at_once);
        for cut in 0..=stream.len() {
            assert_eq!(read(stream, [cut, stream.len() - cut]), at_once, "cut at {cut}");
        }
        at_once
    }

    #[test]
    fn an_answer_with_a_length_ends_there() {
        let stream = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(read_in_every_way(stream), whole(200, true, "hello"));
        let empty = "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n";
        assert_eq!(read_in_every_way(empty), whole(404, true, ""));
    }

    #[test]
    fn a_chunked_answer_ends_with_its_empty_chunk_and_trailer() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
        let body = "5\r\nhello\r\n1;name=value\r\n,\r\n00A\r\n two\r\nline\r\n0\r\n";
        let text = "hello, two\r\nline";
        assert_eq!(read_in_every_way(&format!("{head}{body}\r\n")), whole(200, true, text));
        assert_eq!(read_in_every_way(&format!("{head}{body}A: b\r\nC: d\r\n\r\n")), whole(200, true, text));
    }

    #[test]
    fn an_answer_without_a_length_ends_with_the_connection() {
        let mut answer = HttpAnswer::default();
        let mut body = Vec::new();
        let added = answer.add(b"HTTP/1.1 200 OK\r\n\r\nall of it", &mut |bytes| body.extend_from_slice(bytes));
        assert_eq!((added, body.as_slice()), (Ok(None), &b"all of it"[..]));
        assert_eq!(answer.end(), Ok(Finished { status: 200, keep_alive: false }));
    }

    #[test]
    fn some_answers_have_no_body_and_some_are_only_the_first() {
        assert_eq!(read_in_every_way("HTTP/1.1 204 No Content\r\n\r\n"), whole(204, true, ""));
        assert_eq!(read_in_every_way("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), whole(304, true, ""));
        let twice = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n\
                     HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(read_in_every_way(twice), whole(200, true, "ok"));
    }

    #[test]
    fn whether_the_connection_stays_is_the_versions_and_the_headers_word() {
        let keeps = |version, header| {
            let stream = format!("HTTP/{version} 200 OK\r\nContent-Length: 0\r\n{header}\r\n");
            read_in_every_way(&stream).unwrap().finished.unwrap().keep_alive
        };
        assert!(keeps("1.1", "") && keeps("1.1", "Connection: Keep-Alive, upgrade\r\n"));
        assert!(!keeps("1.1", "Connection: close\r\n") && !keeps("1.1", "connection: a, Close\r\n"));
        assert!(!keeps("1.0", "") && keeps("1.0", "Connection: keep-alive\r\n"));
    }

    #[test]
    fn garbage_is_a_bad_answer_and_never_a_panic() {
        let head = "HTTP/1.1 200 OK\r\n";
        for stream in [
            "?> ".to_owned(),
            "\0\x7f".to_owned(),
            "HTTP/3.0 200 OK\r\n\r\n".to_owned(),
            "HTTP/1.1 2000 OK\r\n\r\n".to_owned(),
            "HTTP/1.1 101 Switching\r\n\r\n".to_owned(),
            format!("{head}Content-Length: -1\r\n\r\n"),
            format!("{head}Content-Length: +1\r\n\r\na"),
            format!("{head}Content-Length: 1e9\r\n\r\n"),
            format!("{head}Content-Length: \r\n\r\n"),
            format!("{head}Content-Length: 99999999999999999999\r\n\r\n"),
            format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\na"),
            format!("{head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"),
            format!("{head}Content-Length: 1\r\n\r\nab"),
            format!("{head}Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
            format!("{head}{}", "A: b\r\n".repeat(MOST_HEADERS + 1)),
            format!("{head}A: {}", "b".repeat(HEAD_LIMIT_BYTES)),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n1;{}", "x".repeat(SIZE_LINE_LIMIT_BYTES)),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\n{}", "A: b\r\n".repeat(HEAD_LIMIT_BYTES / 6 + 1)),
        ] {
            for size in [1, 2, 7, 4096, stream.len()] {
                // Byte by byte a head of many kilobytes is read anew for each: the long ones in larger pieces.
                let size = if stream.len() > 10_000 { size.max(4096) } else { size };
                let fault = read(stream.as_bytes(), (0..stream.len()).step_by(size).map(|_| size)).unwrap_err();
                assert_eq!(fault.kind, Kind::BadAnswer, "{:?} by {size}", &stream[..stream.len().min(100)]);
            }
        }
    }

    #[test]
    fn an_end_within_the_answer_is_early() {
        for stream in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"] {
            let mut answer = HttpAnswer::default();
            assert_eq!(answer.add(stream.as_bytes(), &mut |_| {}), Ok(None));
            assert_eq!(answer.end().unwrap_err().kind, Kind::ClosedEarly, "{stream:?}");
        }
    }

    #[test]
    fn random_bytes_behind_a_head_are_never_a_panic() {
        let mut seed = 7_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        for round in 0..5_000 {
            let head = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 ", ""][round % 3];
            let mut stream = head.as_bytes().to_vec();
            stream.extend((0..40).map(|_| b"0123456789abcdef\r\n;: "[usize::from(random()) % 21]));
            let mut answer = HttpAnswer::default();
            for piece in stream.chunks(1 + usize::from(random()) % 20) {
                if answer.add(piece, &mut |_| {}).is_err() {
                    break;
                }
            }
        }
    }
}
