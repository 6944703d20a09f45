//! The figures as they stand in docs/benchmarks.md, with the chart beside: nobody copies them by hand.

use crate::chart;
use crate::options::Options;
use crate::result::{Figures, Verdict};
use crate::table::{short, spread, verdict};
use std::fmt::Write;
use std::path::Path;
use weftwork_benches::rows::{NOT_YET, TARGETS, Who};

const PAGE: &str = "benchmarks.md";
const CHART: &str = "benchmarks.svg";
const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --write-docs` -->";
const END: &str = "<!-- end of figures -->";

/// Refuses before anything is measured.
///
/// # Errors
/// The run would not be one to show.
pub(crate) fn allow(options: &Options) -> Result<(), String> {
    let all_rows = TARGETS.iter().all(|target| options.rows.iter().any(|row| row.name == target.name));
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
    let (targets, wider): (Vec<_>, Vec<_>) = results.iter().partition(|figures| figures.row().asked.is_some());
    let alt = "Each row's figures as ratios to tokio's, on a logarithmic scale; less is better";
    let mut text = format!("![{alt}]({CHART})\n\n");
    head(&mut text, &["must (asked)", "goal (asked)"]);
    for figures in targets {
        line(&mut text, figures, [asked(figures.must()), asked(figures.goal())]);
    }
    // A string takes every write; here and below.
    let _ = writeln!(text, "\n{}. Rows with a star are shown and not due yet.\n", verdict(results));
    if !wider.is_empty() {
        text.push_str("Of these nothing is asked:\n\n");
        head(&mut text, &["to tokio (spread)", "to the best (spread)"]);
        for figures in wider {
            let told = |others: &[Who]| figures.ratio_to_best(others).map_or_else(|| "-".into(), spread);
            line(&mut text, figures, [told(&[Who::Tokio]), told(&Who::ALL)]);
        }
        let _ = writeln!(text, "\nNot in weftwork yet, of what tokio measures: {}.\n", NOT_YET.join("; "));
    }
    text
}

fn head(text: &mut String, last: &[&str; 2]) {
    let peers = Who::ALL.map(Who::name).join(" | ");
    let _ = writeln!(text, "| row | unit | {peers} | {} |", last.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(2 + Who::ALL.len() + last.len()));
}

fn line(text: &mut String, figures: &Figures, last: [String; 2]) {
    let row = figures.row();
    let star = if row.asked.is_some() && !row.due { " *" } else { "" };
    let _ = write!(text, "| {}{star} | {} |", row.name, row.unit);
    for who in Who::ALL {
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
