//! What is asked for, and what is found: no HTTP here, and no HTML.

use super::urlencoding::{NotUtf8, value_of};
use crate::index::Index;
use weftwork::OffloadError;

/// Rows of a page.
pub(super) const ROWS: usize = 200;

/// With more characters than this to look through, a search leaves the worker: it takes 10 ns for each in a release
/// build, so what stays takes less than handing it over and back would.
const OFFLOADED_CANDIDATES: usize = 4096;

/// What the query string asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The words, trimmed; empty if there are none.
    pub(super) words: String,
    /// From 1.
    pub(super) page: usize,
}

/// Why a query string cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The words are no text.
    NotUtf8,
    /// The page is no number, or 0.
    NoPage,
}

impl Question {
    /// Reads a query string.
    pub(super) fn read(query: &str) -> Result<Self, Mistake> {
        let value = |name| value_of(query, name).transpose().map_err(|NotUtf8| Mistake::NotUtf8);
        let words = value("query")?.unwrap_or_default().trim().to_owned();
        let page = match value("page")? {
            None => 1,
            // Digits and nothing else: `parse` would take a sign.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|&page| page > 0).ok_or(Mistake::NoPage)?
            }
            Some(_) => return Err(Mistake::NoPage),
        };
        Ok(Self { words, page })
    }
}

/// One page of what was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// All that was found, on whatever page.
    pub(super) total: usize,
    /// From 1. It may lie behind the last; then it has no rows.
    pub(super) page: usize,
    /// At least 1.
    pub(super) pages: usize,
    /// The characters of this page.
    pub(super) rows: Vec<char>,
}

impl Found {
    fn new(all: impl Iterator<Item = char>, page: usize) -> Self {
        let on_page = |&(at, _): &(usize, char)| at / ROWS == page - 1;
        let mut total = 0;
        let counted = all.enumerate().inspect(|_| total += 1);
        let rows = counted.filter(on_page).map(|(_, character)| character).collect();
        Self { total, page, pages: total.div_ceil(ROWS).max(1), rows }
    }

    /// The number of the first row, from 1.
    pub(super) fn first(&self) -> usize {
        (self.page - 1).saturating_mul(ROWS) + 1
    }
}

/// Finds what is asked for, on a thread of its own if it takes long.
///
/// # Errors
/// No thread could be had for it, or the runtime ends.
pub(super) async fn find(index: &'static Index, question: &Question) -> Result<Found, OffloadError> {
    let (words, page) = (question.words.clone(), question.page);
    let search = move || Found::new(index.find(&words), page);
    if index.candidates(&question.words) > OFFLOADED_CANDIDATES {
        weftwork::to_thread(search).await
    } else {
        Ok(search())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_words_and_a_page() {
        let question = |words: &str, page| Ok(Question { words: words.to_owned(), page });
        assert_eq!(Question::read("query=+chess++black+"), question("chess  black", 1));
        assert_eq!(Question::read("query=cjk&page=17"), question("cjk", 17));
        assert_eq!(Question::read(""), question("", 1));
        assert_eq!(Question::read("query=%ff"), Err(Mistake::NotUtf8));
        for page in ["0", "", "x", "-1", "%2B1", "1.5", "99999999999999999999999"] {
            assert_eq!(Question::read(&format!("query=cjk&page={page}")), Err(Mistake::NoPage), "{page}");
        }
    }

    #[test]
    fn what_is_found_is_cut_into_pages() {
        let found = |characters, page| Found::new(('\u{4e00}'..).take(characters), page);
        for (page, rows) in [(1, 200), (2, 200), (3, 1), (4, 0), (usize::MAX, 0)] {
            let found = found(401, page);
            assert_eq!((found.total, found.pages, found.rows.len()), (401, 3, rows), "{page}");
        }
        assert_eq!(found(401, 2).first(), 201);
        assert_eq!(found(401, 2).rows[0], '\u{4ec8}');
        assert_eq!(found(200, 1).pages, 1);
        assert_eq!(found(0, 1), Found { total: 0, page: 1, pages: 1, rows: vec![] });
    }
}
