//! The program in Go, built if there is a Go to build it with.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds `benches/go` into `out`; gives the program.
///
/// # Errors
/// Why there is none, in words for the table.
pub(crate) fn build(out: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    std::fs::create_dir_all(out).map_err(|e| format!("{} cannot be made: {e}", out.display()))?;
    let program = out.canonicalize().map_err(|e| format!("{}: {e}", out.display()))?.join("rows-go");
    let built = Command::new("go").current_dir(&source).args(["build", "-o"]).arg(&program).arg(".").status();
    match built {
        Ok(status) if status.success() => Ok(program),
        Ok(status) => Err(format!("`go build` ended with {status}")),
        Err(e) => Err(format!("`go` does not start ({e}): `apt-get install golang-go`, or its like")),
    }
}
