//! The line that each model prints, and the table of them all.

use std::time::Duration;

use crate::steps::seconds;

/// How far one model was searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) model: String,
    pub(crate) bound: String,
    pub(crate) executions: u64,
    pub(crate) took: Duration,
}

impl Figure {
    /// Reads `model NAME bound=B executions=N ms=T`, wherever it begins: the test harness writes `test NAME ... ` and no
    /// line end before it.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let begin = line.rfind("model ").filter(|&at| at == 0 || line[..at].ends_with(' '))?;
        let mut words = line[begin..].split_whitespace().skip(1);
        let mut field = |name: &str| words.next()?.strip_prefix(name).map(str::to_owned);
        let model = field("")?;
        let bound = field("bound=")?;
        let executions = field("executions=")?.parse().ok()?;
        let took = Duration::from_millis(field("ms=")?.parse().ok()?);
        Some(Self { model, bound, executions, took })
    }
}

/// The table that ends a run.
pub(crate) fn table(figures: &[Figure]) -> String {
    let width = figures.iter().map(|figure| figure.model.len()).max().unwrap_or(0).max("model".len());
    let mut text = format!("{:<width$}  {:>9}  {:>12}  {:>9}\n", "model", "bound", "executions", "time");
    for Figure { model, bound, executions, took } in figures {
        text += &format!("{model:<width$}  {bound:>9}  {executions:>12}  {:>9}\n", seconds(*took));
    }
    let executions: u64 = figures.iter().map(|figure| figure.executions).sum();
    let took: Duration = figures.iter().map(|figure| figure.took).sum();
    let all = format!("{} models", figures.len());
    text += &format!("{all:<width$}  {:>9}  {executions:>12}  {:>9}\n", "", seconds(took));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_behind_what_the_test_harness_wrote() {
        let figure = Figure::read("test a_model_of_it ... model parker/unpark bound=unbounded executions=12 ms=3");
        let expected = Figure {
            model: "parker/unpark".into(),
            bound: "unbounded".into(),
            executions: 12,
            took: Duration::from_millis(3),
        };
        assert_eq!(figure, Some(expected));
    }

    #[test]
    fn other_lines_are_no_figures() {
        for line in ["", "test supermodel works ... ok", "model x bound=2", "model x bound=2 executions=many ms=1"] {
            assert_eq!(Figure::read(line), None, "{line}");
        }
    }

    #[test]
    fn the_table_ends_with_the_sums() {
        let line =
            |ms| Figure { model: "m".into(), bound: "2".into(), executions: 10, took: Duration::from_millis(ms) };
        let text = table(&[line(1_000), line(500)]);
        let last: Vec<&str> = text.lines().last().unwrap_or_default().split_whitespace().collect();
        assert_eq!(last, ["2", "models", "20", "1.5", "s"]);
    }
}
