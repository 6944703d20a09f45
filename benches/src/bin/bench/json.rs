//! The result for a program, and the last one.

use crate::result::{Figures, Verdict};
use serde_json::{Map, Value, json};
use std::path::Path;
use weftwork_benches::rows::{Who, workers};

const NAME: &str = "last.json";

/// The run before this one.
pub(crate) struct Last(Value);

impl Last {
    /// What weftwork's figure was.
    pub(crate) fn ours(&self, row: &str) -> Option<f64> {
        self.0["rows"][row]["figures"][Who::Weftwork.name()]["median"].as_f64()
    }
}

/// Reads the run before, if there was one that can be read.
pub(crate) fn read(folder: &Path) -> Option<Last> {
    let text = std::fs::read_to_string(folder.join(NAME)).ok()?;
    serde_json::from_str(&text).ok().map(Last)
}

/// Writes this run.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(folder: &Path, results: &[Figures]) -> Result<(), String> {
    let mut rows = Map::new();
    for figures in results {
        let row = figures.row();
        let mut by_peer = Map::new();
        for &who in figures.peers() {
            let all = figures.of(who).unwrap_or_default();
            by_peer.insert(who.name().into(), json!({ "median": figures.median_of(who), "rounds": all }));
        }
        rows.insert(
            row.name.into(),
            json!({
                "unit": row.unit,
                "rounds": figures.rounds(),
                "due": row.due,
                "figures": by_peer,
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
