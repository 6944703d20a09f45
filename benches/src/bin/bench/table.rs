//! The table, and the line that sums it up.

use crate::json::Last;
use crate::result::{Figures, Verdict, mean_against_tokio};
use weftwork_benches::rows::Who;

/// Prints it; with `last`, each figure of ours also as a ratio to the one of the run before.
pub(crate) fn print(results: &[Figures], last: Option<&Last>) {
    let peers: Vec<Who> =
        Who::ALL.into_iter().filter(|who| results.iter().any(|figures| figures.peers().contains(who))).collect();
    print!("{:<16}{:>6}", "row", "unit");
    for who in &peers {
        print!("{:>11}", who.name());
    }
    println!("{:>28}{:>28}{:>8}", "must", "goal", "last");
    for figures in results {
        let row = figures.row();
        print!("{:<16}{:>6}", row.name, row.unit);
        for &who in &peers {
            print!("{:>11}", figures.median_of(who).map_or_else(|| "-".into(), short));
        }
        print!("{:>28}", asked(figures.must()));
        print!("{:>28}", asked(figures.goal()));
        let before = last.and_then(|last| last.ours(row.name)).zip(figures.median_of(Who::Weftwork));
        println!("{:>8}", before.map_or_else(|| "-".into(), |(before, now)| format!("x{:.2}", now / before)));
    }
    println!();
    println!("must: ours to the best of tokio, smol and Go; goal: to the best of all (two_busy: to 1 000 us).");
    println!("A ratio is the median of the rounds' own, with the least and the most; 'no' is more than 3 % above.");
    let later: Vec<_> = results.iter().filter(|figures| !figures.row().due).map(|figures| figures.row().name).collect();
    if !later.is_empty() {
        println!("Shown, and not due yet: {}.", later.join(", "));
    }
}

fn asked(verdict: Option<Verdict>) -> String {
    let Some(verdict) = verdict else { return "-".into() };
    let Verdict { ratio, asked } = verdict;
    let word = if verdict.is_met() { "ok" } else { "no" };
    format!("{:.2} ({:.2}-{:.2}) {word} {asked:.2}", ratio.median, ratio.least, ratio.most)
}

fn short(figure: f64) -> String {
    if figure < 100.0 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}

/// The last line.
pub(crate) fn verdict(results: &[Figures]) -> String {
    let due: Vec<_> = results.iter().filter(|figures| figures.row().due).collect();
    let count = |verdict: fn(&Figures) -> Option<Verdict>| {
        let verdicts: Vec<_> = due.iter().filter_map(|figures| verdict(figures)).collect();
        (verdicts.iter().filter(|verdict| verdict.is_met()).count(), verdicts.len())
    };
    let ((musts, of_musts), (goals, of_goals)) = (count(Figures::must), count(Figures::goal));
    let mean = mean_against_tokio(results).map_or_else(|| "-".into(), |mean| format!("{mean:.2}"));
    format!("musts met: {musts} of {of_musts}; goals met: {goals} of {of_goals}; geometric mean against tokio: {mean}")
}
