//! wrk against the page: another's client finds what ours might agree on with our server.

use std::process::{Command, Stdio};

pub(crate) const WRK: &str = "wrk";

/// What wrk saw.
pub(crate) struct Seen {
    /// All that it said.
    pub(crate) text: String,
    /// The lines of that which tell of errors.
    pub(crate) errors: Vec<String>,
}

pub(crate) fn is_installed() -> bool {
    Command::new(WRK).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Runs it in its closed loop.
pub(crate) fn run(connections: usize, seconds: u64, url: &str) -> Result<Seen, String> {
    let (connections, duration) = (format!("-c{connections}"), format!("-d{seconds}s"));
    let output = Command::new(WRK)
        .args(["-t1", &connections, &duration, "--latency", "--timeout", "10s", url])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("wrk: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || !text.contains("Requests/sec:") {
        return Err(format!("wrk: {}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let tells_of_errors = |line: &&str| line.contains("Socket errors:") || line.contains("Non-2xx or 3xx responses:");
    let errors = text.lines().filter(tells_of_errors).map(|line| line.trim().to_owned()).collect();
    Ok(Seen { text, errors })
}
