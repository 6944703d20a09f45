//! `cargo xtask houserules`: what the source keeps to and no lint checks.

use std::path::Path;

use crate::source::{Line, lines};
use crate::workspace::{SHIPPED, Workspace};
use crate::{Outcome, citations};

/// One line of a file is one idea's worth; beyond this it holds more than one.
const LONGEST_FILE: usize = 800;
/// How far above its block the reason for an `unsafe` may stand.
const SAFETY_WITHIN: usize = 3;

/// Every folder of Rust that is ours: the members of the workspace.
const SOURCES: [&str; 11] = [
    "runtime",
    "sync",
    "timer",
    "blocking",
    "macros",
    "tests",
    "loom-tests",
    "shuttle-tests",
    "benches",
    "examples",
    "xtask",
];

/// Where the operating system may be named, and where a system's calls are made.
const SYSTEM_DOORS: [&str; 3] = ["runtime/src/platform", "runtime/src/reactor", "runtime/src/signal"];
/// Where the worlds themselves are written.
const WORLDS: [&str; 2] = ["sync/src/primitive", "runtime/src/platform"];
/// What selects a world.
const WORLD_CFGS: [&str; 3] = ["weftwork_loom", "weftwork_shuttle", "weftwork_count"];

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut faults = Vec::new();
    for path in workspace.rust_files(&SOURCES)? {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let shown = workspace.shown(&path);
        faults.extend(faults_of(&shown, &text));
    }
    faults.extend(citations::faults(workspace)?);
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        1 => Err("1 breach of the house rules".into()),
        count => Err(format!("{count} breaches of the house rules")),
    }
}

/// Everything wrong with one file, each as `path:line: what`.
fn faults_of(path: &str, text: &str) -> Vec<String> {
    let lines = lines(text);
    let mut faults = Vec::new();
    let mut fault = |line: usize, what: &str| faults.push(format!("{path}:{}: {what}", line + 1));

    if path.contains("/src/") && lines.len() > LONGEST_FILE {
        fault(lines.len() - 1, &format!("{} lines: split the file by idea, {LONGEST_FILE} are a fault", lines.len()));
    }
    for (index, line) in lines.iter().enumerate() {
        if opens_unsafe(&line.code) && !has_reason(&lines, index) {
            fault(index, "an unsafe block without `SAFETY:` in the three lines above");
        }
        if line.code.contains("#[ignore") {
            fault(index, "a test that is ignored: make it run or take it out");
        }
        if names_the_system(&line.code) && is_shipped(path) && !is_below(path, &SYSTEM_DOORS) {
            fault(index, "the operating system is called outside platform and reactor");
        }
        if names_the_world(&line.code) && !is_below(path, &WORLDS) && !selects_a_module(&lines, index) {
            fault(index, "a world's cfg stands on `mod`, `use` or a file's head only");
        }
    }
    faults
}

fn opens_unsafe(code: &str) -> bool {
    let mut words = code.split("unsafe");
    words.next();
    words.any(|behind| behind.trim_start().starts_with('{'))
}

fn has_reason(lines: &[Line<'_>], index: usize) -> bool {
    lines[index.saturating_sub(SAFETY_WITHIN)..=index].iter().any(|line| line.text.contains("SAFETY:"))
}

fn names_the_system(code: &str) -> bool {
    ["rustix::", "libc::", "use rustix", "use libc"].iter().any(|word| code.contains(word))
}

/// Whether the cfg is named, and not the crate of the models, whose name begins like it.
fn names_the_world(code: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| WORLD_CFGS.contains(&word))
}

