//! Characters by the words of their names.
//!
//! What is a word: what stands between spaces, and, where that has hyphens in it, each of its parts too. So `forty`, `five`
//! and `forty-five` all find `BLACK CHESS KNIGHT ROTATED FORTY-FIVE DEGREES`.
//!
//! Names are ASCII, so case means ASCII case.

use crate::names::named_characters;
use std::collections::HashMap;
use std::slice;

/// Characters by word. Built once, then only read.
#[derive(Debug)]
pub struct Index {
    /// For each word, in capitals, the characters in whose names it stands, in order.
    characters: HashMap<Box<str>, Vec<char>>,
    names: usize,
}

impl Index {
    /// Reads all names: a fifth of a second of computing, so keep it off the workers.
    pub fn build() -> Self {
        let mut index = Self { characters: HashMap::new(), names: 0 };
        let mut text = String::new();
        for (character, name) in named_characters() {
            use std::fmt::Write as _;
            text.clear();
            // Writing to a String does not fail.
            let _ = write!(text, "{name}");
            index.add(character, &text);
        }
        index
    }

    fn add(&mut self, character: char, name: &str) {
        self.names += 1;
        for word in words_and_parts(name) {
            // Most words were seen before; only a new one is copied.
            match self.characters.get_mut(word) {
                Some(characters) if characters.last() == Some(&character) => {}
                Some(characters) => characters.push(character),
                None => {
                    self.characters.insert(word.into(), vec![character]);
                }
            }
        }
    }

    /// How many names it holds.
    pub fn names(&self) -> usize {
        self.names
    }

    /// How many words it knows.
    pub fn words(&self) -> usize {
        self.characters.len()
    }

    /// The characters in whose names every word of the query stands, in order. A query without words finds nothing.
    pub fn find(&self, query: &str) -> Matches<'_> {
        let mut lists = self.lists(query).unwrap_or_default();
        // The rarest word first: each further one only takes away. The address brings together what is said twice.
        lists.sort_unstable_by_key(|list| (list.len(), list.as_ptr()));
        lists.dedup_by_key(|list| list.as_ptr());
        let rarest = if lists.is_empty() { &[] } else { lists.remove(0) };
        Matches { rarest: rarest.iter(), others: lists }
    }

    /// How many characters [`find`](Self::find) would look through.
    pub fn candidates(&self, query: &str) -> usize {
        self.lists(query).and_then(|lists| lists.iter().map(|list| list.len()).min()).unwrap_or(0)
    }

    /// The characters of each word; `None` if nothing has one of them.
    fn lists(&self, query: &str) -> Option<Vec<&[char]>> {
        let query = query.to_ascii_uppercase();
        query.split_whitespace().map(|word| self.characters.get(word).map(Vec::as_slice)).collect()
    }
}

/// What a query finds, looked for as it is asked for: a match takes no memory, however many clients have a hundred thousand
/// of them under way.
#[derive(Debug, Clone)]
pub struct Matches<'a> {
    /// What is left of the rarest word's characters.
    rarest: slice::Iter<'a, char>,
    /// What is left of those of the other words.
    others: Vec<&'a [char]>,
}

impl Iterator for Matches<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let others = &mut self.others;
        self.rarest.by_ref().copied().find(|character| others.iter_mut().all(|list| advance(list, *character)))
    }
}

/// Drops from a sorted list what is below `wanted`, and says whether that stands at its head then.
///
/// The steps double, so that it is quick where the next one is near and where it is far: the commonest words have a hundred
/// thousand characters each, and most of these in common.
fn advance(list: &mut &[char], wanted: char) -> bool {
    let mut step = 1;
    while list.get(step).is_some_and(|character| *character < wanted) {
        step *= 2;
    }
    let reached = &list[..list.len().min(step + 1)];
    *list = &list[reached.partition_point(|character| *character < wanted)..];
    list.first() == Some(&wanted)
}

