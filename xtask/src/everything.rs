//! `cargo xtask test`: what has to hold before a change goes in.
//!
//! Cheap steps first, so that a slip is seen in seconds. Everything builds in the dev profile, but for the one small program
//! whose instructions are counted: the release profile's whole-program optimisation would double the time and find nothing
//! that the other steps look for.

use crate::arguments::Arguments;
use crate::steps::Steps;
use crate::workspace::{Workspace, announce, finish};
use crate::{Outcome, arrows, house_rules, icount, models, writes};

/// What the command line asked for.
pub(crate) struct Choice {
    loom: bool,
    icount: bool,
    keep_going: bool,
}

impl Choice {
    pub(crate) fn read(arguments: &mut Arguments) -> Result<Self, String> {
        let choice = Self {
            loom: !arguments.flag("--no-loom"),
            // Where the counts were taken, and where valgrind is.
            icount: !arguments.flag("--no-icount") && cfg!(target_os = "linux"),
            keep_going: arguments.flag("--keep-going"),
        };
        arguments.end()?;
        Ok(choice)
    }
}

pub(crate) fn run(workspace: &Workspace, choice: Choice) -> Outcome {
    let cargo = |words: &[&str]| {
        let mut cargo = workspace.cargo();
        cargo.args(words);
        announce(&cargo);
        finish(&mut cargo)
    };
    let mut steps = Steps::new(choice.keep_going);
    steps.step("house rules", || house_rules::run(workspace));
    steps.step("arrows between crates", || arrows::run(workspace));
    steps.step("fmt", || cargo(&["fmt", "--all", "--", "--check"]));
    steps.step("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    steps.step("unit and integration tests", || {
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    });
    steps.step("doc tests", || cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]));
    steps.step("examples", || cargo(&["build", "--package", "examples", "--bins"]));
    steps.step("atomic operations", || writes::run(workspace));
    if choice.icount {
        steps.step("instruction counts", || icount::run(workspace, false));
    }
    if choice.loom {
        steps.step("models, quick set", || models::run(workspace, &models::Choice::quick()));
    }
    steps.summary()
}
