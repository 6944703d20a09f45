//! `cargo xtask loom`: builds the models in the loom world, runs each file of them, gathers what they print.
//!
//! The files run side by side, one process each; inside a process the models run one after the other, because their
//! times are printed. A file that prints no figure is a failure: its models would count as run while a wrong cfg had
//! compiled them away.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::figures::{Figure, table};
use crate::steps::seconds;
use crate::workspace::{Workspace, announce};

/// Where models are: those of our protocols, and those of the example that shows users how to write their own.
const FOLDERS: [&str; 2] = ["loom-tests/tests", "examples/modelled/tests"];
/// The packages they belong to.
const PACKAGES: [&str; 2] = ["weftwork-loom-tests", "modelled"];

/// What the command line asked for.
pub(crate) struct Choice {
    full: bool,
    only: Option<String>,
    bound: Option<usize>,
    jobs: Option<usize>,
}

impl Choice {
    pub(crate) fn quick() -> Self {
        Self { full: false, only: None, bound: None, jobs: None }
    }

    pub(crate) fn read(arguments: &mut Arguments) -> Result<Self, String> {
        let choice = Self {
            full: arguments.flag("--full"),
            only: arguments.value("--only")?,
            bound: arguments.value("--bound")?,
            jobs: arguments.value("--jobs")?,
        };
        arguments.end()?;
        Ok(choice)
    }
}

pub(crate) fn run(workspace: &Workspace, choice: &Choice) -> Outcome {
    let files = chosen_files(workspace, choice)?;
    let binaries = build(workspace, &files)?;
    let began = Instant::now();
    let reports = run_all(workspace, choice, &binaries);

    let mut figures = Vec::new();
    let mut faults = Vec::new();
    for report in reports {
        faults.extend(report.fault);
        figures.extend(report.figures);
    }
    println!("\n{}", table(&figures));
    println!("files of models: {}, run in {}", binaries.len(), seconds(began.elapsed()));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// The names of the files of models, by their stem.
fn chosen_files(workspace: &Workspace, choice: &Choice) -> Result<Vec<String>, String> {
    let all: Vec<String> = workspace
        .rust_files(&FOLDERS)?
        .iter()
        // Folders below hold what the files share.
        .filter(|path| path.parent().is_some_and(|folder| folder.ends_with("tests")))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    let wanted = choice.only.as_deref().unwrap_or("");
    let chosen: Vec<String> = all.iter().filter(|name| name.contains(wanted)).cloned().collect();
    if chosen.is_empty() {
        return Err(format!("no file of models has `{wanted}` in its name; there are: {}", all.join(", ")));
    }
    Ok(chosen)
}

struct Binary {
    name: String,
    path: PathBuf,
}

fn build(workspace: &Workspace, files: &[String]) -> Result<Vec<Binary>, String> {
    let mut cargo = workspace.cargo_loom();
    cargo.args(["test", "--profile", "loom", "--no-run"]);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    for name in files {
        cargo.args(["--test", name]);
    }
    announce(&cargo);
    cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = cargo.output().map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err("the models do not build".into());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let built: Vec<PathBuf> = messages.lines().filter_map(executable).collect();
    files
        .iter()
        .map(|name| match built.iter().find(|path| is_built_from(path, name)) {
            Some(path) => Ok(Binary { name: name.clone(), path: path.clone() }),
            None => Err(format!("cargo built no program from {name}.rs")),
        })
        .collect()
}

/// The program that one of cargo's JSON messages names, if it names one.
fn executable(message: &str) -> Option<PathBuf> {
    let (_, behind) = message.split_once("\"executable\":\"")?;
    let (path, _) = behind.split_once('"')?;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

/// Whether cargo's name for a program, `stem-hash`, is that of this test.
fn is_built_from(program: &Path, name: &str) -> bool {
    let stem = program.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    stem.rsplit_once('-').is_some_and(|(stem, _)| stem == name)
}

struct Report {
    figures: Vec<Figure>,
    fault: Option<String>,
}

fn run_all(workspace: &Workspace, choice: &Choice, binaries: &[Binary]) -> Vec<Report> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = choice.jobs.unwrap_or(cores).clamp(1, binaries.len().max(1));
    let to_run: Mutex<VecDeque<usize>> = Mutex::new((0..binaries.len()).collect());
    let reports: Mutex<Vec<(usize, Report)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(index) = next(&to_run) {
                    let report = run_one(workspace, choice, &binaries[index]);
                    reports.lock().unwrap_or_else(PoisonError::into_inner).push((index, report));
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|&(index, _)| index);
    reports.into_iter().map(|(_, report)| report).collect()
}

fn next(to_run: &Mutex<VecDeque<usize>>) -> Option<usize> {
    to_run.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn run_one(workspace: &Workspace, choice: &Choice, binary: &Binary) -> Report {
    println!("running {}", binary.name);
    let began = Instant::now();
    let mut command = Command::new(&binary.path);
    command
        .args(["--nocapture", "--test-threads=1"])
        .current_dir(workspace.root().join("loom-tests"))
        .env("WEFTWORK_LOOM", if choice.full { "full" } else { "quick" })
        .stdin(Stdio::null());
    if let Some(bound) = choice.bound {
        command.env("WEFTWORK_LOOM_BOUND", bound.to_string()).env("WEFTWORK_MODEL_PREEMPTIONS", bound.to_string());
    }
    match command.output() {
        Ok(output) => judge(&binary.name, &output, began.elapsed()),
        Err(error) => {
            Report { figures: Vec::new(), fault: Some(format!("{} could not be started: {error}", binary.name)) }
        }
    }
}

fn judge(name: &str, output: &Output, took: Duration) -> Report {
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<Figure> = text.lines().filter_map(Figure::read).collect();
    let fault = if !output.status.success() {
        Some(format!("{name} failed: {}", output.status))
    } else if figures.is_empty() {
        Some(format!("{name} ran no model: no line `model NAME bound=B executions=N ms=T`"))
    } else {
        None
    };
    // In one piece, because other files print at the same time; a failure also with all that loom has to say about it.
    let complaints = if fault.is_some() { String::from_utf8_lossy(&output.stderr) } else { "".into() };
    println!("\n--- {name}, {}\n{}{complaints}", seconds(took), text.trim_start());
    Report { figures, fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_cargos_messages() {
        let message =
            r#"{"reason":"compiler-artifact","target":{"name":"l5"},"executable":"/t/loom/deps/l5-0a","fresh":true}"#;
        let path = executable(message);
        assert_eq!(path, Some(PathBuf::from("/t/loom/deps/l5-0a")));
        assert!(path.is_some_and(|path| is_built_from(&path, "l5") && !is_built_from(&path, "l50")));
        assert_eq!(executable(r#"{"reason":"compiler-artifact","executable":null}"#), None);
    }
}
