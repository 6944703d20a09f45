//! `cargo xtask bench`: weftwork beside its peers, row by row. The program is benches/src/bin/bench.

use crate::Outcome;
use crate::arguments::Arguments;
use crate::workspace::{Workspace, announce, finish};

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> Outcome {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--release", "--package", "weftwork-benches", "--bin", "bench", "--"]);
    // Before what was asked for, which may name another folder.
    cargo.arg("--out").arg(workspace.target().join("bench"));
    cargo.args(arguments.rest());
    announce(&cargo);
    finish(&mut cargo)
}
