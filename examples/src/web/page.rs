//! What a browser shows: one page, without scripts and without anything from elsewhere.
//!
//! All text that is not written here goes through [`Escaped`]. A page is written once into one string, so that its length
//! is known before it is sent; 200 rows are 40 KiB.

use super::search::Found;
use super::urlencoding::Encoded;
use crate::log::Quoted;
use crate::names::name;
use hyper::StatusCode;
use std::fmt::{self, Display};

pub(super) const STYLE: &str = include_str!("style.css");
pub(super) const ICON: &str = include_str!("icon.svg");

/// Words to begin with.
const EXAMPLES: [&str; 6] = ["chess black", "cat face", "snowman", "musical symbol", "roman numeral", "arrow left"];

/// Pages shown beside the present one, each way.
const NEIGHBOURS: usize = 2;

/// A page; [`Display`] writes it.
#[derive(Debug)]
pub(super) struct Page<'a> {
    words: &'a str,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    Welcome,
    Found(&'a Found),
    Refused(StatusCode, &'a str),
}

impl<'a> Page<'a> {
    /// Nothing was asked.
    pub(super) fn welcome() -> Self {
        Self { words: "", content: Content::Welcome }
    }

    /// What was found for the words.
    pub(super) fn found(words: &'a str, found: &'a Found) -> Self {
        Self { words, content: Content::Found(found) }
    }

    /// Why there is no other page.
    pub(super) fn refused(status: StatusCode, why: &'a str) -> Self {
        Self { words: "", content: Content::Refused(status, why) }
    }

    /// Whether the field takes the focus: not where somebody is turning pages.
    fn focuses(&self) -> bool {
        !matches!(self.content, Content::Found(found) if found.page > 1)
    }

    fn status(&self) -> String {
        match self.content {
            Content::Welcome => "159\u{a0}801 characters of Unicode 17 have a name. Try one of these:".into(),
            Content::Refused(status, why) => format!("{status}. {why}"),
            Content::Found(found) => {
                let words = Quoted(self.words);
                match found.total {
                    0 => format!("No match for {words}"),
                    1 => format!("1 match for {words}"),
                    total if found.page > found.pages => {
                        format!("{} matches for {words}, and no page {}", Grouped(total), Grouped(found.page))
                    }
                    total if found.pages > 1 => {
                        let (first, last) = (found.first(), found.first() + found.rows.len() - 1);
                        let total = Grouped(total);
                        format!("{total} matches for {words}, {} to {} shown", Grouped(first), Grouped(last))
                    }
                    total => format!("{total} matches for {words}"),
                }
            }
        }
    }
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Escaped(self.words);
        let version = env!("CARGO_PKG_VERSION");
        let divider = if self.words.is_empty() { "" } else { " \u{2013} " };
        let autofocus = if self.focuses() { " autofocus" } else { "" };
        let status = self.status();
        write!(
            f,
            "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{words}{divider}charfinder</title>
<link rel=\"stylesheet\" href=\"/style.css?{version}\">
<link rel=\"icon\" type=\"image/svg+xml\" href=\"/icon.svg?{version}\">
</head>
<body>
<header>
<h1><a href=\"/\">charfinder</a></h1>
<p>Finds Unicode characters by the words of their names.</p>
</header>
<main>
<form action=\"/\" method=\"get\" role=\"search\">
<label for=\"query\">Words of the name</label>
<div class=\"field\">
<input type=\"search\" id=\"query\" name=\"query\" value=\"{words}\" maxlength=\"500\" autocomplete=\"off\" \
             placeholder=\"chess black\" autocapitalize=\"none\" spellcheck=\"false\" enterkeyhint=\"search\"{autofocus}>
<button type=\"submit\">Find</button>
</div>
</form>
<p class=\"status\" role=\"status\" aria-live=\"polite\">{}</p>
",
            Escaped(&status)
        )?;
        match self.content {
            Content::Welcome | Content::Refused(..) => write_examples(f)?,
            Content::Found(found) if found.total == 0 => {
                f.write_str("<p class=\"hint\">Each word has to be a whole word of the name.</p>\n")?;
                write_examples(f)?;
            }
            Content::Found(found) => {
                write_links(f, self.words, found, "Pages")?;
                write_table(f, found)?;
                write_links(f, self.words, found, "Pages, below the table")?;
            }
        }
        f.write_str("</main>\n</body>\n</html>\n")
    }
}

