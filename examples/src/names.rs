//! The name of every character of Unicode 17 that has one.
//!
//! The crate `unicode_names2` has the tables. It leaves out the Tangut ideographs, whose names are made by rule NR2 of the
//! Unicode standard (section 4.8) from a prefix and the code point; they are added here.

use std::fmt;

/// A character's name; [`Display`](fmt::Display) writes it.
#[derive(Debug, Clone)]
pub struct Name(Source);

#[derive(Debug, Clone)]
enum Source {
    Listed(unicode_names2::Name),
    Tangut(char),
}

/// The name of a character; `None` if it has none, as control characters and those that are not assigned.
pub fn name(character: char) -> Option<Name> {
    match character {
        '\u{17000}'..='\u{187FF}' | '\u{18D00}'..='\u{18D1E}' => Some(Name(Source::Tangut(character))),
        _ => unicode_names2::name(character).map(|listed| Name(Source::Listed(listed))),
    }
}

/// All characters that have a name, in order.
pub fn named_characters() -> impl Iterator<Item = (char, Name)> {
    ('\0'..=char::MAX).filter_map(|character| Some((character, name(character)?)))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Listed(listed) => listed.fmt(f),
            Source::Tangut(character) => write!(f, "TANGUT IDEOGRAPH-{:X}", u32::from(*character)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_unicode_17_is_there() {
        // The standard's own count of graphic and format characters.
        assert_eq!(named_characters().count(), 159_801);
    }

    #[test]
    fn each_kind_of_name_is_written() {
        let of = |character| name(character).map(|name| name.to_string());
        assert_eq!(of('♚').as_deref(), Some("BLACK CHESS KING"));
        assert_eq!(of('한').as_deref(), Some("HANGUL SYLLABLE HAN"));
        assert_eq!(of('丂').as_deref(), Some("CJK UNIFIED IDEOGRAPH-4E02"));
        assert_eq!(of('\u{17000}').as_deref(), Some("TANGUT IDEOGRAPH-17000"));
        assert_eq!(of('\u{18D1E}').as_deref(), Some("TANGUT IDEOGRAPH-18D1E"));
        assert_eq!(of('\u{7}'), None);
        assert_eq!(of('\u{E000}'), None);
    }
}
