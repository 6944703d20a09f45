//! Six rows against tokio, which have to stay near it: each runtime at two workers and its defaults, rounds interleaved.
//!
//! `show-rows [--rounds N] [--rows a,b]` prints the median of each and the median of the paired ratios, and fails if a ratio
//! is above 1.2. `--measure ROW [--of tokio]` runs one alone, for a profiler.

use std::process::ExitCode;
use weftwork_benches::rows::{Row, TARGETS, Wanted, Who, asked_for, figure};

const ROWS: [&str; 6] = ["spawn_join", "yield", "ping_pong", "to_thread_one", "timeout_pending", "echo_64"];
const LIMIT: f64 = 1.2;

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() -> ExitCode {
    if let Some(code) = asked_for() {
        return code;
    }
    match compare() {
        Ok(code) => code,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

fn compare() -> Result<ExitCode, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let rounds: usize = match value("--rounds").map(|text| text.parse()) {
        None => 5,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => return Err("--rounds wants a number above 0".into()),
    };
    let chosen = value("--rows").map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());
    let wanted = |name: &str| chosen.as_ref().is_none_or(|chosen| chosen.iter().any(|c| c == name));
    let rows: Vec<&Row> = TARGETS.iter().filter(|row| ROWS.contains(&row.name) && wanted(row.name)).collect();
    println!("{:<16} {:>12} {:>12} {:>8} {:>16}", "row", "weftwork ns", "tokio ns", "ratio", "ratio min..max");
    let mut over = Vec::new();
    for row in rows {
        let name = row.name;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            // Who goes first changes from round to round, so that a drift of the machine favours nobody.
            let of = |who| figure(row, &Wanted::on(who));
            let (a, b) = if round % 2 == 0 {
                let a = of(Who::Weftwork)?;
                (a, of(Who::Tokio)?)
            } else {
                let b = of(Who::Tokio)?;
                (of(Who::Weftwork)?, b)
            };
            ours.push(a);
            theirs.push(b);
            ratios.push(a / b);
        }
        let ratio = median(&mut ratios);
        let spread = format!("{:.2}..{:.2}", ratios[0], ratios[ratios.len() - 1]);
        println!("{name:<16} {:>12.0} {:>12.0} {ratio:>8.2} {spread:>16}", median(&mut ours), median(&mut theirs));
        if ratio > LIMIT {
            over.push(name);
        }
    }
    if over.is_empty() {
        println!("no row is above {LIMIT} x tokio");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("above {LIMIT} x tokio: {}", over.join(", "));
        Ok(ExitCode::FAILURE)
    }
}
