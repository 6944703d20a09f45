//! Flags and values of a command line, each taken out once; what is left over at the end is a mistake.

use std::collections::VecDeque;
use std::str::FromStr;

/// What was given and not yet taken.
pub(crate) struct Arguments(VecDeque<String>);

impl Arguments {
    pub(crate) fn new(given: impl Iterator<Item = String>) -> Self {
        Self(given.collect())
    }

    /// The next one, whatever it is.
    pub(crate) fn word(&mut self) -> Option<String> {
        self.0.pop_front()
    }

    /// Whether `--name` is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let place = self.0.iter().position(|given| given == name);
        place.is_some_and(|place| self.0.remove(place).is_some())
    }

    /// What follows `--name`, or stands behind it as `--name=value`.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let joined = format!("{name}=");
        let Some(place) = self.0.iter().position(|given| given == name || given.starts_with(&joined)) else {
            return Ok(None);
        };
        let text = match self.0.remove(place) {
            Some(given) if given != name => given[joined.len()..].to_owned(),
            _ => self.0.remove(place).ok_or_else(|| format!("{name} needs a value"))?,
        };
        text.parse().map(Some).map_err(|_| format!("{name} does not take `{text}`"))
    }

    /// Everything that is left, for a program that reads it itself.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.0.drain(..).collect()
    }

    /// Fails if something is left that nobody asked for.
    pub(crate) fn end(&self) -> Result<(), String> {
        match self.0.front() {
            Some(left) => Err(format!("`{left}` means nothing here; `cargo xtask help` says what does")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &str) -> Arguments {
        Arguments::new(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_and_values_are_found_anywhere_and_taken_once() {
        let mut arguments = given("loom --only l5 --full --bound=3");
        assert_eq!(arguments.word().as_deref(), Some("loom"));
        assert!(arguments.flag("--full") && !arguments.flag("--full"));
        assert_eq!(arguments.value::<usize>("--bound"), Ok(Some(3)));
        assert_eq!(arguments.value::<String>("--only"), Ok(Some("l5".into())));
        assert_eq!(arguments.end(), Ok(()));
    }

    #[test]
    fn what_nobody_asked_for_is_an_error() {
        assert!(given("--fulll").end().is_err());
        assert!(given("--bound").value::<usize>("--bound").is_err());
        assert!(given("--bound two").value::<usize>("--bound").is_err());
    }
}
