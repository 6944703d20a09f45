//! A row, and measuring it in this process.

use super::Who;
use super::peer::{Outside, Peer, Threads};

/// One peer's way to a row's figure; it is told how many rounds to measure.
pub(super) type Measure = fn(usize) -> f64;

/// Who can do it, and how.
pub(super) type By = &'static [(Who, Measure)];

/// What has to hold, as ratios of ours to others'.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// To the best of `to`.
    pub must: f64,
    /// Tokio, smol and Go, or the libraries.
    pub to: &'static [Who],
    /// To the best of all, or to `limit` if there is one.
    pub goal: f64,
    /// What the machine itself allows, in the row's unit, where the goal is a multiple of that.
    pub limit: Option<f64>,
}

/// Which table a row belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    /// What a runtime does, and how far ahead weftwork has to be.
    Runtimes,
    /// Locks and channels, beside those of libraries.
    Primitives,
    /// What nothing is asked of.
    Wider,
}

/// One line of the table: a piece of work, and those that can do it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Row {
    /// What it is called on the command line too.
    pub name: &'static str,
    /// Where it stands.
    pub table: Table,
    /// Of its figure; less is better.
    pub unit: &'static str,
    /// All but Go.
    pub(super) by: By,
    /// Whether the Go program has it.
    pub(super) go: bool,
    /// Nothing, if it is only shown.
    pub asked: Option<Asked>,
    /// How many rounds one process measures, of which the median counts; the first is a warm-up if there are several.
    pub(super) inner: usize,
}

/// The ways of runtimes to `$module::$work`, a task that gives the figure of one round.
macro_rules! by {
    ($module:ident :: $work:ident on $($peer:ident),+) => {
        &[$((
            $crate::rows::Who::$peer,
            (|rounds| $crate::rows::row::in_tasks::<$peer, _>(rounds, $module::$work::<$peer>))
                as $crate::rows::row::Measure,
        )),+]
    };
}
/// The ways of the three that can be seen from outside to `$module::$work`, which is told the runtime.
macro_rules! outside {
    ($module:ident :: $work:ident, $threads:expr) => {
        outside!($module::$work, $threads, on Weftwork, Tokio, Smol)
    };
    ($module:ident :: $work:ident, $threads:expr, on $($peer:ident),+) => {
        &[$((
            $crate::rows::Who::$peer,
            (|rounds| $crate::rows::row::from_outside::<$peer>(rounds, $threads, $module::$work::<$peer>))
                as $crate::rows::row::Measure,
        )),+]
    };
}
pub(super) use {by, outside};

impl Row {
    /// Whether there is a way to measure it on that one.
    pub fn is_done_by(&self, who: Who) -> bool {
        if who == Who::Go { self.go } else { self.way(who).is_some() }
    }

    /// Measures it in this process; nothing if that one cannot do it, or is another program.
    pub fn measure(&self, who: Who) -> Option<f64> {
        self.way(who).map(|way| way(self.inner))
    }

    fn way(&self, who: Who) -> Option<Measure> {
        self.by.iter().find(|(other, _)| *other == who).map(|(_, way)| *way)
    }
}

/// Each round is a task of its own.
pub(super) fn in_tasks<P: Peer, F>(rounds: usize, work: fn() -> F) -> f64
where
    F: Future<Output = f64> + Send + 'static,
{
    P::run(async move {
        let mut figures = Vec::new();
        for _ in 0..rounds {
            figures.push(P::join(P::spawn(work())).await);
        }
        of_rounds(figures)
    })
}

/// Each round on the same runtime, seen from this thread.
pub(super) fn from_outside<P: Outside>(rounds: usize, threads: Threads, work: fn(P::Runtime) -> f64) -> f64 {
    let runtime = P::start(threads);
    of_rounds((0..rounds).map(|_| work(runtime)).collect())
}

/// The first round warms up if there are several, and the median of the others counts.
fn of_rounds(mut figures: Vec<f64>) -> f64 {
    if figures.len() > 1 {
        figures.remove(0);
    }
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
