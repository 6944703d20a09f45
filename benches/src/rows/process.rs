//! One figure from a process of its own: no runtime meets another's threads or another's heap.
//!
//! The process is the program that asks, started again: it has to call [`asked_for`] before it does anything else.

use super::{Row, Who, named, workers};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Nothing that works takes longer, on a machine that stands still now and then.
const PATIENCE: Duration = Duration::from_secs(180);

/// How a figure is measured.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// On whom.
    pub who: Who,
    /// With how many workers.
    pub workers: usize,
    /// The program in Go, if there is one.
    pub go: Option<&'a Path>,
    /// After how long it is taken to hang.
    pub patience: Duration,
}

impl Wanted<'_> {
    /// With as many workers as the environment says.
    pub fn on(who: Who) -> Self {
        Self { who, workers: workers(), go: None, patience: PATIENCE }
    }
}

/// If the command line is `--measure ROW [--of PEER]`, this is such a process: measures, prints, and says how to exit.
pub fn asked_for() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != "--measure" {
        return None;
    }
    Some(match measure(arguments) {
        Ok(figure) => {
            println!("{figure}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    })
}

fn measure(mut arguments: impl Iterator<Item = String>) -> Result<f64, String> {
    let row = arguments.next().ok_or("--measure wants a row")?;
    let row = named(&row).ok_or_else(|| format!("no row is called '{row}'"))?;
    let who = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Who::Weftwork,
        (Some("--of"), Some(name)) => Who::named(&name).ok_or_else(|| format!("no peer is called '{name}'"))?,
        _ => return Err("--measure ROW [--of PEER]".into()),
    };
    row.measure(who).ok_or_else(|| format!("{} has nothing for {}, or is another program", who.name(), row.name))
}

/// Has a process measure `row`.
///
/// # Errors
/// The process did not start, did not end in time, failed, or printed no number.
pub fn figure(row: &Row, wanted: &Wanted<'_>) -> Result<f64, String> {
    let Wanted { who, workers, go, patience } = *wanted;
    let mut command = match (who, go) {
        (Who::Go, Some(program)) => {
            let mut command = Command::new(program);
            command.arg(row.name);
            command
        }
        (Who::Go, None) => return Err("there is no program in Go".into()),
        _ => {
            let myself = std::env::current_exe().map_err(|e| format!("this program cannot find itself: {e}"))?;
            let mut command = Command::new(myself);
            command.args(["--measure", row.name, "--of", who.name()]);
            command
        }
    };
    let wrong = |why: &str| format!("{} on {}: {why}", row.name, who.name());
    for name in ["BENCH_WORKERS", "SMOL_THREADS", "GOMAXPROCS"] {
        command.env(name, workers.to_string());
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| wrong(&format!("the process did not start: {e}")))?;
    let text = output(child, patience).map_err(|why| wrong(&why))?;
    let figure = text.trim().parse().ok().filter(|figure: &f64| figure.is_finite() && *figure >= 0.0);
    figure.ok_or_else(|| wrong(&format!("'{}' is no figure", text.trim())))
}

/// What the process prints. We sleep until it ends, and so does whoever watches: neither takes time from what is measured.
fn output(mut child: Child, patience: Duration) -> Result<String, String> {
    let mut stdout = child.stdout.take().ok_or("its output was not kept")?;
    // A child that cannot be named any more has been waited for, and this one has not.
    let id = Pid::from_child(&child);
    let (ended, has_ended) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = has_ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout);
        // It may have ended at this moment; then the signal meets what nobody has waited for yet.
        hangs && kill_process(id, Signal::KILL).is_ok()
    });
    let mut text = String::new();
    let read = stdout.read_to_string(&mut text);
    drop(ended);
    let hung = watch.join().map_err(|_| "the watching thread panicked")?;
    let status = child.wait().map_err(|e| e.to_string())?;
    if hung {
        return Err(format!("the process hung: it did not end in {patience:?}"));
    }
    if !status.success() {
        return Err(format!("the process ended with {status}"));
    }
    read.map_err(|e| format!("what it printed cannot be read: {e}"))?;
    Ok(text)
}
