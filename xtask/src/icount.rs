//! `cargo xtask icount`: how many instructions each operation takes, beside what it took before.
//!
//! A time on a shared machine swings by a third; a count of instructions does not, so it can be a gate. The program is
//! benches/counts/src/bin/icount, and callgrind counts. What was counted last is in [`BASELINE`], which names the compiler:
//! another one makes other code, so then the counts are shown and judged by nobody.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::programs::is_installed;
use crate::workspace::{Workspace, announce, finish};

/// What was counted before, from the workspace's root.
const BASELINE: &str = "benches/counts/icount.txt";
/// A count may be this many percent above what it was.
const TOLERANCE: f64 = 2.0;
/// Two runs of the same program may differ by this many percent.
const REPEATABLE: f64 = 0.1;
/// callgrind counts while this runs.
const COUNTED: &str = "icount::counted_rounds";
/// The module whose functions are the operations.
const OPERATIONS: &str = "icount::operations::";

const HEAD: &str = "\
# Instructions per operation, written by `cargo xtask icount --bless`; the operations are functions of
# benches/counts/src/bin/icount/operations.rs. `cargo xtask icount` fails if one of them rises by more than 2 % on the
# compiler named here.
";

pub(crate) fn run(workspace: &Workspace, bless: bool) -> Outcome {
    if !is_installed("valgrind") {
        return Err(
            "icount needs valgrind, whose callgrind counts: `apt-get install valgrind`, or its like. Where there \
                    is none, `cargo xtask test --no-icount` does without"
                .into(),
        );
    }
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "weftwork-counts", "--bin", "icount"]);
    announce(&cargo);
    finish(&mut cargo)?;
    let (first, second) = (count(workspace)?, count(workspace)?);
    for (operation, counted) in &first.counts {
        let again = second.counts.get(operation).copied().unwrap_or_default();
        if change(*counted, again).abs() > REPEATABLE {
            return Err(format!(
                "{operation} took {counted:.2} instructions in one run and {again:.2} in the next: something in it depends \
                 on time or on another thread, so the counts say nothing"
            ));
        }
    }
    let path = workspace.root().join(BASELINE);
    let now = first;
    if bless {
        std::fs::write(&path, now.to_text()).map_err(|error| format!("{BASELINE}: {error}"))?;
        print!("{}", now.to_text());
        println!("{BASELINE} is written; commit it with the reason for what changed");
        return Ok(());
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{BASELINE}: {error}; `cargo xtask icount --bless` writes it"))?;
    let before = Counts::read(&text).ok_or_else(|| format!("{BASELINE} is not what --bless writes"))?;
    let (table, verdict) = judge(&before, &now);
    print!("{table}");
    verdict
}

/// Instructions per operation, and the compiler that made them.
#[derive(Debug, Clone, PartialEq)]
struct Counts {
    compiler: String,
    counts: BTreeMap<String, f64>,
}

impl Counts {
    fn to_text(&self) -> String {
        let mut text = format!("{HEAD}{}\n", self.compiler);
        for (operation, count) in &self.counts {
            text += &format!("{operation:<26} {count:>9.2}\n");
        }
        text
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let compiler = lines.next()?.to_owned();
        let counts = lines.map(|line| {
            let (operation, count) = line.split_once(' ')?;
            Some((operation.to_owned(), count.trim().parse().ok()?))
        });
        Some(Self { compiler, counts: counts.collect::<Option<_>>()? })
    }
}

/// How many percent more `now` is than `before`.
fn change(before: f64, now: f64) -> f64 {
    (now / before - 1.0) * 100.0
}

