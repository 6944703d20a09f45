//! Runs programs as a user would, on both flavours, and compares what they print with what stands beside them.
//!
//! On the current-thread flavour each line has to be at its place. On several threads the order between tasks is nobody's
//! promise, so there the sorted lines are compared.

use crate::classic::{self, Classic, Clock, Order};
use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than anything takes on a loaded machine.
const HANG: Duration = Duration::from_secs(60);

const FLAVORS: [&str; 2] = ["current_thread", "multi_thread"];

/// A second of programs on the system's clock: their order does not depend on it, only how long one waits.
const SHORT_SECOND: &str = "0.01";

/// Checks all programs, or one, and prints a line for each.
///
/// # Errors
/// One of them printed something else, hung or failed.
pub fn run(one: Option<&'static Classic>) -> io::Result<()> {
    let chosen: Vec<_> = classic::all().filter(|classic| one.is_none_or(|one| one.name == classic.name)).collect();
    let (mut failed, all) = (Vec::new(), chosen.len());
    for classic in chosen {
        let faults: Vec<_> =
            FLAVORS.iter().filter_map(|flavor| Some((flavor, fault(classic, flavor).err()?))).collect();
        let verdict = if faults.is_empty() { "ok" } else { "FAILED" };
        println!("{:<20}{verdict:<8}{}", classic.name, classic.about);
        for (flavor, fault) in &faults {
            println!("    {flavor}: {fault}");
        }
        if !faults.is_empty() {
            failed.push(classic.name);
        }
    }
    println!("{} of {all} print what they should, on both flavours", all - failed.len());
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(format!("failed: {}", failed.join(", ")))) }
}

fn fault(classic: &Classic, flavor: &str) -> Result<(), String> {
    let printed = output(classic, flavor).map_err(|error| error.to_string())?;
    let exact = classic.order == Order::Exact && flavor == "current_thread";
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        if !exact {
            lines.sort();
        }
        lines
    };
    let (printed, expected) = (lines(&printed), lines(classic.prints));
    if printed == expected {
        return Ok(());
    }
    let at = printed.iter().zip(&expected).take_while(|(printed, expected)| printed == expected).count();
    let line = |lines: &[String]| lines.get(at).map_or("the end".to_owned(), |line| format!("{line:?}"));
    let sorted = if exact { "" } else { " (sorted)" };
    Err(format!("line {}{sorted} is {}, and not {}", at + 1, line(&printed), line(&expected)))
}

fn output(classic: &Classic, flavor: &str) -> io::Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([classic.name, "--flavor", flavor]);
    match classic.clock {
        Clock::Virtual => command.arg("--virtual-time"),
        Clock::Real => command.args(["--scale", SHORT_SECOND]),
    };
    // Some of them panic on purpose, and some say there how long they took.
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let Some(mut stdout) = child.stdout.take() else { return Err(io::Error::other("its stdout is not piped")) };
    let (printed, prints) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        // Nobody listens any more if it came too late.
        let _ = printed.send(stdout.read_to_string(&mut text).map(|_| text));
    });
    let text = prints.recv_timeout(HANG);
    if text.is_err() {
        // It may have ended just now; then there is nothing to kill.
        let _ = child.kill();
    }
    let status = child.wait()?;
    match text {
        Err(_) => Err(io::Error::other(format!("it had not ended after {HANG:?}"))),
        Ok(_) if !status.success() => Err(io::Error::other(format!("it failed: {status}"))),
        Ok(text) => text,
    }
}
