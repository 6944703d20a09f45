//! The chart: how far each peer lies from tokio, row by row, to the left if it is faster. The scale is logarithmic, so that
//! half and double are equally far.

use crate::result::Figures;
use std::fmt::Write;
use std::path::Path;
use weftwork_benches::rows::Who;

const NAME: &str = "chart.svg";
const WIDTH: f64 = 900.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 70.0;
const BAR: f64 = 9.0;
const GAP: f64 = 12.0;
const TOP: f64 = 64.0;
/// The scale is logarithmic, from a twentieth of tokio's figure to ten times it.
const LOWEST: f64 = 0.05;
const HIGHEST: f64 = 10.0;

fn colour(who: Who) -> &'static str {
    match who {
        Who::Weftwork => "#0f766e",
        Who::Tokio => "#64748b",
        Who::Smol => "#d97706",
        Who::Smolscale => "#a8a29e",
        Who::Go => "#3b82f6",
    }
}

fn x(ratio: f64) -> f64 {
    let share = (ratio.clamp(LOWEST, HIGHEST) / LOWEST).ln() / (HIGHEST / LOWEST).ln();
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

/// Writes it.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(folder: &Path, results: &[Figures]) -> Result<(), String> {
    let path = folder.join(NAME);
    std::fs::write(&path, svg(results)).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}

fn svg(results: &[Figures]) -> String {
    let mut bars = String::new();
    let mut y = TOP;
    for figures in results {
        let Some(tokio) = figures.median_of(Who::Tokio) else { continue };
        let start = y;
        for &who in figures.peers() {
            let Some(figure) = figures.median_of(who) else { continue };
            if who == Who::Tokio {
                continue;
            }
            let ratio = figure / tokio;
            let (from, to) = (x(ratio).min(x(1.0)), x(ratio).max(x(1.0)));
            // The number stands at the bar's outer end.
            let (number, side) = if ratio < 1.0 { (from - 4.0, "end") } else { (to + 4.0, "start") };
            // A string takes every write.
            let _ = writeln!(
                bars,
                r#"<rect x="{from:.1}" y="{y:.1}" width="{:.1}" height="{BAR}" fill="{}"><title>{}: {figure:.1} {}, tokio: {tokio:.1}</title></rect><text x="{number:.1}" y="{:.1}" class="n" text-anchor="{side}">{ratio:.2}</text>"#,
                to - from,
                colour(who),
                who.name(),
                figures.row().unit,
                y + BAR - 1.0,
            );
            y += BAR + 1.0;
        }
        let middle = f64::midpoint(start, y) + 3.0;
        let _ = writeln!(bars, r#"<text x="{}" y="{middle:.1}" class="r">{}</text>"#, LEFT - 8.0, figures.row().name);
        y += GAP;
    }
    let mut frame = String::new();
    for (at, who) in Who::ALL.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "there are five")]
        let x = LEFT + 110.0 * at as f64;
        let _ = writeln!(
            frame,
            r#"<rect x="{x}" y="16" width="12" height="12" rx="2" fill="{}"/><text x="{}" y="26">{}</text>"#,
            colour(who),
            x + 18.0,
            who.name()
        );
    }
    for ratio in [0.1, 0.25, 0.5, 1.0, 2.0, 4.0] {
        let x = x(ratio);
        let class = if ratio == 1.0 { "one" } else { "line" };
        let _ = writeln!(
            frame,
            r#"<line x1="{x:.1}" x2="{x:.1}" y1="{:.1}" y2="{y:.1}" class="{class}"/><text x="{x:.1}" y="{:.1}" class="t">{ratio}</text>"#,
            TOP - 8.0,
            TOP - 14.0
        );
    }
    let height = y + 10.0;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" font-family="system-ui, sans-serif" font-size="12">
<title>Time per operation, as a ratio to tokio's; less is better</title>
<style>text {{ fill: #1f2937 }} .n {{ font-size: 8px; fill: #6b7280 }} .r {{ text-anchor: end; font-family: monospace }} .t {{ text-anchor: middle; font-size: 9px; fill: #6b7280 }} .line {{ stroke: #e5e7eb }} .one {{ stroke: #64748b; stroke-dasharray: 3 3 }}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
{frame}{bars}</svg>
"##
    )
}
