//! In every other world there is nothing to draw.

use std::process::ExitCode;

pub(crate) fn run() -> ExitCode {
    eprintln!("built without --cfg weftwork_shuttle: `cargo xtask shuttle` builds and runs this");
    ExitCode::FAILURE
}