/// The table of what is and what was, and whether that is good enough.
fn judge(before: &Counts, now: &Counts) -> (String, Outcome) {
    let comparable = before.compiler == now.compiler;
    let mut table = format!("{:<26} {:>9} {:>9} {:>8}\n", "operation", "before", "now", "change");
    let (mut risen, mut fallen, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (operation, &count) in &now.counts {
        let Some(&was) = before.counts.get(operation) else {
            table += &format!("{operation:<26} {:>9} {count:>9.2}\n", "-");
            unknown.push(operation.as_str());
            continue;
        };
        // In hundredths, as it is shown; a zero has no sign.
        let change = (change(was, count) * 100.0).round() / 100.0 + 0.0;
        table += &format!("{operation:<26} {was:>9.2} {count:>9.2} {change:>+7.2}%\n");
        if change > TOLERANCE {
            risen.push(operation.as_str());
        } else if change < -TOLERANCE {
            fallen.push(operation.as_str());
        }
    }
    unknown.extend(before.counts.keys().filter(|operation| !now.counts.contains_key(*operation)).map(String::as_str));
    if !comparable {
        table += &format!(
            "counted before with {}, now with {}: other code, so nothing is judged; `cargo xtask icount --bless` takes \
             these counts over\n",
            before.compiler, now.compiler
        );
        return (table, Ok(()));
    }
    if !fallen.is_empty() {
        table += &format!(
            "fallen by more than {TOLERANCE} %: {}; `cargo xtask icount --bless`, so that they stay there\n",
            fallen.join(", ")
        );
    }
    if !unknown.is_empty() {
        let why = format!("in one of {BASELINE} and the program only: {}; run --bless and commit", unknown.join(", "));
        return (table, Err(why));
    }
    if !risen.is_empty() {
        let why = format!(
            "more than {TOLERANCE} % more instructions than before: {}. Find out which with `callgrind_annotate \
             --inclusive=yes` on target/icount/callgrind.out; if they are worth it, run `cargo xtask icount --bless` and \
             say in the commit what they buy",
            risen.join(", ")
        );
        return (table, Err(why));
    }
    (table, Ok(()))
}

/// Runs the program under callgrind.
fn count(workspace: &Workspace) -> Result<Counts, String> {
    let folder = workspace.target().join("icount");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let out = folder.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.arg(format!("--toggle-collect={COUNTED}"));
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(workspace.target().join("release").join("icount"));
    // What is counted is the fast path of a server: everything that slows a debugging run down is off.
    for variable in ["WEFTWORK_RECYCLE", "WEFTWORK_WORKERS", "WEFTWORK_REACTOR"] {
        valgrind.env_remove(variable);
    }
    announce(&valgrind);
    let output =
        valgrind.stdin(Stdio::null()).output().map_err(|error| format!("valgrind could not be started: {error}"))?;
    if !output.status.success() {
        // Otherwise it is valgrind's remarks on system calls that it does not know.
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(format!("the counted program failed: {}", output.status));
    }
    let written = std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let counts = per_operation(&String::from_utf8_lossy(&output.stdout), &inclusive(&written))?;
    Ok(Counts { compiler: compiler(workspace.root())?, counts })
}

/// The compiler's version and host, as one line.
fn compiler(root: &Path) -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .current_dir(root)
        .output()
        .map_err(|error| format!("rustc could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    match (text.lines().next(), host) {
        (Some(version), Some(host)) => Ok(format!("{version}, {host}")),
        _ => Err("`rustc -vV` does not say which compiler this is".into()),
    }
}

/// Instructions per operation, from what the program says it did and what its functions took.
fn per_operation(said: &str, inclusive: &BTreeMap<String, u64>) -> Result<BTreeMap<String, f64>, String> {
    let mut counts = BTreeMap::new();
    for line in said.lines() {
        let mut words = line.split_whitespace();
        let (Some("operation"), Some(name), Some(times)) = (words.next(), words.next(), words.next()) else { continue };
        let times: f64 = times.parse().map_err(|_| format!("`{line}` is not what the program says"))?;
        let spent = inclusive.get(&format!("{OPERATIONS}{name}")).copied().unwrap_or(0);
        if spent == 0 {
            return Err(format!("callgrind saw no function `{OPERATIONS}{name}`: it was inlined, merged or renamed"));
        }
        counts.insert(name.to_owned(), spent as f64 / times);
    }
    if counts.is_empty() { Err("the program names no operation".into()) } else { Ok(counts) }
}

/// What each function cost with all that it called, from callgrind's output without compression.
///
/// Below `fn=` stand lines of a position and a cost, the function's own; behind `calls=` comes one more, the cost of what was
/// called. No operation calls itself, so their sum is the whole.
fn inclusive(written: &str) -> BTreeMap<String, u64> {
    let mut spent = BTreeMap::new();
    let mut function = None;
    for line in written.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = Some(name);
        } else if let Some(name) = function
            && line.starts_with(|first: char| first.is_ascii_digit())
            && let Some(cost) = line.split_whitespace().nth(1).and_then(|cost| cost.parse::<u64>().ok())
        {
            *spent.entry(name.to_owned()).or_insert(0) += cost;
        }
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(compiler: &str, of: &[(&str, f64)]) -> Counts {
        let counts = of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Counts { compiler: compiler.into(), counts }
    }

    #[test]
    fn a_function_costs_what_it_and_its_callees_cost() {
        let written = "\
events: Ir
summary: 60

fl=a.rs
fn=icount::operations::task_wake
10 20
fi=b.rs
11 5
cfn=weftwork::push
calls=4 7
12 30

fn=weftwork::push
7 30

totals: 60
";
        let spent = inclusive(written);
        assert_eq!(spent.get("icount::operations::task_wake"), Some(&55));
        let per = per_operation("operation task_wake 10\n", &spent).expect("it is there");
        assert_eq!(per.get("task_wake"), Some(&5.5));
        assert!(per_operation("operation task_poll 10\n", &spent).is_err(), "a function that was inlined");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let counts = counts("rustc 1.90.0, x86_64-unknown-linux-gnu", &[("task_spawn", 101.25), ("task_wake", 7.0)]);
        assert_eq!(Counts::read(&counts.to_text()), Some(counts));
        assert_eq!(Counts::read("rustc\ntask_spawn many\n"), None);
    }

    #[test]
    fn a_rise_fails_and_a_fall_does_not() {
        let before = counts("rustc", &[("spawn", 100.0), ("wake", 50.0)]);
        assert!(judge(&before, &counts("rustc", &[("spawn", 101.9), ("wake", 50.0)])).1.is_ok());
        let (_, verdict) = judge(&before, &counts("rustc", &[("spawn", 102.1), ("wake", 50.0)]));
        assert!(verdict.is_err_and(|why| why.contains("spawn") && why.contains("--bless")));
        let (table, verdict) = judge(&before, &counts("rustc", &[("spawn", 97.0), ("wake", 50.0)]));
        assert!(verdict.is_ok() && table.contains("fallen by more than 2 %: spawn"));
    }

    #[test]
    fn an_operation_without_a_partner_fails() {
        let before = counts("rustc", &[("spawn", 100.0)]);
        assert!(judge(&before, &counts("rustc", &[("spawn", 100.0), ("wake", 1.0)])).1.is_err());
        assert!(judge(&before, &counts("rustc", &[])).1.is_err());
    }

    #[test]
    fn another_compiler_is_not_judged() {
        let before = counts("rustc 1", &[("spawn", 100.0)]);
        let (table, verdict) = judge(&before, &counts("rustc 2", &[("spawn", 900.0), ("new", 1.0)]));
        assert!(verdict.is_ok() && table.contains("nothing is judged"));
    }
}
