//! The rounds: every peer once per row and round, in turns.

use crate::options::Options;
use crate::result::Figures;
use std::io::Write;
use std::path::Path;
use weftwork_benches::rows::{Row, Wanted, Who, figure};

/// A row whose ratio lies this close to what is asked is measured again.
const CLOSE: f64 = 0.1;
/// Up to this many rounds.
const MANY: usize = 15;

/// Measures all that the options name.
///
/// # Errors
/// One of the processes failed.
pub(crate) fn run(options: &Options, go: Option<&Path>) -> Result<Vec<Figures>, String> {
    let mut results: Vec<_> = options
        .rows
        .iter()
        .map(|&row| {
            let able = |who: &Who| row.is_done_by(*who) && (*who != Who::Go || go.is_some());
            Figures::new(row, options.peers.iter().copied().filter(able).collect())
        })
        .collect();
    for round in 0..options.rounds {
        for figures in &mut results {
            progress(&format!("round {} of {}: {}", round + 1, options.rounds, figures.row().name));
            measure(figures, round, go)?;
        }
    }
    if !options.quick {
        for figures in &mut results {
            for round in options.rounds..MANY {
                if !figures.is_close(CLOSE) {
                    break;
                }
                progress(&format!("round {} of {MANY}, because it is close: {}", round + 1, figures.row().name));
                measure(figures, round, go)?;
            }
        }
    }
    progress("");
    Ok(results)
}

fn measure(figures: &mut Figures, round: usize, go: Option<&Path>) -> Result<(), String> {
    let row: &Row = figures.row();
    let mut peers = figures.peers().to_vec();
    let first = round % peers.len();
    peers.rotate_left(first);
    let mut measured = Vec::new();
    for who in peers {
        let wanted = Wanted { go, ..Wanted::on(who) };
        measured.push((who, figure(row, &wanted)?));
    }
    figures.add(&measured);
    Ok(())
}

/// One line that the next one replaces.
fn progress(text: &str) {
    let mut stderr = std::io::stderr();
    // Progress that cannot be shown is no reason to stop.
    let _ = write!(stderr, "\r{text:<72}{}", if text.is_empty() { "\r" } else { "" });
    let _ = stderr.flush();
}