fn write_examples(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<nav class=\"examples\" aria-label=\"Examples\">\n<ul>\n")?;
    for words in EXAMPLES {
        writeln!(f, "<li><a href=\"/?query={}\">{}</a></li>", Encoded(words), Escaped(words))?;
    }
    f.write_str("</ul>\n</nav>\n")
}

fn write_table(f: &mut fmt::Formatter<'_>, found: &Found) -> fmt::Result {
    if found.rows.is_empty() {
        return Ok(());
    }
    f.write_str(
        "<table>
<caption>Characters found</caption>
<thead><tr><th scope=\"col\">Code point</th><th scope=\"col\">Character</th><th scope=\"col\">Name</th></tr></thead>
<tbody>
",
    )?;
    for &character in &found.rows {
        // An index holds named characters only.
        let Some(name) = name(character) else { continue };
        let name = name.to_string();
        // A mark that stands on the letter before it gets the circle that stands for any letter.
        let under = if name.starts_with("COMBINING ") { "\u{25cc}" } else { "" };
        writeln!(
            f,
            "<tr><td>U+{:04X}</td><td class=\"character\"><bdi>{under}{}</bdi></td><td>{}</td></tr>",
            u32::from(character),
            Escaped(character.encode_utf8(&mut [0; 4])),
            Escaped(&name),
        )?;
    }
    f.write_str("</tbody>\n</table>\n")
}

fn write_links(f: &mut fmt::Formatter<'_>, words: &str, found: &Found, label: &str) -> fmt::Result {
    let (page, pages) = (found.page, found.pages);
    if pages == 1 && page == 1 {
        return Ok(());
    }
    let words = Encoded(words);
    writeln!(f, "<nav class=\"pages\" aria-label=\"{label}\">\n<ul>")?;
    // Behind the last page, the way back is to the last.
    let before = page.saturating_sub(1).min(pages);
    if before >= 1 {
        writeln!(f, "<li><a rel=\"prev\" href=\"/?query={words}&amp;page={before}\">Previous</a></li>")?;
    }
    let mut shown = 0;
    for number in numbers(page, pages) {
        if number > shown + 1 {
            f.write_str("<li class=\"gap\" aria-hidden=\"true\">\u{2026}</li>\n")?;
        }
        shown = number;
        if number == page {
            // On a phone, the one number there is says of how many.
            writeln!(f, "<li><span aria-current=\"page\">{number}<span class=\"of\"> of {pages}</span></span></li>")?;
        } else {
            let link = format_args!("/?query={words}&amp;page={number}");
            writeln!(f, "<li class=\"number\"><a aria-label=\"Page {number}\" href=\"{link}\">{number}</a></li>")?;
        }
    }
    if page < pages {
        writeln!(f, "<li><a rel=\"next\" href=\"/?query={words}&amp;page={}\">Next</a></li>", page + 1)?;
    }
    f.write_str("</ul>\n</nav>\n")
}

/// The first, the last, and those around the present one.
fn numbers(page: usize, pages: usize) -> impl Iterator<Item = usize> {
    let around = page.saturating_sub(NEIGHBOURS).max(2)..=page.saturating_add(NEIGHBOURS).min(pages.saturating_sub(1));
    std::iter::once(1).chain(around).chain((pages > 1).then_some(pages))
}

/// Text as HTML shows it, in an element and in a quoted attribute.
#[derive(Debug, Clone, Copy)]
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..place])?;
            f.write_str(match rest.as_bytes()[place] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[place + 1..];
        }
        f.write_str(rest)
    }
}

