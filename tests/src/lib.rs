//! Integration tests live in `tests/`, one file per capability. Here the README's programs are kept compiling.

/// The README, whose programs are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
