//! One figure from a process of its own.

use crate::rows::{Row, Who};
use std::path::Path;
use std::process::{Command, Stdio};

/// Has `who` measure `row`.
///
/// # Errors
/// The process did not start, failed, or printed no number.
pub(crate) fn figure(row: &Row, who: Who, go: Option<&Path>) -> Result<f64, String> {
    let workers = crate::peers::workers().to_string();
    let mut command = match (who, go) {
        (Who::Go, Some(program)) => {
            let mut command = Command::new(program);
            command.arg(row.name).env("GOMAXPROCS", &workers);
            command
        }
        (Who::Go, None) => return Err("there is no program in Go".into()),
        _ => {
            let myself = std::env::current_exe().map_err(|e| format!("this program cannot find itself: {e}"))?;
            let mut command = Command::new(myself);
            command.args(["--measure", row.name, "--of", who.name()]).env("SMOL_THREADS", &workers);
            command
        }
    };
    let wrong = |why: &str| format!("{} on {}: {why}", row.name, who.name());
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| wrong(&format!("the process did not start: {e}")))?;
    if !output.status.success() {
        return Err(wrong(&format!("the process ended with {}", output.status)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = text.trim().parse().ok().filter(|figure: &f64| figure.is_finite() && *figure > 0.0);
    figure.ok_or_else(|| wrong(&format!("'{}' is no figure", text.trim())))
}