/// A number with its thousands apart.
#[derive(Debug, Clone, Copy)]
struct Grouped(usize);

impl Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.char_indices() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str("\u{a0}")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::ROWS;
    use super::*;

    fn found(total: usize, page: usize, rows: &str) -> Found {
        Found { total, page, pages: total.div_ceil(ROWS).max(1), rows: rows.chars().collect() }
    }

    #[test]
    fn what_means_something_in_html_is_escaped() {
        assert_eq!(Escaped("a<b>&\"'&amp;☃").to_string(), "a&lt;b&gt;&amp;&quot;&#39;&amp;amp;☃");
        let page = Page::found("\"><script>", &found(0, 1, "")).to_string();
        assert!(!page.contains("<script") && page.contains("&quot;&gt;&lt;script&gt;"), "{page}");
    }

    #[test]
    fn a_row_has_code_point_character_and_name() {
        let page = Page::found("x", &found(3, 1, "<\u{301}♚")).to_string();
        for row in [
            "<tr><td>U+003C</td><td class=\"character\"><bdi>&lt;</bdi></td><td>LESS-THAN SIGN</td></tr>",
            "<bdi>\u{25cc}\u{301}</bdi></td><td>COMBINING ACUTE ACCENT</td>",
            "<tr><td>U+265A</td><td class=\"character\"><bdi>♚</bdi></td><td>BLACK CHESS KING</td></tr>",
        ] {
            assert!(page.contains(row), "{row}");
        }
        assert!(page.contains(">3 matches for &#39;x&#39;</p>") && !page.contains("class=\"pages\""));
    }

    #[test]
    fn pages_are_linked_from_where_one_is() {
        let all = |page, pages| numbers(page, pages).collect::<Vec<_>>();
        assert_eq!(all(1, 1), [1]);
        assert_eq!(all(1, 2), [1, 2]);
        assert_eq!(all(1, 9), [1, 2, 3, 9]);
        assert_eq!(all(5, 9), [1, 3, 4, 5, 6, 7, 9]);
        assert_eq!(all(9, 9), [1, 7, 8, 9]);
        assert_eq!(all(50, 9), [1, 9]);
        assert_eq!(all(usize::MAX, 1), [1]);
        let page = Page::found("a b", &found(97_000, 3, "a")).to_string();
        assert!(page.contains("<a rel=\"prev\" href=\"/?query=a+b&amp;page=2\">Previous</a>"), "{page}");
        assert!(page.contains("<a rel=\"next\" href=\"/?query=a+b&amp;page=4\">Next</a>"), "{page}");
        assert!(page.contains("<span aria-current=\"page\">3<span class=\"of\"> of 485</span></span>"), "{page}");
        assert!(page.contains("97\u{a0}000 matches for &#39;a b&#39;, 401 to 401 shown"), "{page}");
    }

    #[test]
    fn behind_the_last_page_there_is_a_way_back() {
        let page = Page::found("a", &found(201, 7, "")).to_string();
        assert!(page.contains("201 matches for &#39;a&#39;, and no page 7"), "{page}");
        assert!(page.contains("page=2\">Previous</a>") && !page.contains("Next") && !page.contains("<table"));
    }

    #[test]
    fn the_field_takes_the_focus_unless_pages_are_turned() {
        assert!(Page::welcome().to_string().contains(" autofocus>"));
        assert!(Page::found("a", &found(201, 1, "a")).to_string().contains(" autofocus>"));
        assert!(!Page::found("a", &found(201, 2, "a")).to_string().contains(" autofocus>"));
    }

    #[test]
    fn thousands_stand_apart() {
        let of = |number| Grouped(number).to_string();
        assert_eq!((of(0), of(999), of(1000)), ("0".into(), "999".into(), "1\u{a0}000".into()));
        assert_eq!(of(1_234_567), "1\u{a0}234\u{a0}567");
    }
}
