//! Where the answer to a line ends: bytes go in as they come, a verdict comes out. No I/O.
//!
//! A line is sent when the answer to the one before it is whole, so nothing may follow an answer: bytes behind its end are
//! a fault, or the next answer would be taken for the wrong question's.

use super::fault::{Fault, Kind};

/// How the end of an answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// By this text at the head of a line, with nothing behind it. The server sends it once before the first line, too.
    Prompt(Vec<u8>),
    /// By its count of lines, at least one.
    Lines(u64),
    /// By its count of bytes, at least one.
    Bytes(u64),
}

/// An answer that is coming.
#[derive(Debug)]
pub struct LineAnswer<'a> {
    until: &'a Until,
    /// What has come, in the unit in which the end is known.
    count: u64,
    /// The line that has not ended, no more of it than tells it from a prompt.
    last_line: Vec<u8>,
}

impl<'a> LineAnswer<'a> {
    /// Nothing has come.
    pub fn new(until: &'a Until) -> Self {
        Self { until, count: 0, last_line: Vec::new() }
    }

    /// Takes the next bytes; whether the answer is whole.
    ///
    /// # Errors
    /// There is more than an answer.
    pub fn add(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        match self.until {
            Until::Prompt(prompt) => self.add_to_last_line(bytes, prompt),
            Until::Bytes(wanted) => {
                self.count += bytes.len() as u64;
                whole(self.count, *wanted, true)
            }
            Until::Lines(wanted) => {
                self.count += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
                whole(self.count, *wanted, bytes.ends_with(b"\n"))
            }
        }
    }

    fn add_to_last_line(&mut self, bytes: &[u8], prompt: &[u8]) -> Result<bool, Fault> {
        let mut rest = bytes;
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            self.last_line.clear();
            rest = &bytes[end + 1..];
        }
        let room = (prompt.len() + 1).saturating_sub(self.last_line.len());
        self.last_line.extend_from_slice(&rest[..rest.len().min(room)]);
        if self.last_line.len() > prompt.len() && self.last_line.starts_with(prompt) {
            return Err(Fault::new(Kind::BadAnswer, "there is more behind the prompt"));
        }
        Ok(self.last_line == prompt)
    }
}

fn whole(count: u64, wanted: u64, at_its_end: bool) -> Result<bool, Fault> {
    if count > wanted || (count == wanted && !at_its_end) {
        return Err(Fault::new(Kind::BadAnswer, "there is more than the answer should have"));
    }
    Ok(count == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After which byte it is whole, or that it is more than whole.
    fn end(until: &Until, stream: &[u8], size: usize) -> Result<Option<usize>, Kind> {
        let mut answer = LineAnswer::new(until);
        let mut taken = 0;
        for piece in stream.chunks(size) {
            taken += piece.len();
            if answer.add(piece).map_err(|fault| fault.kind)? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    #[test]
    fn an_answer_ends_with_its_prompt_however_it_is_cut() {
        let prompt = Until::Prompt(b"?> ".to_vec());
        for stream in ["?> ", "a\r\n?> ", "No match for 'a ?> b'\r\n?> ", "?>\n?> ", "\n\n ?> \n?> "] {
            for size in 1..=stream.len() {
                // Byte by byte the first line of `?> ` would be whole before the rest has come; none of these begins so.
                assert_eq!(end(&prompt, stream.as_bytes(), size), Ok(Some(stream.len())), "{stream:?} by {size}");
            }
        }
        for stream in ["", "a", "?>", "a ?> ", "a\n?", "?> \n", "? > "] {
            assert_eq!(end(&prompt, stream.as_bytes(), stream.len().max(1)), Ok(None), "{stream:?}");
        }
        for stream in ["?> ?> ", "a\n?> b"] {
            assert_eq!(end(&prompt, stream.as_bytes(), stream.len()), Err(Kind::BadAnswer), "{stream:?}");
        }
    }

    #[test]
    fn an_answer_ends_after_its_lines() {
        for size in 1..=6 {
            assert_eq!(end(&Until::Lines(2), b"a\n\r\n", size), Ok(Some(4)));
            assert_eq!(end(&Until::Lines(2), b"a\nb", size), Ok(None));
        }
        assert_eq!(end(&Until::Lines(1), b"a\nb", 3), Err(Kind::BadAnswer));
        assert_eq!(end(&Until::Lines(1), b"a\nb\n", 4), Err(Kind::BadAnswer));
    }

    #[test]
    fn an_answer_ends_after_its_bytes() {
        for size in 1..=5 {
            assert_eq!(end(&Until::Bytes(5), b"\0\n?> ", size), Ok(Some(5)));
            assert_eq!(end(&Until::Bytes(6), b"\0\n?> ", size), Ok(None));
        }
        assert_eq!(end(&Until::Bytes(4), b"\0\n?> ", 5), Err(Kind::BadAnswer));
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let until = Until::Prompt(b"?> ".to_vec());
        let mut answer = LineAnswer::new(&until);
        for _ in 0..1000 {
            assert_eq!(answer.add(&[b'?'; 4096]), Ok(false));
        }
        assert!(answer.last_line.capacity() < 64);
    }
}
