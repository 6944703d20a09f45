//! The table, and the line that sums it up.

use crate::json::Last;
use crate::result::{Figures, Ratio, Verdict, mean_against_tokio};
use weftwork_benches::rows::{NOT_YET, Table, Who};

/// Prints it; with `last`, also how our ratio to tokio has changed since the run before.
pub(crate) fn print(results: &[Figures], last: Option<&Last>) {
    for (table, print) in
        [(Table::Runtimes, targets as fn(&[&Figures], _)), (Table::Primitives, targets), (Table::Wider, wider)]
    {
        let rows = of_table(results, table);
        if !rows.is_empty() {
            print(&rows, last);
        }
    }
    if last.is_some() {
        println!(
            "last: our ratio to tokio now, to that of the last run; + is better and ! is worse beyond the spread of both."
        );
    }
}

/// The rows of which something is asked.
fn targets(results: &[&Figures], last: Option<&Last>) {
    let peers = head(results);
    println!("{:>28}{:>28}{:>8}", "must", "goal", "last");
    for figures in results {
        line(figures, &peers);
        print!("{:>28}{:>28}", asked(figures.must()), asked(figures.goal()));
        println!("{:>8}", beside_last(figures, last));
    }
    println!();
    println!("must: ours to the best of all but smolscale; goal: to the best of all (two_busy: to 1 000 us).");
    println!("A ratio is the median of the rounds' own, with the least and the most; 'no' is more than 3 % above.");
    println!();
}

/// Those that stand in that table.
pub(crate) fn of_table(results: &[Figures], table: Table) -> Vec<&Figures> {
    results.iter().filter(|figures| figures.row().table == table).collect()
}

/// Those that at least one row was measured on.
pub(crate) fn peers_of(results: &[&Figures]) -> Vec<Who> {
    Who::ALL.into_iter().filter(|who| results.iter().any(|figures| figures.peers().contains(who))).collect()
}

/// The rows of which nothing is asked.
fn wider(results: &[&Figures], last: Option<&Last>) {
    let peers = head(results);
    println!("{:>20}{:>20}{:>8}", "to tokio", "to the best", "last");
    for figures in results {
        line(figures, &peers);
        let told = |others: &[Who]| figures.ratio_to_best(others).map_or_else(|| "-".into(), spread);
        print!("{:>20}{:>20}", told(&[Who::Tokio]), told(&Who::ALL));
        println!("{:>8}", beside_last(figures, last));
    }
    println!();
    println!("Nothing is asked of these. Not in weftwork yet, of what tokio measures: {}.", NOT_YET.join("; "));
    println!();
}

/// The head's first columns; gives the peers that have one.
fn head(results: &[&Figures]) -> Vec<Who> {
    let peers = peers_of(results);
    print!("{:<22}{:>6}", "row", "unit");
    for who in &peers {
        print!("{:>12}", who.name());
    }
    peers
}

fn line(figures: &Figures, peers: &[Who]) {
    print!("{:<22}{:>6}", figures.row().name, figures.row().unit);
    for &who in peers {
        print!("{:>12}", figures.median_of(who).map_or_else(|| "-".into(), short));
    }
}

fn beside_last(figures: &Figures, last: Option<&Last>) -> String {
    let Some(change) = last.and_then(|last| last.change(figures)) else { return "-".into() };
    let mark = match change.is_beyond_spread {
        false => " ",
        true if change.by < 1.0 => "+",
        true => "!",
    };
    format!("x{:.2}{mark}", change.by)
}

pub(crate) fn spread(ratio: Ratio) -> String {
    format!("{:.2} ({:.2}-{:.2})", ratio.median, ratio.least, ratio.most)
}

fn asked(verdict: Option<Verdict>) -> String {
    let Some(verdict) = verdict else { return "-".into() };
    let word = if verdict.is_met() { "ok" } else { "no" };
    format!("{} {word} {:.2}", spread(verdict.ratio), verdict.asked)
}

pub(crate) fn short(figure: f64) -> String {
    if figure < 100.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}

/// The last lines: that of the primitives, if there are any, and that of the runtimes.
pub(crate) fn verdicts(results: &[Figures]) -> String {
    let of = |table, named: &str| {
        let rows = of_table(results, table);
        (!rows.is_empty()).then(|| format!("{named}{}", verdict(&rows)))
    };
    [of(Table::Primitives, "primitives: "), of(Table::Runtimes, "")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is met of a table.
pub(crate) fn verdict(results: &[&Figures]) -> String {
    let count = |verdict: fn(&Figures) -> Option<Verdict>| {
        let verdicts: Vec<_> = results.iter().filter_map(|figures| verdict(figures)).collect();
        (verdicts.iter().filter(|verdict| verdict.is_met()).count(), verdicts.len())
    };
    let ((musts, of_musts), (goals, of_goals)) = (count(Figures::must), count(Figures::goal));
    let mean = mean_against_tokio(results).map_or_else(|| "-".into(), |mean| format!("{mean:.2}"));
    format!("musts met: {musts} of {of_musts}; goals met: {goals} of {of_goals}; geometric mean against tokio: {mean}")
}