fn words_and_parts(name: &str) -> impl Iterator<Item = &str> {
    name.split_whitespace().flat_map(|word| {
        let parts = word.split('-').filter(move |part| !part.is_empty() && part.len() < word.len());
        std::iter::once(word).chain(parts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::OnceLock;

    fn index() -> &'static Index {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(Index::build)
    }

    fn found(query: &str) -> String {
        index().find(query).collect()
    }

    fn names() -> &'static [(char, String)] {
        static NAMES: OnceLock<Vec<(char, String)>> = OnceLock::new();
        NAMES.get_or_init(|| named_characters().map(|(character, name)| (character, name.to_string())).collect())
    }

    /// The definition, word for word: what the index is checked against.
    fn found_slowly(query: &str) -> String {
        let query = query.to_ascii_uppercase();
        let stands_in = |wanted: &str, name: &str| {
            name.split(' ').any(|word| word == wanted || word.split('-').any(|part| part == wanted))
        };
        let has_all = |name: &str| query.split_whitespace().all(|wanted| stands_in(wanted, name));
        names().iter().filter(|(_, name)| has_all(name)).map(|(character, _)| character).collect()
    }

    #[test]
    fn every_word_has_to_stand_in_the_name_in_any_order_and_case() {
        let expected = "♚♛♜♝♞♟";
        assert!(expected.chars().all(|c| found("chess black").contains(c)), "{}", found("chess black"));
        assert_eq!(found("chess black"), found("BLACK Chess"));
        assert_eq!(found("chess black"), found("  chess\t black black "));
        assert_eq!(found("chess black king rook"), "");
        assert_eq!(found("no-such-word"), "");
    }

    #[test]
    fn a_part_of_a_word_is_no_word() {
        assert_eq!(found("snowma"), "");
        assert_eq!(found("snowman"), "☃⛄⛇");
    }

    #[test]
    fn a_query_without_words_finds_nothing() {
        for query in ["", "  ", "-", "- --", "\u{a0}"] {
            assert_eq!(found(query), "", "{query:?}");
        }
    }

    #[test]
    fn hyphenated_words_are_found_by_their_parts_and_as_a_whole() {
        assert_eq!(found("4e02"), "丂");
        assert_eq!(found("ideograph-4e02"), "丂");
        assert_eq!(found("17000"), "\u{17000}");
        assert_eq!(found("tibetan letter -a"), "\u{f60}\u{fb0}");
        assert_eq!(found("4e02-ideograph"), "");
        assert!(found("ideograph-4e0").is_empty());
    }

    #[test]
    fn the_index_finds_what_the_definition_says() {
        for query in [
            "chess black",
            "cjk 4E00",
            "hangul syllable han",
            "letter a",
            "left-pointing",
            "o-e",
            "left pointing angle",
            "cjk unified ideograph",
            "hangul a",
            "with letter small",
        ] {
            assert_eq!(found(query), found_slowly(query), "{query:?}");
        }
    }

    #[test]
    fn what_is_to_be_looked_through_is_known_before() {
        for query in ["cjk", "cjk black", "black cjk black", "snowman"] {
            let rarest = query.split(' ').map(|word| index().find(word).count()).min().unwrap();
            assert_eq!(index().candidates(query), rarest, "{query}");
        }
        assert_eq!([index().candidates("cjk snowmen"), index().candidates("")], [0, 0]);
    }

    #[test]
    fn every_character_is_found_by_its_whole_name() {
        // Each 97th, a prime: all kinds of names, in a time a debug build can afford.
        for (character, name) in names().iter().step_by(97) {
            let matches: Vec<char> = index().find(&name.to_lowercase()).collect();
            assert!(matches.contains(character), "{name}");
            assert!(matches.is_sorted(), "{name}");
        }
    }

    #[test]
    fn lists_are_in_order_and_say_nothing_twice() {
        assert_eq!(index().names(), 159_801);
        for (word, list) in &index().characters {
            assert!(list.is_sorted_by(|a, b| a < b), "{word}");
        }
        assert_eq!(index().find("chess").collect::<BTreeSet<_>>().len(), index().find("chess").count());
    }
}
