//! The rounds: every peer once per row and round, in turns.

use crate::options::Options;
use crate::progress::Progress;
use crate::result::Figures;
use std::path::Path;
use weftwork_benches::rows::{Wanted, Who, figure};

/// A row whose ratio lies this close to what is asked is measured again.
const CLOSE: f64 = 0.1;
/// Up to this many rounds.
const MANY: usize = 15;
/// Rows of which nothing is asked are measured this often at most.
const ENOUGH: usize = 3;

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
    let rounds_of = |figures: &Figures| match figures.row().asked {
        Some(_) => options.rounds,
        None => options.rounds.min(ENOUGH),
    };
    let mut progress = Progress::begin();
    for figures in &results {
        progress.plan(figures, rounds_of(figures));
    }
    for round in 0..options.rounds {
        for figures in &mut results {
            if round < rounds_of(figures) {
                measure(figures, round, go, &mut progress)?;
            }
        }
    }
    if !options.quick {
        for figures in &mut results {
            for round in options.rounds..MANY {
                if !figures.is_close(CLOSE) {
                    break;
                }
                progress.plan(figures, 1);
                measure(figures, round, go, &mut progress)?;
            }
        }
    }
    progress.end();
    Ok(results)
}

fn measure(figures: &mut Figures, round: usize, go: Option<&Path>, progress: &mut Progress) -> Result<(), String> {
    let row = figures.row();
    let mut peers = figures.peers().to_vec();
    let first = round % peers.len();
    peers.rotate_left(first);
    let mut measured = Vec::new();
    for who in peers {
        let wanted = Wanted { go, ..Wanted::on(who) };
        measured.push((who, progress.watch(row.name, who, round, || figure(row, &wanted))?));
    }
    figures.add(&measured);
    Ok(())
}
