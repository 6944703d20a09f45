//! The result for a program, and the last one.

use crate::result::{Figures, Ratio, Verdict};
use serde_json::{Map, Value, json};
use std::path::Path;
use weftwork_benches::rows::{Who, workers};

const NAME: &str = "last.json";
/// Fewer rounds say nothing about how far figures are spread.
const ENOUGH: u64 = 3;

/// The run before this one; of a row that it did not measure, the last one that did.
pub(crate) struct Last(Value);

/// How our ratio to tokio has changed.
pub(crate) struct Change {
    /// Now to then; less is better.
    pub(crate) by: f64,
    /// Whether no round of now lies within the rounds of then, or the other way round.
    pub(crate) is_beyond_spread: bool,
}

impl Last {
    /// Nothing if the row was not measured then, or is not measured beside tokio now.
    pub(crate) fn change(&self, figures: &Figures) -> Option<Change> {
        let now = figures.ratio_to_best(&[Who::Tokio])?;
        let row = &self.0["rows"][figures.row().name];
        let of = |name: &str| row["to_tokio"][name].as_f64();
        let then = Ratio { median: of("median")?, least: of("least")?, most: of("most")? };
        let many = row["rounds"].as_u64()? >= ENOUGH && figures.rounds() as u64 >= ENOUGH;
        let is_beyond_spread = many && (now.least > then.most || now.most < then.least);
        Some(Change { by: now.median / then.median, is_beyond_spread })
    }
}

/// Reads the run before, if there was one with as many workers that can be read.
pub(crate) fn read(folder: &Path) -> Option<Last> {
    let text = std::fs::read_to_string(folder.join(NAME)).ok()?;
    let last: Value = serde_json::from_str(&text).ok()?;
    (last["workers"].as_u64() == Some(workers() as u64)).then_some(Last(last))
}

/// Writes this run over the last one; rows that it did not measure stay.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(folder: &Path, results: &[Figures], last: Option<Last>) -> Result<(), String> {
    let mut rows = match last {
        Some(Last(mut last)) => last["rows"].as_object_mut().map(std::mem::take).unwrap_or_default(),
        None => Map::new(),
    };
    for figures in results {
        let row = figures.row();
        let mut by_peer = Map::new();
        for &who in figures.peers() {
            let all = figures.of(who).unwrap_or_default();
            by_peer.insert(who.name().into(), json!({ "median": figures.median_of(who), "rounds": all }));
        }
        let to_tokio = figures.ratio_to_best(&[Who::Tokio]);
        rows.insert(
            row.name.into(),
            json!({
                "unit": row.unit,
                "rounds": figures.rounds(),
                "figures": by_peer,
                "to_tokio": to_tokio.map(|r| json!({ "median": r.median, "least": r.least, "most": r.most })),
                "must": figures.must().map(told),
                "goal": figures.goal().map(told),
            }),
        );
    }
    let path = folder.join(NAME);
    let text = format!("{:#}\n", json!({ "workers": workers(), "rows": rows }));
    std::fs::write(&path, text).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}

fn told(verdict: Verdict) -> Value {
    json!({ "asked": verdict.asked, "ratio": verdict.ratio.median, "met": verdict.is_met() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weftwork_benches::rows::named;

    fn figures(ratios: &[f64]) -> Figures {
        let mut figures = Figures::new(named("yield").expect("it is a row"), vec![Who::Weftwork, Who::Tokio]);
        for ratio in ratios {
            figures.add(&[(Who::Weftwork, ratio * 10.0), (Who::Tokio, 10.0)]);
        }
        figures
    }

    fn last(median: f64, least: f64, most: f64, rounds: u64) -> Last {
        let to_tokio = json!({ "median": median, "least": least, "most": most });
        Last(json!({ "rows": { "yield": { "rounds": rounds, "to_tokio": to_tokio } } }))
    }

    #[test]
    fn a_change_is_marked_only_beyond_the_spread_of_several_rounds() {
        let now = figures(&[0.4, 0.5, 0.6]);
        let marked = |last: Last| last.change(&now).is_some_and(|change| change.is_beyond_spread);
        assert!(!marked(last(0.7, 0.55, 0.9, 5)));
        assert!(marked(last(0.7, 0.65, 0.9, 5)));
        assert!(marked(last(0.3, 0.2, 0.35, 5)));
        assert!(!marked(last(0.7, 0.7, 0.7, 1)));
        assert!(!last(0.7, 0.7, 0.7, 5).change(&figures(&[0.1])).is_some_and(|change| change.is_beyond_spread));
    }
}
