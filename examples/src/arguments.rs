//! A command line, read flag by flag. What nobody asked for is a mistake, and so is what is said twice.

use std::collections::VecDeque;
use std::env::ArgsOs;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::iter::Skip;
use std::process::ExitCode;
use std::str::FromStr;

/// What was given and has not been taken.
#[derive(Debug)]
pub struct Arguments {
    given: VecDeque<String>,
}

/// What is wrong with a command line, in words for whoever wrote it.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl UsageError {
    /// A mistake, in words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// The conventional code for a command line that cannot be understood.
const USAGE: u8 = 2;

/// What this program was asked for on its command line.
///
/// # Errors
/// The code with which it ends at once: 0 after the help, for which `parse` answers `None`; 2 after what is wrong was said.
pub fn asked<T>(
    name: &str,
    help: &str,
    parse: impl FnOnce(Skip<ArgsOs>) -> Result<Option<T>, UsageError>,
) -> Result<T, ExitCode> {
    match parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => Ok(options),
        Ok(None) => {
            // A reader that has gone away wants no more help.
            let _ = io::stdout().write_all(help.as_bytes());
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{name}: {error}\nTry `{name} --help`.");
            Err(ExitCode::from(USAGE))
        }
    }
}

impl Arguments {
    /// The words behind the program's name.
    ///
    /// # Errors
    /// One of them is not Unicode.
    pub fn new(given: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let given = given.into_iter().map(OsString::into_string).collect::<Result<_, _>>();
        given.map(|given| Self { given }).map_err(|odd| UsageError(format!("{odd:?} is not Unicode")))
    }

    /// Takes a flag out: whether one of its names is there.
    pub fn flag(&mut self, names: &[&str]) -> bool {
        let place = self.given.iter().position(|given| names.contains(&given.as_str()));
        place.and_then(|place| self.given.remove(place)).is_some()
    }

    /// Takes `--name value` or `--name=value` out, and reads the value.
    ///
    /// # Errors
    /// There is no value, or it cannot be read; `wanted` says what would be one.
    pub fn value<T: FromStr>(&mut self, name: &str, wanted: &str) -> Result<Option<T>, UsageError> {
        self.value_with(name, wanted, |text| text.parse().ok())
    }

    /// As [`value`](Self::value), read by `parse`.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn value_with<T>(
        &mut self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        let Some((place, joined)) = self.given.iter().enumerate().find_map(|(place, given)| {
            let rest = given.strip_prefix(name)?;
            if rest.is_empty() { Some((place, None)) } else { Some((place, Some(rest.strip_prefix('=')?.to_owned()))) }
        }) else {
            return Ok(None);
        };
        self.given.remove(place);
        let text = match joined {
            Some(text) => text,
            // Behind the flag was the next word; it has moved up.
            None => match self.given.remove(place) {
                Some(text) if !text.starts_with("--") => text,
                _ => return Err(UsageError(format!("{name} needs a value: {wanted}"))),
            },
        };
        match parse(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(UsageError(format!("{name} cannot be {text:?}: it has to be {wanted}"))),
        }
    }

    /// Takes the next word out that looks like no flag. Take all flags with values before, or theirs are taken for it.
    pub fn word(&mut self) -> Option<String> {
        let place = self.given.iter().position(|given| !given.starts_with('-'))?;
        self.given.remove(place)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Something is left that no flag took.
    pub fn end(self) -> Result<(), UsageError> {
        match self.given.front() {
            Some(left) => Err(UsageError(format!("{left:?} is not a flag of this program, or is given twice"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &str) -> Arguments {
        Arguments::new(words.split_whitespace().map(OsString::from)).unwrap()
    }

    #[test]
    fn flags_and_values_are_taken_in_any_order_and_form() {
        let mut arguments = given("--port 80 -h --host=::1");
        assert_eq!(arguments.value("--host", "a host"), Ok(Some("::1".to_owned())));
        assert_eq!(arguments.value("--port", "a port"), Ok(Some(80_u16)));
        assert_eq!(arguments.value::<u16>("--workers", "a number"), Ok(None));
        assert!(arguments.flag(&["--help", "-h"]));
        assert!(!arguments.flag(&["--help", "-h"]));
        assert_eq!(arguments.end(), Ok(()));
    }

    #[test]
    fn words_are_taken_in_their_order_and_flags_are_left() {
        let mut arguments = given("a --all b");
        assert_eq!(arguments.word().as_deref(), Some("a"));
        assert_eq!(arguments.word().as_deref(), Some("b"));
        assert_eq!(arguments.word(), None);
        assert!(arguments.flag(&["--all"]));
    }

    #[test]
    fn a_mistake_is_said_with_the_way_out() {
        let told = |words, read: fn(&mut Arguments) -> Result<Option<u16>, UsageError>| {
            let mut arguments = given(words);
            read(&mut arguments).and_then(|_| arguments.end()).unwrap_err().to_string()
        };
        let port = |arguments: &mut Arguments| arguments.value("--port", "a port");
        assert_eq!(told("--port", port), "--port needs a value: a port");
        assert_eq!(told("--port --host", port), "--port needs a value: a port");
        assert_eq!(told("--port 65536", port), "--port cannot be \"65536\": it has to be a port");
        assert_eq!(told("--port=", port), "--port cannot be \"\": it has to be a port");
        assert_eq!(told("--port 1 --port 2", port), "\"--port\" is not a flag of this program, or is given twice");
        assert_eq!(told("--ports 1", port), "\"--ports\" is not a flag of this program, or is given twice");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_unicode_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        assert!(Arguments::new([OsString::from_vec(vec![0xff])]).is_err());
    }
}
