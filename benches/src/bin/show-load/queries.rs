//! What is asked: queries as people make them, with answers of no line up to hundreds.

use examples::load::question::Question;
use examples::load::target::HttpUrl;

const QUERIES: [&str; 24] = [
    "snowman",
    "chess black",
    "cat face",
    "smiling face",
    "greek small letter alpha",
    "roman numeral",
    "arrow left",
    "musical symbol",
    "cyrillic capital letter",
    "box drawings",
    "mathematical bold capital",
    "braille pattern dots-1",
    "hebrew letter",
    "copyright",
    "euro sign",
    "no such name",
    "hexagram for",
    "domino tile horizontal",
    "right-pointing",
    "flag",
    "heart",
    "hangul syllable han",
    "egyptian hieroglyph a001",
    "latin small letter e with",
];

/// Over TCP; an answer has to end with a status that repeats the query, so one that belongs to another is found out.
pub(crate) fn lines() -> Vec<Question> {
    QUERIES.iter().map(|query| Question::line(query, " for '{line}'\r\n")).collect()
}

/// From the page, which shows the query again.
pub(crate) fn pages(authority: &str) -> Vec<Question> {
    let url = HttpUrl { authority: authority.to_owned(), path_and_query: "/?query={line}".to_owned() };
    QUERIES.iter().map(|query| Question::get(&url, query, "{line}")).collect()
}

/// The commonest kind of them, for a client that asks only one.
pub(crate) fn path() -> &'static str {
    "/?query=chess%20black"
}
