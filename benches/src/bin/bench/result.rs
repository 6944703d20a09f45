//! A row's figures, and what they come to.

use weftwork_benches::rows::{Row, Who};

/// A figure is met if it is at most this much above what is asked: less cannot be told from noise.
const SLACK: f64 = 1.03;

pub(crate) struct Figures {
    row: &'static Row,
    peers: Vec<Who>,
    /// One list per round, in the order of `peers`.
    rounds: Vec<Vec<f64>>,
}

/// A ratio of ours to another's, paired round by round.
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// A ratio, and what is asked of it.
#[derive(Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) ratio: Ratio,
    pub(crate) asked: f64,
}

impl Figures {
    pub(crate) fn new(row: &'static Row, peers: Vec<Who>) -> Self {
        Self { row, peers, rounds: Vec::new() }
    }

    pub(crate) fn row(&self) -> &'static Row {
        self.row
    }

    pub(crate) fn peers(&self) -> &[Who] {
        &self.peers
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.len()
    }

    /// Takes one round's figures, in any order, of every peer.
    pub(crate) fn add(&mut self, measured: &[(Who, f64)]) {
        let of = |who| measured.iter().find(|(measured, _)| *measured == who).map(|(_, figure)| *figure);
        self.rounds.push(self.peers.iter().filter_map(|&who| of(who)).collect());
    }

    /// All figures of one peer, round by round.
    pub(crate) fn of(&self, who: Who) -> Option<Vec<f64>> {
        let at = self.peers.iter().position(|&peer| peer == who)?;
        Some(self.rounds.iter().map(|round| round[at]).collect())
    }

    pub(crate) fn median_of(&self, who: Who) -> Option<f64> {
        self.of(who).map(|mut figures| median(&mut figures))
    }

    /// Ours to the best of `others` in each round; nothing if none of them was measured.
    pub(crate) fn ratio_to_best(&self, others: &[Who]) -> Option<Ratio> {
        let ours = self.of(Who::Weftwork)?;
        let theirs: Vec<_> =
            others.iter().filter(|&&who| who != Who::Weftwork).filter_map(|&who| self.of(who)).collect();
        if theirs.is_empty() {
            return None;
        }
        let best = |round: usize| theirs.iter().map(|figures| figures[round]).fold(f64::INFINITY, f64::min);
        let ratios: Vec<_> = ours.iter().enumerate().map(|(round, figure)| figure / best(round)).collect();
        // Some figures may be nothing at all, and no multiple of nothing is told.
        ratios.iter().all(|ratio| ratio.is_finite()).then(|| Ratio::new(ratios))
    }

    /// Ours to the best of those that count; nothing if nothing is asked, or if there is nobody to compare with.
    pub(crate) fn must(&self) -> Option<Verdict> {
        let asked = self.row.asked?;
        let ratio = self.ratio_to_best(asked.to)?;
        Some(Verdict { ratio, asked: asked.must })
    }

    /// Ours to the best of all, or to what the machine allows; as before.
    pub(crate) fn goal(&self) -> Option<Verdict> {
        let asked = self.row.asked?;
        let ratio = match asked.limit {
            None => self.ratio_to_best(&Who::ALL)?,
            Some(limit) => Ratio::new(self.of(Who::Weftwork)?.iter().map(|ours| ours / limit).collect()),
        };
        Some(Verdict { ratio, asked: asked.goal })
    }

    /// Whether one more round could turn a verdict.
    pub(crate) fn is_close(&self, by: f64) -> bool {
        let is_close = |verdict: Verdict| (verdict.ratio.median / verdict.asked - 1.0).abs() <= by;
        self.must().is_some_and(is_close) || self.goal().is_some_and(is_close)
    }
}

impl Verdict {
    pub(crate) fn is_met(&self) -> bool {
        self.ratio.median <= self.asked * SLACK
    }
}

impl Ratio {
    fn new(mut ratios: Vec<f64>) -> Self {
        let median = median(&mut ratios);
        Self { median, least: ratios[0], most: ratios[ratios.len() - 1] }
    }
}

/// The middle one; sorts.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

/// The geometric mean of ours to tokio's.
pub(crate) fn mean_against_tokio(results: &[&Figures]) -> Option<f64> {
    let ratios: Vec<f64> = results
        .iter()
        .filter_map(|figures| figures.ratio_to_best(&[Who::Tokio]))
        .map(|ratio| ratio.median.ln())
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "there are few rows")]
    let rows = ratios.len() as f64;
    (!ratios.is_empty()).then(|| (ratios.iter().sum::<f64>() / rows).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use weftwork_benches::rows::TARGETS;

    fn figures(rounds: &[[f64; 3]]) -> Figures {
        let row: &Row = TARGETS.iter().find(|row| row.name == "yield").expect("it is a row");
        let mut figures = Figures::new(row, vec![Who::Weftwork, Who::Tokio, Who::Smolscale]);
        for [ours, tokio, smolscale] in rounds {
            figures.add(&[(Who::Smolscale, *smolscale), (Who::Weftwork, *ours), (Who::Tokio, *tokio)]);
        }
        figures
    }

    #[test]
    fn ratios_are_paired_by_round() {
        let figures = figures(&[[1.0, 2.0, 1.0], [10.0, 40.0, 20.0], [3.0, 4.0, 1.0]]);
        assert_eq!(figures.must().map(|must| must.ratio.median), Some(0.5));
        let goal = figures.goal().expect("there are peers").ratio;
        assert_eq!([goal.least, goal.median, goal.most], [0.5, 1.0, 3.0]);
    }

    #[test]
    fn a_must_is_met_within_the_slack_only() {
        // What is asked is 0.6.
        assert_eq!(figures(&[[0.61, 1.0, 1.0]]).must().map(|must| must.is_met()), Some(true));
        assert_eq!(figures(&[[0.62, 1.0, 1.0]]).must().map(|must| must.is_met()), Some(false));
        assert_eq!(figures(&[[0.2, 1.0, 1.0]]).goal().map(|goal| goal.is_met()), Some(true));
        assert!(figures(&[[0.62, 1.0, 1.0]]).is_close(0.1));
        assert!(!figures(&[[0.3, 1.0, 1.0]]).is_close(0.1));
    }

    #[test]
    fn the_mean_is_geometric() {
        let mean = mean_against_tokio(&[&figures(&[[1.0, 2.0, 1.0]]), &figures(&[[1.0, 8.0, 1.0]])]);
        assert!((mean.expect("tokio is there") - 0.25).abs() < 1e-12);
    }
}
