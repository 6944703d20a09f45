//! Lines out of pieces of bytes, however the network cut them, in bounded memory.
//!
//! No I/O here: bytes go in, lines come out, so every cut can be tested.
//!
//! A line ends with LF or CRLF. Its length is counted without its end. A line over the limit is reported as soon as it is
//! seen to be one, and the rest of it is dropped up to its end. A control character at the head of a line ends the
//! conversation, also when no line end follows; tab and the line ends themselves are no such characters.

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its end.
    Text(&'a [u8]),
    /// A line over the limit; what comes next is the line after it.
    TooLong,
    /// A line begins with a control character; there is no next.
    Control,
}

/// Bytes that have come and not yet been taken as lines.
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    bytes: Vec<u8>,
    /// Where the present line begins.
    start: usize,
    /// No line end between `start` and here: a line that comes byte by byte is searched once, not once per byte.
    searched: usize,
    /// Inside a line that was reported as too long.
    skipping: bool,
}

impl Lines {
    /// No bytes yet; `limit` is the longest line, in bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), start: 0, searched: 0, skipping: false }
    }

    /// Adds bytes that have come.
    ///
    /// Take all lines with [`next`](Self::next) before adding more: then at most the limit and one addition are held.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a line was begun and has not ended. One that is being skipped does not count.
    pub fn is_inside_a_line(&self) -> bool {
        self.start < self.bytes.len()
    }

    /// The next line, if all of it has come.
    #[expect(clippy::should_implement_trait, reason = "a line borrows from here, which an Iterator's items cannot")]
    pub fn next(&mut self) -> Option<Line<'_>> {
        if self.skipping {
            let Some(end) = self.find_end() else {
                self.forget_all();
                return None;
            };
            self.skipping = false;
            self.begin_at(end + 1);
        }
        if is_parting(self.bytes.get(self.start)) {
            return Some(Line::Control);
        }
        if let Some(end) = self.find_end() {
            let text = self.start..self.without_return(end);
            self.begin_at(end + 1);
            return Some(if text.len() > self.limit { Line::TooLong } else { Line::Text(&self.bytes[text]) });
        }
        if self.without_return(self.bytes.len()) - self.start > self.limit {
            self.forget_all();
            self.skipping = true;
            return Some(Line::TooLong);
        }
        self.bytes.drain(..self.start);
        self.searched = self.bytes.len();
        self.start = 0;
        None
    }

    /// What is left when nothing more will come: a last line without an end.
    pub fn last(&self) -> Option<&[u8]> {
        self.is_inside_a_line().then(|| &self.bytes[self.start..])
    }

    fn find_end(&mut self) -> Option<usize> {
        let from = self.searched;
        self.searched = self.bytes.len();
        self.bytes[from..].iter().position(|byte| *byte == b'\n').map(|place| from + place)
    }

    /// Where the text ends that goes up to `end`: before the CR of a CRLF, whose LF may be still on its way.
    fn without_return(&self, end: usize) -> usize {
        if end > self.start && self.bytes[end - 1] == b'\r' { end - 1 } else { end }
    }

    fn begin_at(&mut self, start: usize) {
        self.start = start;
        self.searched = start;
    }

    fn forget_all(&mut self) {
        self.bytes.clear();
        self.begin_at(0);
    }
}

