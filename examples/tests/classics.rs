//! The classics, as a user runs them.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]

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
fn the_list_names_each_with_what_it_shows() {
    let listed = classics(&["list"]);
    let listed = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.lines().any(|line| line.starts_with("ping_pong ") && line.ends_with("give way at each step")));
}

#[test]
fn a_name_that_is_none_ends_with_2() {
    let refused = classics(&["gathering"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`classics list` says which there are"));
}