/// Whether an attribute that names the world is a file's own, or is followed by nothing but attributes and then a module
/// or an import.
fn selects_a_module(lines: &[Line<'_>], index: usize) -> bool {
    let code = lines[index].code.trim_start();
    if code.starts_with("#![cfg") {
        return true;
    }
    code.starts_with("#[cfg") && {
        let item = lines[index..].iter().map(|line| behind_attributes(line.code.trim())).find(|code| !code.is_empty());
        item.is_some_and(|item| {
            let item = without_visibility(item);
            ["mod ", "use ", "extern crate "].iter().any(|word| item.starts_with(word))
        })
    }
}

/// What a line holds behind the attributes that begin it.
fn behind_attributes(mut code: &str) -> &str {
    while code.starts_with("#[") {
        let mut depth = 0_usize;
        let end = code.char_indices().find(|&(_, character)| {
            match character {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            character == ']' && depth == 0
        });
        match end {
            Some((end, _)) => code = code[end + 1..].trim_start(),
            None => return "",
        }
    }
    code
}

fn without_visibility(item: &str) -> &str {
    let Some(behind) = item.strip_prefix("pub") else { return item };
    match behind.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or(item, |(_, rest)| rest.trim_start()),
        None => behind.trim_start(),
    }
}

fn is_shipped(path: &str) -> bool {
    SHIPPED.iter().any(|folder| Path::new(path).starts_with(Path::new(folder).join("src")))
}

/// Whether the path is the door or lies behind it: `signal` stands for `signal.rs` and for all of `signal/`.
fn is_below(path: &str, doors: &[&str]) -> bool {
    doors.iter().any(|door| path.strip_prefix(door).is_some_and(|rest| rest.starts_with('/') || rest == ".rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        faults_of(path, text).len()
    }

    #[test]
    fn an_unsafe_block_needs_its_reason_close_by() {
        assert_eq!(count("sync/src/a.rs", "fn f() {\n    unsafe { g() }\n}"), 1);
        assert_eq!(count("sync/src/a.rs", "// SAFETY: it is.\nunsafe { g() }"), 0);
        assert_eq!(count("sync/src/a.rs", "// SAFETY: too far.\n\n\n\nunsafe { g() }"), 1);
        assert_eq!(count("sync/src/a.rs", "// unsafe { in prose }\nunsafe impl Send for A {}\nunsafe fn g() {}"), 0);
    }

    #[test]
    fn no_test_is_ignored() {
        assert_eq!(count("tests/tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), 1);
    }

    #[test]
    fn the_system_is_called_behind_its_doors_only() {
        assert_eq!(count("runtime/src/net/tcp.rs", "rustix::net::listen(fd, 1)"), 1);
        assert_eq!(count("runtime/src/platform/linux.rs", "rustix::net::listen(fd, 1)"), 0);
        assert_eq!(count("runtime/src/signal.rs", "use rustix::process;"), 0);
        assert_eq!(count("runtime/src/signalling.rs", "use rustix::process;"), 1);
        assert_eq!(count("benches/src/a.rs", "rustix::net::listen(fd, 1)"), 0);
    }

    #[test]
    fn a_world_is_chosen_at_a_module() {
        let at = |text| count("runtime/src/a.rs", text);
        assert_eq!(at("#[cfg(not(weftwork_loom))]\n#[path = \"x.rs\"]\npub(crate) mod a;"), 0);
        assert_eq!(at("#[cfg(weftwork_loom)] pub use b::c;"), 0);
        assert_eq!(at("#![cfg(weftwork_loom)]"), 0);
        assert_eq!(at("use weftwork_loom_tests::check;"), 0);
        assert_eq!(at("#[cfg(weftwork_loom)]\nfn f() {}"), 1);
        assert_eq!(at("#[cfg(not(weftwork_count))]\nfn f() {}"), 1);
        assert_eq!(at("#[cfg(any(weftwork_loom, weftwork_shuttle))]\nmod a;"), 0);
        assert_eq!(at("if cfg!(weftwork_loom) {}"), 1);
        assert_eq!(count("sync/src/primitive/a.rs", "#[cfg(weftwork_loom)]\nfn f() {}"), 0);
    }

    #[test]
    fn a_file_has_an_end() {
        assert_eq!(count("sync/src/a.rs", &"\n".repeat(LONGEST_FILE)), 0);
        assert_eq!(count("sync/src/a.rs", &"\n".repeat(LONGEST_FILE + 1)), 1);
    }
}