fn is_parting(first: Option<&u8>) -> bool {
    first.is_some_and(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out when the pieces come in one by one, and what is left.
    fn lines<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Option<String>) {
        let mut lines = Lines::new(limit);
        let mut seen = Vec::new();
        for piece in pieces {
            lines.add(piece);
            while let Some(line) = lines.next() {
                let ends = line == Line::Control;
                seen.push(match line {
                    Line::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
                    other => format!("{other:?}"),
                });
                if ends {
                    return (seen, None);
                }
            }
        }
        (seen, lines.last().map(|rest| String::from_utf8_lossy(rest).into_owned()))
    }

    const LIMIT: usize = 8;

    /// Pipelined lines of both ends, empty ones, one at the limit, one over it, one far over it, and a rest.
    const STREAM: &[u8] =
        b"chess\r\nblack\n\n\r\n12345678\r\n12345678\n123456789\r\n123456789\nx\r\r\n12345678\r\r\nfar over the limit\r\nlast\rone\nrest";

    fn expected() -> (Vec<String>, Option<String>) {
        let seen = [
            "\"chess\"",
            "\"black\"",
            "\"\"",
            "\"\"",
            "\"12345678\"",
            "\"12345678\"",
            "TooLong",
            "TooLong",
            "\"x\\r\"",
            "TooLong",
            "TooLong",
            "\"last\\rone\"",
        ];
        (seen.map(str::to_owned).to_vec(), Some("rest".to_owned()))
    }

    #[test]
    fn a_stream_in_one_piece_is_cut_into_its_lines() {
        assert_eq!(lines(LIMIT, [STREAM]), expected());
    }

    #[test]
    fn it_does_not_matter_where_the_network_cuts() {
        for first in 0..=STREAM.len() {
            for second in first..=STREAM.len() {
                let pieces = [&STREAM[..first], &STREAM[first..second], &STREAM[second..]];
                assert_eq!(lines(LIMIT, pieces), expected(), "cut at {first} and {second}");
            }
        }
        assert_eq!(lines(LIMIT, STREAM.chunks(1)), expected(), "byte by byte");
    }

    #[test]
    fn a_control_character_counts_at_the_head_of_a_line_only() {
        for parting in (0..b' ').filter(|byte| !b"\t\r\n".contains(byte)) {
            let (seen, _) = lines(LIMIT, [&b"a\n"[..], &[parting]]);
            assert_eq!(seen, ["\"a\"", "Control"], "{parting}");
        }
        assert_eq!(lines(LIMIT, [&b"a\x04b\n\tc\n"[..]]).0, ["\"a\\u{4}b\"", "\"\\tc\""]);
    }

    #[test]
    fn a_control_character_inside_a_skipped_line_is_skipped() {
        let stream = b"123456789\x04\x04\nok\n\x04";
        for cut in 0..=stream.len() {
            let (seen, _) = lines(LIMIT, [&stream[..cut], &stream[cut..]]);
            assert_eq!(seen, ["TooLong", "\"ok\"", "Control"], "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut lines = Lines::new(64 * 1024);
        let piece = [b'x'; 4096];
        let mut reports = 0;
        for _ in 0..10_000 {
            lines.add(&piece);
            while let Some(line) = lines.next() {
                assert_eq!(line, Line::TooLong);
                reports += 1;
            }
            assert!(!lines.is_inside_a_line() || reports == 0);
        }
        assert_eq!(reports, 1);
        assert!(lines.bytes.capacity() <= 256 * 1024, "{} bytes", lines.bytes.capacity());
    }

    #[test]
    fn a_line_exactly_at_64_kib_is_taken_and_one_byte_more_is_not() {
        const KIB_64: usize = 64 * 1024;
        for (length, end) in [(KIB_64, "\n"), (KIB_64, "\r\n"), (KIB_64 + 1, "\n"), (KIB_64 + 1, "\r\n")] {
            let stream = format!("{}{end}ok\n", "x".repeat(length));
            for size in [1, 4095, 4096, KIB_64, KIB_64 + 1, KIB_64 + 2, stream.len()] {
                let (seen, rest) = lines(KIB_64, stream.as_bytes().chunks(size));
                assert_eq!(seen.len(), 2, "{length} {end:?} by {size}");
                assert_eq!(seen[0] == "TooLong", length > KIB_64, "{length} {end:?} by {size}");
                assert_eq!((seen[1].as_str(), rest), ("\"ok\"", None));
            }
        }
    }
}
