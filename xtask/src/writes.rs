//! `cargo xtask count`: the tests of the counting world, in which every atomic operation is written down.
//!
//! They lie in benches/counts/tests and compare exactly, so nothing has to be measured or blessed here: a table in the test
//! names each read-modify-write with its reason.

use crate::Outcome;
use crate::workspace::{Workspace, announce, finish};

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut cargo = workspace.cargo_in_world("weftwork_count", workspace.target().join("count"));
    cargo.args(["test", "--package", "weftwork-counts", "--tests", "--no-fail-fast"]);
    // The tables that the tests print are what one runs this for; one test at a time, so that they stay whole.
    cargo.args(["--", "--nocapture", "--test-threads=1"]);
    announce(&cargo);
    finish(&mut cargo)
}
