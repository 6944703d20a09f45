//! Rows with 8 and with 64 workers against the same with 2: too many workers may cost half as much again, and hang nothing.
//!
//! `show-workers [--rows a,b] [--rounds N] [--of PEER]`: each figure from a process of its own, the three in turns; a row that lies
//! close to the limit, on either side, is measured up to 11 times. Fails if the median of a row's paired ratios is above 1.5, or if
//! a process does not end within a minute.
#![allow(clippy::disallowed_types, reason = "a program, not the runtime")]

use std::process::ExitCode;
use std::time::Duration;
use weftwork_benches::rows::{Row, TARGETS, Wanted, Who, asked_for, figure, named};

const WORKERS: [usize; 3] = [2, 8, 64];
const LIMIT: f64 = 1.5;
/// A row whose ratio lies this close to the limit is measured again.
const CLOSE: f64 = 0.2;
/// Up to this many rounds: the machine has two speeds, and a few rounds can catch one of them on one side only.
const MANY: usize = 11;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if let Some(code) = asked_for() {
        return code;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

fn compare() -> Result<bool, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let rounds: usize = match value("--rounds").map(|text| text.parse()) {
        None => 3,
        Some(Ok(rounds @ 1..)) => rounds,
        Some(_) => return Err("--rounds wants a number above 0".into()),
    };
    let who = match value("--of") {
        None => Who::Weftwork,
        Some(name) => Who::named(name).ok_or_else(|| format!("no peer is called '{name}'"))?,
    };
    let chosen = match value("--rows") {
        None => TARGETS.iter().collect::<Vec<_>>(),
        Some(list) => {
            let row = |name: &str| named(name).ok_or_else(|| format!("no row is called '{name}'"));
            list.split(',').map(row).collect::<Result<_, _>>()?
        }
    };
    println!("{}, median figures with so many workers, and ratios to 2 workers\n", who.name());
    print!("{:<22}{:>6}", "row", "unit");
    for workers in WORKERS {
        print!("{workers:>11}");
    }
    println!("{:>22}{:>22}", "8 to 2", "64 to 2");
    let mut wrong = Vec::new();
    for row in chosen.into_iter().filter(|row| row.is_done_by(who)) {
        let [few, some, many] = match measure(row, who, rounds) {
            Ok(figures) => figures,
            Err(why) => {
                println!("{:<22}{:>6}  {why}", row.name, row.unit);
                wrong.push(row.name);
                continue;
            }
        };
        print!("{:<22}{:>6}", row.name, row.unit);
        for figures in [&few, &some, &many] {
            print!("{:>11.1}", median(figures.clone()));
        }
        let ratios = [ratios(&some, &few), ratios(&many, &few)];
        for ratios in &ratios {
            let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let most = ratios.iter().copied().fold(0.0, f64::max);
            print!("{:>22}", format!("{:.2} ({least:.2}-{most:.2})", median(ratios.clone())));
        }
        let is_met = ratios.iter().all(|ratios| median(ratios.clone()) <= LIMIT);
        println!("{}", if is_met { "" } else { "  ABOVE" });
        if !is_met {
            wrong.push(row.name);
        }
    }
    if wrong.is_empty() {
        println!("\nno row is above {LIMIT} x its figure with 2 workers, and nothing hung");
    } else {
        println!("\nabove {LIMIT} x, or failed: {}", wrong.join(", "));
    }
    Ok(wrong.is_empty())
}

/// One list of figures for each number of workers; they take turns.
fn measure(row: &Row, who: Who, rounds: usize) -> Result<[Vec<f64>; 3], String> {
    let mut figures: [Vec<f64>; 3] = Default::default();
    for round in 0..rounds.max(MANY) {
        if round >= rounds && !is_close(&figures) {
            break;
        }
        for turn in 0..WORKERS.len() {
            let at = (round + turn) % WORKERS.len();
            let mut wanted = Wanted::on(who);
            (wanted.workers, wanted.patience) = (WORKERS[at], PATIENCE);
            let figure = figure(row, &wanted).map_err(|why| format!("with {} workers: {why}", WORKERS[at]))?;
            figures[at].push(figure);
        }
    }
    Ok(figures)
}

/// Whether one more round could turn the verdict.
fn is_close([few, some, many]: &[Vec<f64>; 3]) -> bool {
    [some, many].into_iter().any(|more| (median(ratios(more, few)) / LIMIT - 1.0).abs() <= CLOSE)
}

fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
