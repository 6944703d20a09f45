//! Query strings as forms send them: `query=chess+black&page=2`, with bytes as `%` and two digits.
//!
//! What is no such escape stands for itself, as browsers read it. Bytes that are no UTF-8 are a mistake and not replaced: a
//! search for something that nobody asked for helps nobody.

use std::fmt;

/// The value of a name in a query string: the first, if there are several.
///
/// # Errors
/// The value is not in UTF-8.
pub(super) fn value_of(query: &str, name: &str) -> Option<Result<String, NotUtf8>> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(key, _)| decode(key).is_ok_and(|key| key == name))
        .map(|(_, value)| decode(value))
}

/// Bytes that were to be text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

fn decode(text: &str) -> Result<String, NotUtf8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let (byte, behind) = match first {
            b'+' => (b' ', behind),
            b'%' => escaped(behind).unwrap_or((b'%', behind)),
            _ => (first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8(bytes).map_err(|_| NotUtf8)
}

/// The byte whose two digits these are, and what is behind them.
fn escaped(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, behind @ ..] = digits else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some((u8::try_from(digit(high)? * 16 + digit(low)?).ok()?, behind))
}

/// Writes a value so that [`value_of`] reads it back; it holds nothing that means something in a URL or in HTML.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoded<'a>(pub(super) &'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b' ' => f.write_str("+"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => write!(f, "{}", char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(query: &str) -> Option<Result<String, NotUtf8>> {
        value_of(query, "query")
    }

    fn is(text: &str) -> Option<Result<String, NotUtf8>> {
        Some(Ok(text.to_owned()))
    }

    #[test]
    fn values_are_found_by_name_and_the_first_one_counts() {
        assert_eq!(value("query=chess+black&page=2"), is("chess black"));
        assert_eq!(value("page=2&query=a=b&query=c"), is("a=b"));
        assert_eq!(value("%71uery=x"), is("x"));
        assert_eq!(value("query"), is(""));
        assert_eq!(value("query=&"), is(""));
        assert_eq!(value("queries=x&&=&"), None);
        assert_eq!(value(""), None);
    }

    #[test]
    fn escapes_are_bytes_and_what_is_none_stands_for_itself() {
        assert_eq!(value("query=%E2%98%83%2b%20%26"), is("☃+ &"));
        assert_eq!(value("query=100%&x"), is("100%"));
        assert_eq!(value("query=%4"), is("%4"));
        assert_eq!(value("query=%zz%+1%%41"), is("%zz% 1%A"));
    }

    #[test]
    fn what_is_not_utf_8_is_a_mistake() {
        for query in ["query=%ff", "query=%e2%98", "query=%c0%80", "query=%ed%a0%80"] {
            assert_eq!(value(query), Some(Err(NotUtf8)), "{query}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_is_plain() {
        let every_kind = "a Z9-._~ <script>\"'&;=+%\0\r\n☃\u{10ffff}";
        let written = Encoded(every_kind).to_string();
        assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+%-._".contains(&byte)), "{written}");
        assert_eq!(value(&format!("query={written}")), is(every_kind));
    }
}
