//! `cargo xtask shuttle`: builds the scenarios in the world of drawn schedules and runs them.
//!
//! The program itself reads the rest of the command line and prints a line for each scenario; it ends with a failure if one failed, and
//! with what draws the same schedules again.

use crate::Outcome;
use crate::arguments::Arguments;
use crate::workspace::{Workspace, announce, finish};

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> Outcome {
    let mut cargo = workspace.cargo_in_world("weftwork_shuttle", workspace.target().join("shuttle"));
    cargo.args(["run", "--quiet", "--package", "weftwork-shuttle-tests", "--profile", "loom", "--"]);
    cargo.args(arguments.rest());
    announce(&cargo);
    finish(&mut cargo)
}
