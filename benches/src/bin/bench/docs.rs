//! The figures as they stand in docs/benchmarks.md, with the chart beside: nobody copies them by hand.

use crate::chart;
use crate::options::Options;
use crate::result::{Figures, Verdict};
use crate::table::{of_table, peers_of, short, spread, verdict};
use std::fmt::Write;
use std::path::Path;
use weftwork_benches::rows::{self, NOT_YET, Table, Who};

const PAGE: &str = "benchmarks.md";
const CHART: &str = "benchmarks.svg";
const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --write-docs` -->";
const END: &str = "<!-- end of figures -->";

/// Refuses before anything is measured.
///
/// # Errors
/// The run would not be one to show.
pub(crate) fn allow(options: &Options) -> Result<(), String> {
    let all_rows = rows::all().all(|wanted| options.rows.iter().any(|row| row.name == wanted.name));
    if !all_rows || options.rounds < 5 || options.peers.len() < Who::ALL.len() {
        return Err("--write-docs wants all rows and peers, and 5 rounds".into());
    }
    Ok(())
}

/// Writes table and chart into the docs.
///
/// # Errors
/// The page has no place for them, or cannot be written.
pub(crate) fn write(results: &[Figures]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = folder.join(PAGE);
    let failed = |e: std::io::Error| format!("{}: {e}", page.display());
    let text = std::fs::read_to_string(&page).map_err(failed)?;
    let text = between_markers(&text, &figures(results)).ok_or_else(|| format!("{PAGE} has lost its markers"))?;
    std::fs::write(&page, text).map_err(failed)?;
    chart::write(&folder.join(CHART), results)
}

fn between_markers(page: &str, figures: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{figures}{END}{after}"))
}

fn figures(results: &[Figures]) -> String {
    let alt = "Each row's figures as ratios to tokio's, on a logarithmic scale; less is better";
    let mut text = format!("![{alt}]({CHART})\n\n");
    for (table, says) in [(Table::Runtimes, ""), (Table::Primitives, "Locks and channels, each library's own:\n\n")] {
        let rows = of_table(results, table);
        if rows.is_empty() {
            continue;
        }
        text.push_str(says);
        let peers = head(&mut text, &rows, &["must (asked)", "goal (asked)"]);
        for figures in &rows {
            line(&mut text, figures, &peers, [asked(figures.must()), asked(figures.goal())]);
        }
        // A string takes every write; here and below.
        let _ = writeln!(text, "\n{}.\n", verdict(&rows));
    }
    let wider = of_table(results, Table::Wider);
    if !wider.is_empty() {
        text.push_str("Of these nothing is asked:\n\n");
        let peers = head(&mut text, &wider, &["to tokio (spread)", "to the best (spread)"]);
        for figures in wider {
            let told = |others: &[Who]| figures.ratio_to_best(others).map_or_else(|| "-".into(), spread);
            line(&mut text, figures, &peers, [told(&[Who::Tokio]), told(&Who::ALL)]);
        }
        let _ = writeln!(text, "\nNot in weftwork yet, of what tokio measures: {}.\n", NOT_YET.join("; "));
    }
    text
}

fn head(text: &mut String, rows: &[&Figures], last: &[&str; 2]) -> Vec<Who> {
    let peers = peers_of(rows);
    let names: Vec<_> = peers.iter().map(|who| who.name()).collect();
    let _ = writeln!(text, "| row | unit | {} | {} |", names.join(" | "), last.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(2 + peers.len() + last.len()));
    peers
}

fn line(text: &mut String, figures: &Figures, peers: &[Who], last: [String; 2]) {
    let row = figures.row();
    let _ = write!(text, "| {} | {} |", row.name, row.unit);
    for &who in peers {
        let _ = write!(text, " {} |", figures.median_of(who).map_or_else(|| "-".into(), short));
    }
    let _ = writeln!(text, " {} |", last.join(" | "));
}

fn asked(verdict: Option<Verdict>) -> String {
    let Some(verdict) = verdict else { return "-".into() };
    let word = if verdict.is_met() { "met" } else { "missed" };
    format!("{:.2} ({:.2}) {word}", verdict.ratio.median, verdict.asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_markers_is_replaced_and_the_rest_stays() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = format!("before\n{BEGIN}\nnew\n{END}\nafter\n");
        assert_eq!(between_markers(&page, "new\n"), Some(new));
        assert_eq!(between_markers("no markers", "new\n"), None);
    }
}
