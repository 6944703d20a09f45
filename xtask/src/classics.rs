//! `cargo xtask examples`: the asyncio classics, on both flavours, beside what they should print.
//!
//! The program compares by itself (`classics check`), so that the test in examples/tests and this have one way of doing it.

use crate::Outcome;
use crate::arguments::Arguments;
use crate::workspace::{Workspace, announce, finish};

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> Outcome {
    let one = arguments.word();
    arguments.end()?;
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "examples", "--bin", "classics", "--", "check"]).args(one);
    announce(&cargo);
    finish(&mut cargo)
}
