//! Rust source line by line, its code apart from its comments and strings.
//!
//! Enough of Rust's lexical grammar to know where a comment, a string or a character begins and ends, so that a rule about
//! code is not tripped by prose about it.

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The line as it is written.
    pub(crate) text: &'a str,
    /// The same without comments, and with nothing inside its strings.
    pub(crate) code: String,
}

enum Inside {
    Code,
    /// Block comments nest.
    Comment {
        depth: usize,
    },
    Text,
    RawText {
        hashes: usize,
    },
}

pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut inside = Inside::Code;
    text.lines().map(|text| Line { text, code: code_of(text, &mut inside) }).collect()
}

fn code_of(line: &str, inside: &mut Inside) -> String {
    let mut code = String::new();
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let mut taken = next.len_utf8();
        match inside {
            Inside::Code if rest.starts_with("//") => break,
            Inside::Code if rest.starts_with("/*") => {
                *inside = Inside::Comment { depth: 1 };
                taken = 2;
            }
            Inside::Code if next == '"' => {
                *inside = Inside::Text;
                code.push('"');
            }
            Inside::Code if next == '\'' => {
                taken = character(rest);
                code.push_str(if taken > 1 { "''" } else { "'" });
            }
            Inside::Code => {
                let begins_word = !code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
                match raw_text(rest).filter(|_| begins_word) {
                    Some(hashes) => {
                        taken = rest.find('"').map_or(1, |quote| quote + 1);
                        code.push('"');
                        *inside = Inside::RawText { hashes };
                    }
                    None => code.push(next),
                }
            }
            Inside::Comment { depth } if rest.starts_with("*/") => {
                taken = 2;
                match *depth {
                    1 => *inside = Inside::Code,
                    _ => *depth -= 1,
                }
            }
            Inside::Comment { depth } if rest.starts_with("/*") => {
                taken = 2;
                *depth += 1;
            }
            Inside::Comment { .. } => {}
            Inside::Text if next == '\\' => taken += rest[1..].chars().next().map_or(0, char::len_utf8),
            Inside::Text if next == '"' => {
                *inside = Inside::Code;
                code.push('"');
            }
            Inside::Text => {}
            Inside::RawText { hashes } if next == '"' && rest[1..].starts_with(&"#".repeat(*hashes)) => {
                taken = 1 + *hashes;
                *inside = Inside::Code;
                code.push('"');
            }
            Inside::RawText { .. } => {}
        }
        rest = &rest[taken..];
    }
    code
}

/// The number of hashes, if a raw string begins here.
fn raw_text(rest: &str) -> Option<usize> {
    let behind = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    behind[hashes..].starts_with('"').then_some(hashes)
}

/// How many bytes the character literal that may begin here takes; 1 if it is a lifetime.
fn character(rest: &str) -> usize {
    let inner = &rest[1..];
    let length = match inner.chars().next() {
        Some('\\') => match inner[1..].find('\'') {
            // The quote right behind the backslash belongs to it.
            Some(0) => 3,
            Some(end) => end + 2,
            None => return 1,
        },
        Some(one) if inner[one.len_utf8()..].starts_with('\'') => one.len_utf8() + 1,
        _ => return 1,
    };
    1 + length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        lines(text).into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        assert_eq!(code("a(\"unsafe {\"); // unsafe {"), ["a(\"\"); "]);
        assert_eq!(code("a /* x /* y */ z */ b"), ["a  b"]);
        assert_eq!(code("a /* x\ny */ b"), ["a ", " b"]);
        assert_eq!(code("r#\"x \" y\"# b"), ["\" b".replace("\" b", "\"\" b")]);
        assert_eq!(code("\"a \\\" b\" c"), ["\"\" c"]);
    }

    #[test]
    fn characters_and_lifetimes_are_told_apart() {
        assert_eq!(code("'\"' + 'a' + '\\'' + '\\n' + \"x\""), ["'' + '' + '' + '' + \"\""]);
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), ["fn f<'a>(x: &'a str) {}"]);
        assert_eq!(code("for r in 0..1 {}"), ["for r in 0..1 {}"]);
    }
}
