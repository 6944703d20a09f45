//! Lines for whoever runs a server, and how text from a client is shown in them.
//!
//! What a client sent may hold line ends and control characters. Shown as they are they could forge lines of the log or
//! reprogram a terminal, so it goes through [`Quoted`].

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;

/// Where the lines of a server go. A clone goes to the same place.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    /// To stderr. A line that cannot be written is dropped: a server does not end because nobody reads its log.
    pub fn stderr() -> Self {
        Self::to(|line| {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        })
    }

    /// To a function, called with one line without its end.
    pub fn to(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Writes a line.
    pub fn line(&self, line: impl fmt::Display) {
        (self.0)(&line.to_string());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// Text in single quotes, with everything escaped that is not plainly visible, and cut after 200 characters.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

/// A query may be 64 KiB long; nobody reads that in a log.
const SHOWN_CHARACTERS: usize = 200;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        f.write_char('\'')?;
        for c in characters.by_ref().take(SHOWN_CHARACTERS) {
            match c {
                // Visible, and no end of the quotation.
                '"' => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_debug())?,
            }
        }
        f.write_char('\'')?;
        if characters.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_forge_a_line_is_escaped() {
        let nasty = "a\nClose the client socket\r\x1b[2J\u{7f}\u{202e}'\\";
        let expected = r"'a\nClose the client socket\r\u{1b}[2J\u{7f}\u{202e}\'\\'";
        assert_eq!(Quoted(nasty).to_string(), expected);
        assert_eq!(Quoted("chess \"black\" ♚").to_string(), "'chess \"black\" ♚'");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(Quoted(&"x".repeat(200)).to_string(), format!("'{}'", "x".repeat(200)));
        assert_eq!(Quoted(&"x".repeat(201)).to_string(), format!("'{}'...", "x".repeat(200)));
    }
}
