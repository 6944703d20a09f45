//! The chart: how far each peer lies from tokio, row by row, to the left if it is faster. The scale is logarithmic, so that
//! half and double are equally far. It brings both its colours for a light page and those for a dark one.

use crate::result::Figures;
use crate::table::of_table;
use std::fmt::Write;
use std::path::Path;
use weftwork_benches::rows::{Table, Who};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 210.0;
/// Between the names and the bars, for the number of a bar that ends at the edge.
const NUMBER: f64 = 36.0;
const RIGHT: f64 = 60.0;
const BAR: f64 = 9.0;
const GAP: f64 = 12.0;
const TOP: f64 = 76.0;
const HEADING: f64 = 34.0;
/// Beyond these a bar ends at the edge, and its number tells the rest.
const LOWEST: f64 = 0.04;
const HIGHEST: f64 = 16.0;

const STYLE: &str = "\
svg { --page: #ffffff; --text: #1f2937; --faint: #6b7280; --line: #e5e7eb; --weftwork: #0f766e; --smol: #d97706; --smolscale: #a8a29e; --go: #3b82f6; --tokio-sync: #6b7280; --async-lock: #f59e0b; --flume: #db2777; --kanal: #7c3aed; --crossfire: #dc2626 }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --text: #e6edf3; --faint: #9198a1; --line: #30363d; --weftwork: #2dd4bf; --smol: #f59e0b; --smolscale: #78716c; --go: #60a5fa; --tokio-sync: #9198a1; --async-lock: #fbbf24; --flume: #f472b6; --kanal: #a78bfa; --crossfire: #f87171 } }
text { fill: var(--text) } .page { fill: var(--page) } .faint { fill: var(--faint); font-size: 9px } .row { text-anchor: end; font-family: ui-monospace, monospace }
.middle { text-anchor: middle } .line { stroke: var(--line) } .one { stroke: var(--faint); stroke-dasharray: 3 3 }
.weftwork { fill: var(--weftwork) } .smol { fill: var(--smol) } .smolscale { fill: var(--smolscale) } .go { fill: var(--go) }
.tokio-sync { fill: var(--tokio-sync) } .async-lock { fill: var(--async-lock) } .flume { fill: var(--flume) } .kanal { fill: var(--kanal) } .crossfire { fill: var(--crossfire) }";

fn x(ratio: f64) -> f64 {
    let share = (ratio.clamp(LOWEST, HIGHEST) / LOWEST).ln() / (HIGHEST / LOWEST).ln();
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

/// Writes it.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, results: &[Figures]) -> Result<(), String> {
    std::fs::write(path, svg(results)).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}

fn svg(results: &[Figures]) -> String {
    let mut bars = String::new();
    let mut y = TOP;
    let tables = [
        (Table::Runtimes, ""),
        (Table::Primitives, "Locks and channels, each library's own"),
        (Table::Wider, "Of these nothing is asked"),
    ];
    for (table, heading) in tables {
        let rows = of_table(results, table);
        if rows.is_empty() {
            continue;
        }
        if !heading.is_empty() {
            y += HEADING - GAP;
            // A string takes every write; here and below.
            let _ = writeln!(bars, r#"<text x="{LEFT}" y="{:.1}">{heading}</text>"#, y - GAP);
        }
        for figures in rows {
            y = row(&mut bars, figures, y);
        }
    }
    let height = y + 6.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" font-family="system-ui, sans-serif" font-size="12">
<title>Each row's figures as ratios to tokio's; less is better</title>
<style>
{STYLE}
</style>
<rect class="page" width="100%" height="100%" rx="6"/>
{}{bars}</svg>
"#,
        frame(y)
    )
}

/// Its colour's name in the style.
fn class(who: Who) -> String {
    who.name().to_lowercase().replace("::", "-")
}

/// The legend, and the scale down to `bottom`.
fn frame(bottom: f64) -> String {
    let mut frame = String::new();
    let mut at = LEFT;
    for who in Who::ALL {
        let name = who.name();
        if who == Who::Tokio {
            continue;
        }
        let class = class(who);
        let _ = writeln!(
            frame,
            r#"<rect x="{at}" y="16" width="12" height="12" rx="2" class="{class}"/><text x="{}" y="26">{name}</text>"#,
            at + 18.0
        );
        at += 110.0;
    }
    let _ = writeln!(
        frame,
        r#"<text x="{LEFT}" y="46" class="faint">ratio to tokio, which is the line at 1; to the left of it is better</text>"#
    );
    for ratio in [0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0] {
        let x = x(ratio);
        let class = if ratio == 1.0 { "one" } else { "line" };
        let (top, label) = (TOP - 8.0, TOP - 13.0);
        let _ = writeln!(
            frame,
            r#"<line x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}" class="{class}"/><text x="{x:.1}" y="{label:.1}" class="faint middle">{ratio}</text>"#
        );
    }
    frame
}

/// One row's bars; gives where the next begins. A row without tokio, or where tokio's figure is nothing, has none.
fn row(bars: &mut String, figures: &Figures, mut y: f64) -> f64 {
    let Some(tokio) = figures.median_of(Who::Tokio).filter(|tokio| *tokio > 0.0) else { return y };
    let start = y;
    let name = figures.row().name;
    for &who in figures.peers().iter().filter(|who| **who != Who::Tokio) {
        let Some(figure) = figures.median_of(who) else { continue };
        let ratio = figure / tokio;
        let (from, to) = (x(ratio).min(x(1.0)), x(ratio).max(x(1.0)));
        // The number stands at the bar's outer end.
        let (number, side) = if ratio < 1.0 { (from - 4.0, "end") } else { (to + 4.0, "start") };
        let told = if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") };
        let (width, base) = (to - from, y + BAR - 1.0);
        let (class, unit) = (class(who), figures.row().unit);
        let _ = writeln!(
            bars,
            r#"<rect x="{from:.1}" y="{y:.1}" width="{width:.1}" height="{BAR}" class="{class}"><title>{name}, {}: {figure:.1} {unit}; tokio: {tokio:.1}</title></rect><text x="{number:.1}" y="{base:.1}" class="faint" text-anchor="{side}">{told}</text>"#,
            who.name(),
        );
        y += BAR + 1.0;
    }
    let middle = f64::midpoint(start, y) + 3.0;
    let _ = writeln!(bars, r#"<text x="{}" y="{middle:.1}" class="row">{name}</text>"#, LEFT - NUMBER);
    y + GAP
}
