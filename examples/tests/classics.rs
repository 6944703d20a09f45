//! The classics, as a user runs them.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

use std::collections::HashSet;
use std::process::{Command, Output, Stdio};

fn classics(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classics"));
    command.args(words).env_remove("CLASSICS_SCALE").stdin(Stdio::null()).output().expect("the program starts")
}

#[test]
fn every_classic_prints_what_stands_beside_it_on_both_flavours() {
    let checked = classics(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn what_a_user_types_is_run_on_the_system_s_clock() {
    let ran = classics(&["ping_pong"]);
    assert!(ran.status.success());
    assert_eq!(String::from_utf8_lossy(&ran.stdout), include_str!("../src/bin/classics/tasks/ping_pong.txt"));
}

#[test]
fn the_list_names_each_once_with_what_it_shows() {
    let listed = classics(&["list"]);
    let listed = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.lines().any(|line| line.starts_with("ping_pong ") && line.ends_with("give way at each step")));
    let names: HashSet<_> = listed.lines().map(|line| line.split(' ').next()).collect();
    assert_eq!(names.len(), listed.lines().count());
}

#[test]
fn what_cannot_be_understood_is_told_and_ends_with_2() {
    for words in [
        &["gathering"][..],
        &["hello", "add"],
        &["hello", "--scale", "0"],
        &["hello", "--scale", "nan"],
        &["hello", "--flavor", "vanilla"],
        &["check", "everything"],
    ] {
        let refused = classics(words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).starts_with("classics: "));
    }
}

#[test]
fn the_environment_says_how_long_a_second_lasts_unless_the_command_line_does() {
    let with = |scale: &str, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_classics"));
        command.args(words).env("CLASSICS_SCALE", scale).stdin(Stdio::null()).output().expect("the program starts")
    };
    // Ten seconds of a thousand each, or of a thousandth.
    assert!(with("0.001", &["sequential"]).status.success());
    assert!(with("1000", &["sequential", "--scale", "0.001"]).status.success());
    assert_eq!(with("slow", &["sequential"]).status.code(), Some(2));
}
