//! What is sent, and what has to stand in the answer; both made before the load begins.

use super::target::{HttpUrl, LINE};
use std::io;
use std::path::Path;

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// What has to stand in the answer; empty if anything will do.
    pub expected: Vec<u8>,
}

impl Question {
    /// A line, with its end.
    pub fn line(line: &str, expected: &str) -> Self {
        Self { bytes: format!("{line}\n").into_bytes(), expected: filled(expected, line) }
    }

    /// A GET that leaves the connection open. The line is put into the URL's place for it, escaped.
    pub fn get(url: &HttpUrl, line: &str, expected: &str) -> Self {
        let path = url.path_and_query.replace(LINE, &percent_encoded(line));
        let host = &url.authority;
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: weftwork-load\r\nAccept: */*\r\n\r\n");
        Self { bytes: bytes.into_bytes(), expected: filled(expected, line) }
    }
}

fn filled(expected: &str, line: &str) -> Vec<u8> {
    expected.replace(LINE, line).into_bytes()
}

/// The lines of a file that are not empty; a line end of either kind is no part of them.
///
/// # Errors
/// It cannot be read, is not UTF-8, or has no line.
pub fn lines_of(file: &Path) -> io::Result<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    let lines: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no line in it"));
    }
    Ok(lines)
}

/// As it has to stand in a query: all but RFC 3986's unreserved characters is escaped.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Looks for some bytes in an answer that comes in pieces, in memory for one piece.
#[derive(Debug)]
pub struct Search<'a> {
    wanted: &'a [u8],
    /// The end of what has come, one byte shorter than what is looked for.
    tail: Vec<u8>,
    found: bool,
}

impl<'a> Search<'a> {
    /// Nothing is always found.
    pub fn new(wanted: &'a [u8]) -> Self {
        Self { wanted, tail: Vec::new(), found: wanted.is_empty() }
    }

    /// Whether it has come.
    pub fn found(&self) -> bool {
        self.found
    }

    /// Looks into the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        if self.found {
            return;
        }
        // What lies across the border; no more of the piece than that can need.
        let keep = self.wanted.len() - 1;
        self.tail.extend_from_slice(&piece[..piece.len().min(keep)]);
        let stands_in = |text: &[u8]| text.windows(self.wanted.len()).any(|window| window == self.wanted);
        self.found = stands_in(&self.tail) || stands_in(piece);
        if piece.len() >= keep {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - keep..]);
        } else {
            self.tail.drain(..self.tail.len().saturating_sub(keep));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_sent_with_its_end() {
        let question = Question::line("chess black", "for '{line}'");
        assert_eq!(question.bytes, b"chess black\n");
        assert_eq!(question.expected, b"for 'chess black'");
    }

    #[test]
    fn a_line_goes_into_a_url_escaped() {
        let url = HttpUrl { authority: "[::1]:80".into(), path_and_query: "/?query={line}&page=1".into() };
        let text = String::from_utf8(Question::get(&url, "a&b ♚\r\n", "").bytes).unwrap();
        assert!(
            text.starts_with("GET /?query=a%26b%20%E2%99%9A%0D%0A&page=1 HTTP/1.1\r\nHost: [::1]:80\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\n"));
    }

    #[test]
    fn what_is_looked_for_is_found_however_the_answer_is_cut() {
        let text = b"aab aaab ab";
        for wanted in [&b"aaab"[..], b"a", b"b ab", b"aab aaab ab", b""] {
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let mut search = Search::new(wanted);
                    [&text[..first], &text[first..second], &text[second..]]
                        .into_iter()
                        .for_each(|piece| search.add(piece));
                    assert!(search.found(), "{wanted:?} cut at {first} and {second}");
                }
            }
            let mut search = Search::new(wanted);
            text.chunks(1).for_each(|piece| search.add(piece));
            assert!(search.found());
        }
        for wanted in [&b"aaaab"[..], b"bb", b"aab aaab ab "] {
            for size in 1..=text.len() {
                let mut search = Search::new(wanted);
                text.chunks(size).for_each(|piece| search.add(piece));
                assert!(!search.found(), "{wanted:?} by {size}");
            }
        }
    }
}
