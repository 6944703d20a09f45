//! What is being measured, and how long it will take yet, on stderr.

use crate::result::Figures;
use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use weftwork_benches::rows::Who;

/// Where lines are kept, in a log, they come this far apart.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Progress {
    start: Instant,
    /// How often each is still to be measured.
    planned: HashMap<(&'static str, Who), u32>,
    /// How long each took the last time.
    took: HashMap<(&'static str, Who), Duration>,
    terminal: bool,
    said: Option<Instant>,
}

impl Progress {
    pub(crate) fn begin() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { start: Instant::now(), planned: HashMap::new(), took: HashMap::new(), terminal, said: None }
    }

    /// So many rounds more of one row.
    pub(crate) fn plan(&mut self, figures: &Figures, rounds: usize) {
        for &who in figures.peers() {
            *self.planned.entry((figures.row().name, who)).or_default() += u32::try_from(rounds).unwrap_or(u32::MAX);
        }
    }

    /// Says what is measured, measures it, and remembers how long it took.
    pub(crate) fn watch<T>(&mut self, row: &'static str, who: Who, round: usize, measure: impl FnOnce() -> T) -> T {
        self.say(row, who, round);
        let start = Instant::now();
        let measured = measure();
        self.took.insert((row, who), start.elapsed());
        if let Some(left) = self.planned.get_mut(&(row, who)) {
            *left = left.saturating_sub(1);
        }
        measured
    }

    pub(crate) fn end(&self) {
        let mut stderr = std::io::stderr();
        if self.terminal {
            // What cannot be shown is no reason to stop; here and below.
            let _ = write!(stderr, "\r{:<78}\r", "");
        }
        let _ = writeln!(stderr, "measured in {}", clock(self.start.elapsed()));
    }

    fn say(&mut self, row: &str, who: Who, round: usize) {
        let text = format!("round {}, {row} on {}; {} left", round + 1, who.name(), self.left());
        let mut stderr = std::io::stderr();
        if self.terminal {
            let _ = write!(stderr, "\r{text:<78}");
            let _ = stderr.flush();
        } else if self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY) {
            self.said = Some(Instant::now());
            let _ = writeln!(stderr, "{text}");
        }
    }

    /// From what each took before, or from what the others took on average.
    fn left(&self) -> String {
        let Ok(known @ 1..) = u32::try_from(self.took.len()) else { return "unknown how long".into() };
        let usual = self.took.values().sum::<Duration>() / known;
        let left = self.planned.iter().map(|(what, &times)| self.took.get(what).copied().unwrap_or(usual) * times);
        clock(left.sum())
    }
}

fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}
